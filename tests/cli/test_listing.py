"""What can be asked of the command line without running anything."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "numpy", "mlflow", "pandas", "lightning")


def test_help_names_every_command_and_loads_nothing_heavy(reelbench, tmp_path):
    script = f"import sys; from reelbench.cli import cli; cli.main(['--help'], standalone_mode=False); sys.exit(any(m in sys.modules for m in {HEAVY!r}))"
    (tmp_path / "help.py").write_text(script)

    done = subprocess.run(
        [sys.executable, "help.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for command in (
        "run",
        "try",
        "check",
        "plan",
        "report",
        "list",
        "plugins",
        "data",
        "ui",
        "new-method",
        "doctor",
    ):
        assert f"\n  {command}" in done.stdout
    assert "broken" not in done.stdout


def test_listing_loads_nothing_heavy(tmp_path):

    script = f"import sys; from reelbench.cli import cli; cli.main(['list'], standalone_mode=False); print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_list_json_has_what_scripts_want(reelbench):
    catalogue = json.loads(reelbench("list", "--json").stdout)
    assert {"methods", "tasks", "datasets", "benchmarks"} <= set(catalogue)
    methods = {m["name"]: m for m in catalogue["methods"]}
    assert {"full", "no-audio"} <= set(methods["jsfusion"]["variants"])
    assert {"tiny", "paper"} <= set(methods["jsfusion"]["presets"])
    assert {"retrieval", "multiple_choice", "fill_in_blank"} <= set(methods["jsfusion"]["tasks"])
    assert {"localization@didemo:candidates", "retrieval@microworld/small:sentence"} <= {
        b["name"] for b in catalogue["benchmarks"]
    }


def test_plugins_says_who_registered_what(reelbench):
    rows = json.loads(reelbench("plugins", "--json").stdout)["plugins"]
    (tasks,) = [r for r in rows if r["name"] == "tasks"]
    assert tasks["status"] == "loaded"
    assert tasks["distribution"].startswith("reelbench ")
    assert "retrieval" in tasks["provides"]["task"]


def test_a_blocked_plugin_is_left_out(reelbench):
    done = reelbench("list", "--json", "--block", "jsfusion")
    assert "jsfusion" not in {m["name"] for m in json.loads(done.stdout)["methods"]}


def test_doctor_names_what_caption_metrics_need(reelbench):
    checks = {c["name"]: c for c in json.loads(reelbench("doctor", "--json").stdout)["checks"]}
    assert checks["java"]["ok"]
    assert checks["torch"]["ok"]


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("reelbench pl", {"plan", "plugins"}),
        ("reelbench run --me", {"--method"}),
        ("reelbench data ", {"prepare", "show", "verify"}),
    ],
)
def test_the_shell_completes_commands_and_options(reelbench, words: str, offers: set[str]):
    done = reelbench(_REELBENCH_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" ")))
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == offers
