"""What is recorded is not run again, unless its files are gone or altered, or what it was made of has changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from desk import BENCHMARK, HERE, Desk, Run

TITLE = f"plodder on {BENCHMARK}, seed 0"


@pytest.fixture(scope="module")
def desk(make_desk: Callable[[], Desk]) -> Desk:
    """A finished bench, whose plugin lies in its own folder."""
    desk = make_desk()
    shutil.copy(HERE / "paced.py", desk.folder)
    done = desk.bench().wait()
    assert done.status == 0, done.err
    return desk


def plan(desk: Desk) -> dict[str, dict[str, tuple[str, str]]]:
    """Method → kind of stage → its state, and why."""
    answer = desk.call("plan", "suite.toml", "--json", "--block", "reports")
    assert answer.status == 0, answer.err
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for stage in answer.json["stages"]:
        method = stage["label"].partition("/")[0]
        found.setdefault(method, {})[stage["kind"]] = (stage["state"], stage["why"])
    return found


def finished(desk: Desk, kind: str) -> list[Run]:
    return [r for r in desk.runs(kind) if r.status == "FINISHED" and "rb.damaged" not in r.tags]


def test_a_recorded_bench_is_cached_and_keeps_no_copy(desk: Desk) -> None:
    assert plan(desk)["plodder"] == dict.fromkeys(("fit", "predict", "score"), ("cached", ""))
    assert not list(desk.folder.glob(".reelbench/stages/*/*"))


def test_an_altered_prediction_is_said_and_made_again(desk: Desk) -> None:
    (trial,) = finished(desk, "trial")
    (table,) = trial.artifacts.glob("predictions/predictions.parquet")
    table.write_bytes(table.read_bytes()[:-4] + b"bits")
    done = desk.bench().wait()
    assert done.status == 0, done.err
    assert done.lines(f"cache: score {TITLE}: ")
    assert done.lines(f"in run {trial.id}")
    assert done.json["stages"] == {"cached": 1, "finished": 2, "failed": 0, "skipped": 0, "interrupted": 0}
    (again,) = finished(desk, "trial")
    assert again.id != trial.id
    assert again.tags["rb.digest"] == trial.tags["rb.digest"]


def test_an_artifact_that_is_gone_is_said_and_what_it_was_made_of_still_counts(desk: Desk) -> None:
    (fit,), (trial,) = finished(desk, "fit"), finished(desk, "trial")
    (fit.artifacts / "weights-0.safetensors").unlink()
    (trial.artifacts / "sheet" / "sheet.json").unlink()
    states = plan(desk)["plodder"]
    assert states["fit"] == (
        "not needed",
        f"fit plodder (walk), seed 0: its files were altered in run {fit.id}",
    )
    assert states["predict"] == ("cached", "")
    assert states["score"][0] == "to run"
    assert f"sheet.json is gone in run {trial.id}" in states["score"][1]


def test_the_plan_says_what_an_edit_changed_and_what_was_never_run(desk: Desk) -> None:
    source = desk.folder / "paced.py"
    source.write_text(source.read_text().replace('"""A plugin of', '"""A plugin, edited, of'))
    desk.suite('"plodder"', '"chance"')
    whys = {"fit": "source", "predict": "fits", "score": "predictions"}
    states = plan(desk)
    assert states["plodder"] == {
        kind: ("to run", f"changed since it last ran: {why}") for kind, why in whys.items()
    }
    assert set(states["chance"].values()) == {("to run", "never run here")}
