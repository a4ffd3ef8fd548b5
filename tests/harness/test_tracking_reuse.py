"""``--reuse=compatible``: what counts beside equal fingerprints, what is said of it, and which runs still count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from records import Trial, make_trial
from test_tracking_cache import append_byte, artifacts, look_up
from test_tracking_recorder import Bench, record, runs_of

from reelbench.reuse import Reused, reuse_lines, reused_stage
from reelbench.stages import Stage
from reelbench.timings import Past
from reelbench.tracking.cache import CachedStages

ALL = {"fit", "predict", "score"}


def planned(tmp_path: Path, **kw: object) -> Trial:
    return make_trial(tmp_path / "ws", write=False, **kw)  # type: ignore[arg-type]


def reused(uri: str, workspace: Path, stages: Sequence[Stage]) -> dict[str, Reused]:
    hits = CachedStages(uri, workspace).lookup(stages)
    told = {
        s.fingerprint: reused_stage(s, hits[s.fingerprint].record) for s in stages if s.fingerprint in hits
    }
    return {f: r for f, r in told.items() if r}


def current(uri: str, kind: str = "trial") -> set[str]:
    """Families of the runs that are not superseded."""
    runs = runs_of(uri, kind)
    return {r.data.tags["rb.family"] for r in runs if r.data.tags["rb.superseded"] == "false"}


def test_a_run_of_other_versions_is_a_hit_for_a_plan_that_reuses_what_is_compatible_and_for_no_other(
    store_uri: str, tmp_path: Path
) -> None:
    record(store_uri, tmp_path / "ws", {"torch": "2.11.0"})
    assert look_up(store_uri, tmp_path / "ws", planned(tmp_path)) == (set(), {})
    relaxed = planned(tmp_path, reuse="compatible")
    assert look_up(store_uri, tmp_path / "ws", relaxed) == (ALL, {})
    edited = planned(tmp_path, reuse="compatible", edition="second")
    assert look_up(store_uri, tmp_path / "ws", edited) == (set(), {})


def test_a_run_of_other_versions_is_said_once_with_its_versions(store_uri: str, tmp_path: Path) -> None:
    record(store_uri, tmp_path / "ws", {"torch": "2.11.0"})
    found = reused(store_uri, tmp_path / "ws", planned(tmp_path, reuse="compatible").stages)
    assert reuse_lines(found.values()) == [
        "reused although versions or device differ: 3 stages, recorded with torch 2.11.0 (here 2.13.0)"
    ]


def test_a_run_of_equal_versions_is_preferred_and_nothing_is_said_of_it(
    store_uri: str, tmp_path: Path
) -> None:
    _, (equal,) = record(store_uri, tmp_path / "ws", {"torch": "2.13.0"})
    record(store_uri, tmp_path / "ws", {"torch": "2.11.0"})
    found = reused(store_uri, tmp_path / "ws", planned(tmp_path, reuse="compatible").stages)
    assert {r.fingerprint for r in found.values()} == {s.fingerprint for s in equal.stages}
    assert reuse_lines(found.values()) == []


def test_what_ran_in_this_mode_serves_it_whatever_the_versions_and_never_an_exact_plan(
    store_uri: str, tmp_path: Path
) -> None:
    record(store_uri, tmp_path / "ws", {"reuse": "compatible"})
    assert look_up(store_uri, tmp_path / "ws", planned(tmp_path)) == (set(), {})
    later = planned(tmp_path, reuse="compatible", torch="2.14.0")
    assert look_up(store_uri, tmp_path / "ws", later) == (ALL, {})


def test_both_stages_of_a_trial_are_tagged(store_uri: str, tmp_path: Path) -> None:
    _, (trial,) = record(store_uri, tmp_path / "ws", {})
    (run,), (fit,) = runs_of(store_uri, "trial"), runs_of(store_uri, "fit")
    relaxed = planned(tmp_path, reuse="compatible")
    assert run.data.tags["rb.compatible.predict"] == relaxed.predict.fingerprint
    assert run.data.tags["rb.compatible.score"] == relaxed.score.fingerprint
    assert fit.data.tags["rb.compatible.fit"] == relaxed.fit.fingerprint
    assert run.data.tags["rb.fingerprint.score"] == trial.score.fingerprint


def test_damaged_files_of_other_versions_are_a_miss_and_it_says_so(store_uri: str, tmp_path: Path) -> None:
    record(store_uri, tmp_path / "ws", {"torch": "2.11.0"})
    append_byte(artifacts(store_uri, "fit") / "weights-0.safetensors")
    hits, misses = look_up(store_uri, tmp_path / "ws", planned(tmp_path, reuse="compatible"))
    assert hits == {"predict", "score"}
    assert "its files were altered" in misses["fit"]


def test_a_plan_supersedes_neither_what_it_reused_nor_what_it_ran(store_uri: str, tmp_path: Path) -> None:
    _, (old,) = record(store_uri, tmp_path / "ws", {"torch": "2.11.0"})
    _, (edited,) = record(store_uri, tmp_path / "ws", {"torch": "2.11.0", "edition": "second"})
    assert current(store_uri) == {edited.score.family}
    first, second = (planned(tmp_path, reuse="compatible", seed=s) for s in (0, 1))
    found = reused(store_uri, tmp_path / "ws", [*first.stages, *second.stages])
    assert set(found) == {s.fingerprint for s in first.stages}
    told = {fingerprint: asdict(r) for fingerprint, r in found.items()}
    bench = Bench(store_uri, tmp_path / "ws", [first, second], reused=told)
    bench.runs(make_trial(tmp_path / "ws", reuse="compatible", seed=1))
    bench.ends()
    assert bench.said == []
    assert current(store_uri) == {old.score.family, second.score.family}
    assert current(store_uri, "fit") == {old.fit.family, second.fit.family}
    _, (exact,) = record(store_uri, tmp_path / "ws", {})
    assert current(store_uri) == {exact.score.family}


def test_predictions_of_this_mode_may_come_out_otherwise_where_they_are_made_again(
    store_uri: str, tmp_path: Path
) -> None:
    record(store_uri, tmp_path / "ws", {"reuse": "compatible"})
    append_byte(artifacts(store_uri, "trial") / "sheet" / "sheet.json")
    said, _ = record(store_uri, tmp_path / "ws", {"reuse": "compatible", "torch": "2.14.0", "examples": 15})
    assert said == []
    assert sorted(r.data.tags["rb.superseded"] for r in runs_of(store_uri, "trial")) == ["false", "true"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hardware": {"device": "cuda"}}, "recorded on cuda (here cpu)"),
        ({"precision": "bf16-mixed"}, "recorded in bf16-mixed (here 32-true)"),
        (
            {"versions": {"torch": "2.11.0"}, "hardware": {"device": "cuda"}},
            "recorded with torch 2.11.0 (here 2.13.0), on cuda (here cpu)",
        ),
    ],
)
def test_the_line_names_what_differs(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    stage = planned(tmp_path, reuse="compatible").score
    shared = {
        "fingerprint": "other",
        "family": "other",
        "versions": {"torch": "2.13.0", "python": "3.12"},
        "hardware": {"device": "cpu"},
    }
    found = reused_stage(stage, shared | changes)
    assert found is not None
    (line,) = reuse_lines([found])
    assert line == f"reused although versions or device differ: 1 stage, {said}"


def test_what_ran_in_this_mode_here_may_have_been_made_from_what_differs(
    store_uri: str, tmp_path: Path
) -> None:
    record(store_uri, tmp_path / "ws", {"reuse": "compatible"})
    relaxed = planned(tmp_path, reuse="compatible")
    found = reused(store_uri, tmp_path / "ws", relaxed.stages)
    assert found[relaxed.fit.fingerprint].differs == ()  # it starts from nothing
    assert reuse_lines(found.values()) == [
        "reused although versions or device may differ: 2 stages, recorded under --reuse=compatible"
    ]


def test_why_a_stage_is_not_cached_names_only_what_counts(tmp_path: Path) -> None:
    exact, relaxed = planned(tmp_path).fit, planned(tmp_path, reuse="compatible").fit
    for stage in (exact, relaxed):
        stage.spec["depends"] = {"versions": "new", "config": "same"}  # type: ignore[index]
    before = Past(depends={"versions": "old", "config": "same"})
    assert before.why_not_cached(exact) == "changed since it last ran: versions"
    assert before.why_not_cached(relaxed) == "not run with this seed"
    same = Past(depends={"versions": "new", "config": "same"}, relaxed=True)
    assert same.why_not_cached(exact) == "last run with --reuse=compatible"
