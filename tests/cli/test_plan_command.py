"""What ``reelbench plan`` says before anything is spent."""


def test_a_method_that_trains_at_another_preset_than_asked_is_named(reelbench):
    asked = ("plan", "--method", "bn-lstm", "--against", "linear", "--against", "chance", "--benchmark", "tagging@microworld/smoke")  # fmt: skip
    done = reelbench(*asked, "--preset", "paper", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("preset:")]
    assert lines == ["preset: linear has no 'paper' and runs in 'tiny'"]
    assert "preset:" not in reelbench(*asked, "--preset", "base", "--seeds", "1").stdout
