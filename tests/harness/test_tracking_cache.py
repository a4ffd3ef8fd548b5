"""What counts as finished already, and why not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from records import Trial, make_plan, make_trial
from test_tracking_recorder import Bench, record, runs_of

from reelbench.stages import StageFolder
from reelbench.tracking.cache import CachedStages
from reelbench.tracking.held import RunFiles
from reelbench.tracking.leases import StageLease
from reelbench.tracking.store import Store
from reelbench.tracking.ui import server


def look_up(uri: str, workspace: Path, *trials: Trial) -> tuple[set[str], dict[str, str]]:
    """Kinds of the stages that hit, and the reasons of those that did not."""
    cached = CachedStages(uri, workspace)
    hits = cached.lookup([s for t in trials for s in t.stages])
    kinds = {s.fingerprint: s.kind for t in trials for s in t.stages}
    return {kinds[f] for f in hits}, {kinds[f]: reason for f, reason in cached.misses.items()}


def artifacts(uri: str, kind: str) -> Path:
    (run,) = runs_of(uri, kind)
    root = RunFiles(Store(uri), Path(), run).root
    assert root is not None
    return root


def test_a_recorded_trial_is_cached_for_another_workspace_too(store_uri: str, tmp_path: Path) -> None:
    _, (trial,) = record(store_uri, tmp_path / "ws", {})
    cached = CachedStages(store_uri, tmp_path / "other")
    hits = cached.lookup(trial.stages)
    assert {s.kind for s in trial.stages if s.fingerprint in hits} == {"fit", "predict", "score"}
    assert {h.source for h in hits.values()} == {"mlflow"}
    assert cached.misses == {}
    assert (hits[trial.fit.fingerprint].path / "weights-0.safetensors").exists()
    assert (hits[trial.predict.fingerprint].path / "predictions.parquet").exists()
    assert hits[trial.predict.fingerprint].record["digest"] == trial.records["predict"]["digest"]
    assert hits[trial.score.fingerprint].record["metrics"] == trial.records["score"]["metrics"]


def test_what_never_ran_is_a_miss_without_a_reason(store_uri: str, tmp_path: Path) -> None:
    assert look_up(store_uri, tmp_path / "ws", make_trial(tmp_path / "ws", write=False)) == (set(), {})


def test_looking_makes_no_store(tmp_path: Path) -> None:
    trial = make_trial(tmp_path / "ws")
    assert look_up(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "ws", trial)[0] == {
        "fit",
        "predict",
        "score",
    }
    assert not (tmp_path / "mlflow.db").exists()


def append_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


@pytest.mark.parametrize(
    ("run", "name", "change", "left", "reason"),
    [
        ("trial", "predictions/predictions.safetensors", Path.unlink, {"fit"}, "cannot be read"),
        ("trial", "predictions", shutil.rmtree, {"fit"}, "predictions.json is gone"),
        ("trial", "sheet/sheet.json", append_byte, {"fit", "predict"}, "its files were altered"),
        ("trial", "record.json", append_byte, {"fit", "predict"}, "record.json was altered"),
        ("fit", "weights-0.safetensors", append_byte, {"predict", "score"}, "its files were altered"),
        ("fit", "assets.json", Path.unlink, {"predict", "score"}, "assets.json is gone"),
    ],
)
def test_artifacts_that_are_gone_or_altered_are_a_miss_and_it_says_so(
    store_uri: str,
    tmp_path: Path,
    run: str,
    name: str,
    change: Callable[[Path], object],
    left: set[str],
    reason: str,
) -> None:
    _, (trial,) = record(store_uri, tmp_path / "ws", {})
    change(artifacts(store_uri, run) / name)
    hits, misses = look_up(store_uri, tmp_path / "ws", trial)
    assert hits == left
    assert set(misses) == {"fit", "predict", "score"} - left
    assert all(reason in said for said in misses.values())


def test_a_trial_run_again_takes_the_place_of_the_damaged_one(store_uri: str, tmp_path: Path) -> None:
    record(store_uri, tmp_path / "ws", {})
    append_byte(artifacts(store_uri, "trial") / "sheet" / "sheet.json")
    _, (trial,) = record(store_uri, tmp_path / "ws", {})
    assert look_up(store_uri, tmp_path / "ws", trial) == ({"fit", "predict", "score"}, {})
    assert sorted(r.data.tags["rb.superseded"] for r in runs_of(store_uri, "trial")) == ["false", "true"]


def test_a_superseded_trial_is_still_cached(store_uri: str, tmp_path: Path) -> None:
    _, (old,) = record(store_uri, tmp_path / "ws", {})
    record(store_uri, tmp_path / "ws", {"edition": "second"})
    assert look_up(store_uri, tmp_path / "ws", old) == ({"fit", "predict", "score"}, {})


def test_a_failed_trial_is_not_cached(store_uri: str, tmp_path: Path) -> None:
    trial = make_trial(tmp_path / "ws", write=False)
    bench = Bench(store_uri, tmp_path / "ws", [trial])
    bench.recorder.reelbench_stage_started(stage=trial.score)
    bench.ends()
    assert look_up(store_uri, tmp_path / "ws", trial) == (set(), {})


def test_a_stage_that_waits_in_the_workspace_counts_unless_it_is_damaged(
    store_uri: str, tmp_path: Path
) -> None:
    trial = make_trial(tmp_path / "ws")
    assert look_up(store_uri, tmp_path / "ws", trial)[0] == {"fit", "predict", "score"}
    folder = StageFolder(tmp_path / "ws", "fit", trial.fit.fingerprint)
    append_byte(folder.path / "weights-0.safetensors")
    hits, misses = look_up(store_uri, tmp_path / "ws", trial)
    assert hits == {"predict", "score"}
    assert "its files were altered" in misses["fit"]
    assert not folder.finished


def test_without_its_store_a_bench_finds_what_is_in_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    trial, other = make_trial(tmp_path / "ws"), make_trial(tmp_path / "ws", seed=1, write=False)
    hits, misses = look_up("http://me:secret@127.0.0.1:9", tmp_path / "ws", trial, other)
    assert hits == {"fit", "predict", "score"}
    assert "only the workspace was looked at" in misses["score"]
    assert "secret" not in misses["score"]


def test_a_mended_metric_takes_its_predictions_from_the_earlier_run(store_uri: str, tmp_path: Path) -> None:
    _, (old,) = record(store_uri, tmp_path / "ws", {})
    rescored = make_trial(tmp_path / "elsewhere", edition="first")
    score = rescored.records["score"] | {"fingerprint": "e" * 64, "family": "d" * 64}
    stage = type(rescored.score)(
        "score",
        "e" * 64,
        "d" * 64,
        {**rescored.score.spec, "fingerprint": "e" * 64, "family": "d" * 64},
        rescored.score.needs,
    )
    source, target = (
        StageFolder(tmp_path / w, "score", f).path
        for w, f in (("elsewhere", old.score.fingerprint), ("ws", "e" * 64))
    )
    shutil.copytree(source, target)
    StageFolder(tmp_path / "ws", "score", "e" * 64).finish(score)
    bench = Bench(store_uri, tmp_path / "ws", [Trial(old.fit, old.predict, stage, {})])
    bench.ends()
    assert bench.said == []
    assert sorted(r.data.tags["rb.superseded"] for r in runs_of(store_uri, "trial")) == ["false", "true"]
    assert set(CachedStages(store_uri, tmp_path / "new").lookup([old.predict, stage])) == {
        old.predict.fingerprint,
        "e" * 64,
    }


def test_a_stage_is_leased_to_one_bench_at_a_time(tmp_path: Path) -> None:
    ours, theirs = StageLease(tmp_path), StageLease(tmp_path)
    assert ours.acquire("a")
    assert not theirs.acquire("a")
    assert theirs.acquire("b")
    ours.release("a")
    assert theirs.acquire("a")


def test_a_plan_of_recorded_trials_is_looked_up_without_reading_other_rows(
    store_uri: str, tmp_path: Path
) -> None:
    _, trials = record(store_uri, tmp_path / "ws", {"seed": 0}, {"seed": 1}, {"method": "vse"})
    plan = make_plan(trials[:2])
    assert set(CachedStages(store_uri, tmp_path / "ws").lookup(plan.stages)) == {
        s.fingerprint for s in plan.stages
    }


@pytest.mark.slow
def test_a_remote_stores_files_are_downloaded_where_something_needs_them(
    store_uri: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_DEFAULT_ARTIFACT_ROOT", "mlflow-artifacts:/")
    monkeypatch.setenv("MLFLOW_ARTIFACTS_DESTINATION", str(tmp_path / "remote"))
    with server(store_uri) as address:
        said, (trial,) = record(address, tmp_path / "ws", {})
        assert said == []
        assert look_up(address, tmp_path / "ws", trial) == ({"score"}, {})
        hits = CachedStages(address, tmp_path / "other").lookup([trial.fit, trial.predict])
        assert set(hits) == {trial.predict.fingerprint}
        assert (
            hits[trial.predict.fingerprint].path
            == StageFolder(tmp_path / "other", "predict", trial.predict.fingerprint).path
        )
        (fit,) = CachedStages(address, tmp_path / "other").lookup([trial.fit]).values()
        assert (fit.path / "weights-0.safetensors").exists()
    assert capfd.readouterr().out == ""
