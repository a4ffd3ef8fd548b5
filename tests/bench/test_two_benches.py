"""Two benches on one store at once: both finish, and nothing counts twice."""

from __future__ import annotations

from collections import Counter

from desk import Desk, Done, until


def side_by_side(desk: Desk, first: str, second: str, **environment: str) -> list[Done]:
    """Two benches of the same suite, the second started in the middle of the first one's fit, in another environment.

    In a workspace of its own the second makes the fit too, and the first waits for it; in the same one it waits itself.
    """
    beacon, other = desk.folder / "beacon", desk.folder / "other"
    awaited = {"AWAITED": str(other)} if first != second else {}
    early = desk.bench("--workspace", first, PACE_S="0.06", BEACON=str(beacon), **awaited)
    until(beacon.exists, "the middle of a fit")
    late = desk.bench("--workspace", second, BEACON=str(other), **environment)
    return [early.wait(), late.wait()]


def finished_once(desk: Desk, done: list[Done]) -> None:
    """Every bench has the trial's scores, and the store one run a stage that counts."""
    for bench in done:
        assert bench.status == 0, bench.err
        assert "locked" not in bench.err
        assert "Traceback" not in bench.err
        assert bench.json["trials"][0]["metrics"] == done[0].json["trials"][0]["metrics"]
    assert Counter(r.tags["rb.kind"] for r in desk.runs() if r.status == "FINISHED") == {
        "fit": 1,
        "trial": 1,
        "suite": len(done),
    }
    assert not [r for r in desk.runs() if r.status == "RUNNING"]


def test_on_one_workspace_the_second_takes_over_what_the_first_has_made(desk: Desk) -> None:
    done = side_by_side(desk, "shared", "shared")
    finished_once(desk, done)
    assert done[1].json["stages"]["cached"] >= 1


def test_on_two_workspaces_the_store_counts_each_stage_once(desk: Desk) -> None:
    finished_once(desk, side_by_side(desk, "mine", "yours"))


def test_what_differs_from_an_equal_run_is_an_error(desk: Desk) -> None:
    early, late = sorted(side_by_side(desk, "mine", "yours", WOBBLE="0.5"), key=lambda done: done.status)
    assert (early.status, late.status) == (0, 1), late.err
    assert "differ from those of run" not in early.err
    (line,) = late.lines("differ from those of run")
    (counted,) = [r for r in desk.runs("trial") if r.status == "FINISHED"]
    (refused,) = [r for r in desk.runs("trial") if r.status == "FAILED"]
    assert counted.id in line
    assert refused.tags["rb.error"] in line
