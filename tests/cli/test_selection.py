"""What the command line's options make of a suite."""

from __future__ import annotations

from typing import Any

from reelbench.cli.selection import suite_from

NONE: dict[str, Any] = {
    "methods": (),
    "benchmarks": (),
    "against": (),
    "seeds": None,
    "variants": (),
    "preset": None,
    "settings": (),
    "device": None,
}
SUITE = """
benchmarks = ["*@microworld/smoke"]
methods = [{ name = "jsfusion", variants = ["*"], recipes = ["match"], config = { hidden = 3, "match.epochs" = 2 } }, { name = "b*", preset = "paper" }]
"""


def entries(tmp_path, **options: Any) -> list[dict[str, Any]]:
    (tmp_path / "mine.toml").write_text(SUITE)
    suite = suite_from(str(tmp_path / "mine.toml"), NONE | options)
    return [{k: v for k, v in e.model_dump().items() if k in e.model_fields_set} for e in suite.methods]


def test_a_suite_narrowed_to_a_method_keeps_what_it_says_of_it(tmp_path):
    (entry,) = entries(tmp_path, methods=("jsfusion",))
    assert (entry["variants"], entry["recipes"], entry["config"]) == (
        ("*",),
        ("match",),
        {"hidden": 3, "match.epochs": 2},
    )


def test_a_pattern_s_entry_is_narrowed_to_the_method_named(tmp_path):
    (entry,) = entries(tmp_path, methods=("bn-lstm",))
    assert (entry["name"], entry["preset"]) == ("bn-lstm", "paper")


def test_options_win_over_the_suite(tmp_path):
    (entry,) = entries(
        tmp_path, methods=("jsfusion",), settings=("hidden=4",), variants=("full",), preset="tiny"
    )
    assert (entry["config"], entry["variants"], entry["preset"]) == (
        {"hidden": 4, "match.epochs": 2},
        ("full",),
        "tiny",
    )


def test_a_method_that_the_suite_has_not_runs_as_it_is(tmp_path):
    assert [e["name"] for e in entries(tmp_path, methods=("mine",), against=("chance",))] == [
        "mine",
        "chance",
    ]
