"""What is recorded is not run again, unless its files are gone or altered, or what it was made of has changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from desk import HERE, Desk, Run


@pytest.fixture(scope="module")
def desk(make_desk: Callable[[], Desk]) -> Desk:
    """A finished bench, whose plugin lies in its own folder."""
    desk = make_desk()
    shutil.copy(HERE / "paced.py", desk.folder)
    done = desk.bench().wait()
    assert done.status == 0, done.err
    return desk


def plan(desk: Desk) -> dict[str, tuple[str, str]]:
    """Kind of stage → its state, and why."""
    answer = desk.call("plan", "suite.toml", "--json", "--block", "reports")
    assert answer.status == 0, answer.err
    return {s["kind"]: (s["state"], s["why"]) for s in answer.json["stages"]}


def finished(desk: Desk, kind: str) -> list[Run]:
    return [r for r in desk.runs(kind) if r.status == "FINISHED" and "rb.damaged" not in r.tags]


def test_a_recorded_bench_is_cached_and_keeps_no_copy(desk: Desk) -> None:
    assert plan(desk) == dict.fromkeys(("fit", "predict", "score"), ("cached", ""))
    assert not list(desk.folder.glob(".reelbench/stages/*/*"))


def test_an_altered_prediction_is_said_and_made_again(desk: Desk) -> None:
    (trial,) = finished(desk, "trial")
    (table,) = trial.artifacts.glob("predictions/predictions.parquet")
    table.write_bytes(table.read_bytes()[:-4] + b"bits")
    states = plan(desk)
    assert {kind: state for kind, (state, _) in states.items()} == {
        "fit": "cached",
        "predict": "to run",
        "score": "to run",
    }
    assert f"in run {trial.id}" in states["predict"][1]
    made_again(desk, trial, "fit")


def test_an_artifact_that_is_gone_is_said_and_made_again(desk: Desk) -> None:
    (fit,), (trial,) = finished(desk, "fit"), finished(desk, "trial")
    (fit.artifacts / "weights-0.safetensors").unlink()
    (trial.artifacts / "sheet" / "sheet.json").unlink()
    states = plan(desk)
    assert states["fit"] == (
        "not needed",
        f"fit plodder (walk), seed 0: its files were altered in run {fit.id}",
    )
    assert states["predict"] == ("cached", "")
    assert states["score"][0] == "to run"
    assert f"sheet.json is gone in run {trial.id}" in states["score"][1]
    made_again(desk, trial, "predict")


def made_again(desk: Desk, damaged: Run, cached: str) -> None:
    """The next bench says which run is damaged, replaces it, and finds the same."""
    done = desk.bench().wait()
    assert done.status == 0, done.err
    assert done.lines("cache: score plodder on action_recognition@pace/one:seen, seed 0: ")
    assert done.lines(damaged.id)
    assert done.json["stages"]["cached"] >= 1, cached
    (trial,) = finished(desk, "trial")
    assert trial.id != damaged.id
    assert trial.tags["rb.digest"] == damaged.tags["rb.digest"]


def test_an_edited_plugin_was_never_run_as_it_is_now(desk: Desk) -> None:
    source = desk.folder / "paced.py"
    source.write_text(source.read_text().replace('"""A plugin of', '"""A plugin, edited, of'))
    assert plan(desk) == dict.fromkeys(("fit", "predict", "score"), ("to run", "never run"))
