"""A bench that is cut off, by the system or by Ctrl-C, leaves no process behind and goes on where it was."""

from __future__ import annotations

import json
import time

from desk import Desk, Done, Run, Running, until

Whole = tuple[Done, dict[str, Run]]


def in_the_middle(desk: Desk, pace_s: float = 0.2) -> Running:
    """A bench in the middle of its fit, which MLflow knows of."""
    beacon = desk.folder / "beacon"
    bench = desk.bench(PACE_S=str(pace_s), BEACON=str(beacon))
    until(
        lambda: (
            (beacon.exists() and [r for r in desk.runs("fit") if r.status == "RUNNING"])
            or bench.process.poll() is not None
        ),
        "the middle of a fit",
    )
    assert bench.process.poll() is None, bench.wait().err
    return bench


def went_on_as_if_nothing_had_been(desk: Desk, whole: Whole) -> None:
    """The next bench resumes the fit and ends with the same weights, predictions and curve."""
    done = desk.bench().wait()
    assert done.status == 0, done.err
    cut, fit = desk.runs("fit")
    assert (cut.status, fit.status) == ("KILLED", "FINISHED")
    assert json.loads((fit.artifacts / "record.json").read_text())["resumed"] == 1
    assert fit.tags["rb.digest"] == whole[1]["fit"].tags["rb.digest"]
    assert len(set(fit.metrics)) == len(fit.metrics)
    assert fit.metrics == whole[1]["fit"].metrics
    (trial,) = desk.runs("trial")
    assert trial.tags["rb.digest"] == whole[1]["trial"].tags["rb.digest"]
    assert [r.status for r in desk.runs("suite")] == ["KILLED", "FINISHED"]


def test_a_killed_bench_leaves_no_process_and_the_next_resumes_its_fit(
    desk: Desk, undisturbed: Whole
) -> None:
    bench = in_the_middle(desk)
    bench.kill()
    bench.wait()
    assert [r.status for r in desk.runs("fit")] == ["RUNNING"]
    went_on_as_if_nothing_had_been(desk, undisturbed)


def test_ctrl_c_saves_says_how_to_go_on_and_the_same_command_does(desk: Desk, undisturbed: Whole) -> None:
    bench = in_the_middle(desk)
    bench.ctrl_c()
    done = bench.wait()
    assert done.status == 130
    assert done.json["trials"][0]["status"] == "not run"
    assert done.lines("INTERRUPTED: interrupted; run the same command again to resume")
    assert "Traceback" not in done.err
    assert [r.status for r in desk.runs()] == ["KILLED", "KILLED"]
    went_on_as_if_nothing_had_been(desk, undisturbed)


def test_ctrl_c_twice_leaves_no_process(desk: Desk) -> None:
    bench = in_the_middle(desk, pace_s=300)
    bench.ctrl_c()
    time.sleep(0.5)
    assert bench.process.poll() is None
    bench.ctrl_c()
    done = bench.wait()
    assert done.status == 130
    assert "Traceback" not in done.err


def test_ctrl_c_while_workers_start_leaves_no_process(desk: Desk) -> None:
    bench = desk.bench()
    until(lambda: len(bench.family()) > 1, "a worker")
    bench.ctrl_c()
    done = bench.wait()
    assert done.status == 130, done.err
    assert "Traceback" not in done.err


def test_a_minute_of_work_at_most_is_lost() -> None:
    from reelbench.training.loop import LOOK_EVERY_S, Session

    assert Session.checkpoint_s + LOOK_EVERY_S <= 60
