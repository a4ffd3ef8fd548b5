"""What a bench leaves in MLflow, whatever happens to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from records import Trial, finished_record, make_plan, make_predictions, make_trial
from test_running import Pretend
from test_running import run as run_plan
from toy_project import plan_of

from reelbench.errors import TrackingError
from reelbench.executors import Job
from reelbench.registry import Registry
from reelbench.reports.frames import load
from reelbench.stages import Stage, StageFolder
from reelbench.tracking.abandoned import is_abandoned
from reelbench.tracking.cache import CachedStages
from reelbench.tracking.held import RunFiles
from reelbench.tracking.recorder import MlflowRecorder
from reelbench.tracking.runs import RunWriter
from reelbench.tracking.store import Store

ENDED = {"finished": 3, "cached": 0, "interrupted": False, "site": None}


class Bench:
    """A recorder told what a runner would tell it."""

    def __init__(
        self,
        uri: str,
        workspace: Path,
        trials: Sequence[Trial],
        extra: Sequence[Stage] = (),
        address: str = "",
        reused: Mapping[str, Any] | None = None,
    ) -> None:
        self.said: list[str] = []
        self.recorder = MlflowRecorder(uri, workspace, self.said.append)
        self.recorder.reelbench_plan_ready(
            plan=make_plan(trials, extra=extra),
            run={"suite": "synthetic", "store": address or uri, "reused": reused or {}},
        )

    def runs(self, trial: Trial) -> None:
        for stage in trial.stages:
            self.finishes(stage, trial.records[stage.kind])

    def finishes(self, stage: Stage, record: Mapping[str, Any]) -> None:
        self.recorder.reelbench_stage_started(stage=stage)
        self.recorder.reelbench_stage_finished(stage=stage, record=record)

    def ends(self, **outcome: Any) -> None:
        self.recorder.reelbench_plan_finished(outcome=ENDED | outcome)


def record(uri: str, workspace: Path, *several: Mapping[str, Any]) -> tuple[list[str], list[Trial]]:
    """One bench that runs these trials (arguments of ``make_trial``); returns its warnings and the trials."""
    bench = Bench(uri, workspace, [make_trial(workspace, write=False, **kw) for kw in several])
    bench.recorder.flush()
    trials = [make_trial(workspace, **kw) for kw in several]
    for trial in trials:
        bench.runs(trial)
    bench.ends()
    return bench.said, trials


def runs_of(uri: str, kind: str, status: str = "FINISHED") -> list[Any]:
    store = Store(uri)
    return store.search(
        list(store.experiments().values()), f"attributes.status = '{status}' and tags.`rb.kind` = '{kind}'"
    )


def artifact(uri: str, run: Any, name: str) -> Any:
    folder = RunFiles(Store(uri), Path(), run).root
    assert folder is not None
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_a_trial_is_one_run_with_its_predictions_and_sheet(store_uri: str, tmp_path: Path) -> None:
    said, (trial,) = record(store_uri, tmp_path / "ws", {"seed": 1})
    assert said == []
    (run,), (fit,) = runs_of(store_uri, "trial"), runs_of(store_uri, "fit")
    tags = run.data.tags
    assert tags["rb.label"] == trial.score.label
    assert tags["rb.fingerprint.predict"] == trial.predict.fingerprint
    assert tags["rb.fingerprint.score"] == trial.score.fingerprint
    assert tags["rb.digest"] == trial.records["predict"]["digest"]
    assert tags["rb.digest.sheet"] == trial.records["score"]["digest"]
    assert tags["rb.fit_runs"] == fit.info.run_id
    assert fit.data.tags["rb.fingerprint.fit"] == trial.fit.fingerprint
    assert run.data.metrics["test/recall_at_1"] == trial.records["score"]["metrics"]["recall_at_1"]
    assert {"cost/train_seconds", "val/recall_at_1"} <= set(run.data.metrics)
    assert artifact(store_uri, run, "record.json") == json.loads(json.dumps(trial.records["score"]))
    root = RunFiles(Store(store_uri), Path(), run).root
    assert root is not None
    names = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    assert {
        "predictions/predictions.parquet",
        "predictions/record.json",
        "sheet/sheet.json",
        "examples.json",
        "strips/best-0.jpg",
    } <= names


def test_a_curve_is_logged_once_with_the_times_that_were_measured(store_uri: str, tmp_path: Path) -> None:
    _, (trial,) = record(store_uri, tmp_path / "ws", {})
    record(store_uri, tmp_path / "ws", {})
    (fit,) = runs_of(store_uri, "fit")
    history = Store(store_uri).client.get_metric_history(fit.info.run_id, "train/loss")
    expected = [(p["step"], p["time_ms"], p["values"]["train/loss"]) for p in trial.records["fit"]["curve"]]
    assert sorted((m.step, m.timestamp, m.value) for m in history) == expected


def test_a_prediction_that_feeds_a_fit_is_a_run_among_the_fits(store_uri: str, tmp_path: Path) -> None:
    trial = make_trial(tmp_path / "ws")
    spec = {**trial.predict.spec, "relation": ["captions", "train"]}
    stage = replace(trial.predict, fingerprint="f" * 64, spec={**spec, "fingerprint": "f" * 64})
    folder = StageFolder(tmp_path / "ws", "predict", stage.fingerprint)
    make_predictions().save(folder.path)
    done = finished_record(stage, fits=[trial.fit.fingerprint], digest=make_predictions().digest())
    folder.finish(done)
    bench = Bench(store_uri, tmp_path / "ws", [trial], [stage])
    bench.finishes(stage, done)
    bench.ends()
    (run,) = runs_of(store_uri, "predict")
    assert run.info.experiment_id == Store(store_uri).experiments()["reelbench/fits"]
    assert run.data.tags["rb.fingerprint.predict"] == stage.fingerprint


def test_a_suite_is_a_run_with_the_manifest_of_its_stages(store_uri: str, tmp_path: Path) -> None:
    _, (trial,) = record(store_uri, tmp_path / "ws", {})
    (suite,) = runs_of(store_uri, "suite")
    manifest = artifact(store_uri, suite, "manifest.json")
    assert [(s["fingerprint"], s["status"]) for s in manifest["stages"]] == [
        (s.fingerprint, "finished") for s in trial.stages
    ]


def test_a_failed_stage_is_a_failed_run_with_its_traceback(store_uri: str, tmp_path: Path) -> None:
    trial = make_trial(tmp_path / "ws", write=False)
    bench = Bench(store_uri, tmp_path / "ws", [trial])
    failure = finished_record(
        trial.predict, status="failed", error="PredictionError: NaN", traceback="Traceback: line 7"
    )
    bench.recorder.reelbench_stage_started(stage=trial.predict)
    bench.recorder.reelbench_stage_failed(stage=trial.predict, record=failure)
    skipped = finished_record(trial.score, status="skipped", error="not run")
    bench.recorder.reelbench_stage_failed(stage=trial.score, record=skipped)
    bench.ends()
    (run,) = runs_of(store_uri, "trial", "FAILED")
    assert run.data.tags["rb.error"] == "PredictionError: NaN"
    assert artifact(store_uri, run, "record.json")["traceback"] == "Traceback: line 7"


def chained(workspace: Path, seed: int = 1) -> tuple[Stage, Trial]:
    """A fit of another recipe, and a trial whose fit starts from it."""
    shared = make_trial(workspace, recipe="shared", seed=seed, write=False).fit
    trial = make_trial(workspace, seed=seed, write=False)
    return shared, replace(trial, fit=replace(trial.fit, needs={"upstream": (shared.fingerprint,)}))


def fails(bench: Bench, stage: Stage, status: str, skipped: Sequence[Stage], error: str = "NaN") -> None:
    """What a runner tells where a stage does not finish, so that those after it are not run."""
    hear = bench.recorder.reelbench_stage_failed
    hear(stage=stage, record=finished_record(stage, status=status, error=error))
    for later in skipped:
        hear(stage=later, record=finished_record(later, status="skipped", error="not run"))


def test_a_trial_lost_with_an_upstream_fit_is_a_failed_run_of_its_row(store_uri: str, tmp_path: Path) -> None:
    _, (first,) = record(store_uri, tmp_path / "ws", {"seed": 0})
    shared, trial = chained(tmp_path / "ws")
    bench = Bench(store_uri, tmp_path / "ws", [trial], [shared])
    fails(bench, shared, "failed", trial.stages, error="TrainingError: loss is NaN")
    bench.ends()
    (run,) = runs_of(store_uri, "trial", "FAILED")
    assert run.data.tags["rb.error"] == (
        "not run: fit jsfusion (shared), seed 1 failed: TrainingError: loss is NaN"
    )
    assert run.data.tags["rb.lost_with"] == shared.fingerprint
    assert run.data.tags["rb.fingerprint.score"] == trial.score.fingerprint
    (finished,) = runs_of(store_uri, "trial")
    assert finished.data.tags["rb.fingerprint.score"] == first.score.fingerprint
    assert run.data.tags["rb.label"] == finished.data.tags["rb.label"]
    assert len(runs_of(store_uri, "fit", "FAILED")) == 1  # the fit that was only skipped makes no run


def test_a_runner_tells_all_that_a_lost_trial_needs(
    registry: Registry, store_uri: str, tmp_path: Path
) -> None:
    def diverge(job: Job) -> dict[str, Any]:
        error = "NaN" if job.spec["recipe"] == "words" else "no memory"
        return {"status": "failed", "error": error, "started_ms": 1, "ended_ms": 2}

    said: list[str] = []
    recorder, plan = MlflowRecorder(store_uri, tmp_path / "ws", said.append), plan_of(registry, seeds=[0])
    recorder.reelbench_plan_ready(plan=plan, run={"suite": "toy", "store": store_uri})
    run_plan(plan, tmp_path / "ws", Pretend(diverge), watcher=recorder)
    recorder.reelbench_plan_finished(outcome=ENDED)
    assert said == []
    lost = [run for run in runs_of(store_uri, "trial", "FAILED") if "rb.lost_with" in run.data.tags]
    errors = {(run.data.tags["rb.method"], run.data.tags["rb.error"]) for run in lost}
    assert ("alpha", "not run: fit alpha (words), seed 0 failed: NaN") in errors
    planned = {s.fingerprint for s in plan.trials() if s.spec["method"] == "alpha"}
    assert {
        r.data.tags["rb.fingerprint.score"] for r in lost if r.data.tags["rb.method"] == "alpha"
    } == planned


def test_a_trial_lost_with_a_prediction_that_feeds_its_fit_is_recorded_too(
    store_uri: str, tmp_path: Path
) -> None:
    shared, trial = chained(tmp_path / "ws")
    feeds = replace(shared, kind="predict", spec={**shared.spec, "relation": ["captions", "train"]})
    bench = Bench(store_uri, tmp_path / "ws", [trial], [feeds])
    fails(bench, feeds, "failed", trial.stages)
    bench.ends()
    (run,) = runs_of(store_uri, "trial", "FAILED")
    assert run.data.tags["rb.lost_with"] == feeds.fingerprint


def test_failures_while_the_store_is_away_are_recorded_once_it_is_back(
    store_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, trial = chained(tmp_path / "ws")
    bench = Bench(store_uri, tmp_path / "ws", [trial], [shared])
    with monkeypatch.context() as away:
        away.setattr(RunWriter, "fail", unreachable)
        fails(bench, shared, "failed", trial.stages)
        bench.recorder.flush()
    bench.ends()
    assert len(bench.said) == 1
    for kind in ("fit", "trial"):
        assert len(runs_of(store_uri, kind, "FAILED")) == 1


def unreachable(*_: object) -> str:
    raise TrackingError("cannot reach the store")


def test_what_was_not_reached_after_an_interrupt_is_not_lost(store_uri: str, tmp_path: Path) -> None:
    shared, trial = chained(tmp_path / "ws")
    bench = Bench(store_uri, tmp_path / "ws", [trial], [shared])
    fails(bench, shared, "interrupted", trial.stages)
    bench.ends(interrupted=True)
    assert runs_of(store_uri, "trial", "FAILED") == runs_of(store_uri, "trial", "KILLED") == []


def test_a_lost_trial_is_not_cached_and_its_row_gets_it_back(store_uri: str, tmp_path: Path) -> None:
    shared, trial = chained(tmp_path / "ws")
    bench = Bench(store_uri, tmp_path / "ws", [trial], [shared])
    fails(bench, shared, "failed", trial.stages)
    bench.ends()
    assert CachedStages(store_uri, tmp_path / "ws").lookup([shared, *trial.stages]) == {}
    record(store_uri, tmp_path / "ws", {"seed": 1})
    (found,) = load(store_uri).trials
    assert (found.status, found.tags["rb.fingerprint.score"]) == ("FINISHED", trial.score.fingerprint)


def test_an_interrupted_stage_and_its_suite_are_killed(store_uri: str, tmp_path: Path) -> None:
    trial = make_trial(tmp_path / "ws", write=False)
    bench = Bench(store_uri, tmp_path / "ws", [trial])
    bench.recorder.reelbench_stage_started(stage=trial.fit)
    bench.recorder.reelbench_stage_failed(
        stage=trial.fit, record=finished_record(trial.fit, status="interrupted", error="interrupted")
    )
    bench.ends(interrupted=True)
    assert len(runs_of(store_uri, "fit", "KILLED")) == len(runs_of(store_uri, "suite", "KILLED")) == 1


def test_runs_of_a_killed_bench_become_killed_at_the_next_start(store_uri: str, tmp_path: Path) -> None:
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from records import make_trial
from test_tracking_recorder import Bench
trial = make_trial(Path(sys.argv[2]), write=False)
bench = Bench(sys.argv[1], Path(sys.argv[2]), [trial])
bench.recorder.reelbench_stage_started(stage=trial.fit)
bench.recorder.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code, store_uri, str(tmp_path / "ws")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(runs_of(store_uri, "fit", "RUNNING")) == 1
    record(store_uri, tmp_path / "ws", {})
    (run,) = runs_of(store_uri, "fit", "KILLED")
    assert run.data.tags["rb.error"] == "abandoned: the bench that ran it was killed"
    assert len(runs_of(store_uri, "suite", "KILLED")) == 1
    assert runs_of(store_uri, "fit", "RUNNING") == []


def test_a_run_of_another_machine_is_abandoned_once_its_heartbeat_is_old() -> None:
    tags = {"rb.lease": "elsewhere:7:abc", "rb.heartbeat_ms": "1000000"}
    assert not is_abandoned(tags, 1_000_000 + 9 * 60_000)
    assert is_abandoned(tags, 1_000_000 + 11 * 60_000)
    assert not is_abandoned(
        {"rb.lease": f"{socket.gethostname()}:{os.getppid()}:abc", "rb.heartbeat_ms": "1000000"}, 1_000_001
    )
    assert not is_abandoned({}, 10**13)


def test_results_of_a_bench_whose_server_is_away_are_sent_by_the_next(
    store_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    said, (trial,) = record(f"http://me:secret@127.0.0.1:{port}", tmp_path / "ws", {})
    later = make_trial(tmp_path / "ws", seed=1, write=False)
    assert len(said) == 1
    assert "secret" not in said[0]
    assert "sent later" in said[0]
    assert all(StageFolder(tmp_path / "ws", s.kind, s.fingerprint).finished for s in trial.stages)
    bench = Bench(store_uri, tmp_path / "ws", [later])
    bench.recorder.flush()
    assert [r.data.tags["rb.fingerprint.score"] for r in runs_of(store_uri, "trial")] == [
        trial.score.fingerprint
    ]
    bench.ends()
    assert len(runs_of(store_uri, "fit")) == len(runs_of(store_uri, "trial")) == 1


def test_an_edited_method_supersedes_its_older_rows_and_going_back_restores_them(
    store_uri: str, tmp_path: Path
) -> None:
    _, (*old, other) = record(store_uri, tmp_path / "ws", {"seed": 0}, {"seed": 1}, {"method": "vse"})
    assert {r.data.tags["rb.superseded"] for r in runs_of(store_uri, "trial")} == {"false"}
    record(store_uri, tmp_path / "ws", {"edition": "second"})
    counted = {
        (r.data.tags["rb.method"], r.data.tags["rb.family"]): r.data.tags["rb.superseded"]
        for kind in ("trial", "fit")
        for r in runs_of(store_uri, kind)
    }
    assert sorted(counted.values()) == ["false"] * 4 + ["true"] * 2
    assert counted["jsfusion", old[0].score.family] == counted["jsfusion", old[0].fit.family] == "true"
    back = Bench(store_uri, tmp_path / "ws", old)
    back.ends()
    again = {
        r.data.tags["rb.family"]
        for r in runs_of(store_uri, "trial")
        if r.data.tags["rb.superseded"] == "false"
    }
    assert again == {old[0].score.family, other.score.family}


def test_a_plan_that_finished_nothing_supersedes_nothing(store_uri: str, tmp_path: Path) -> None:
    record(store_uri, tmp_path / "ws", {})
    Bench(store_uri, tmp_path / "ws", [make_trial(tmp_path / "ws", edition="second", write=False)]).ends()
    assert {r.data.tags["rb.superseded"] for r in runs_of(store_uri, "trial")} == {"false"}


def test_two_benches_that_finish_one_trial_count_once(store_uri: str, tmp_path: Path) -> None:
    record(store_uri, tmp_path / "one", {})
    assert record(store_uri, tmp_path / "two", {})[0] == []
    (run,) = runs_of(store_uri, "trial")
    (duplicate,) = runs_of(store_uri, "trial", "KILLED")
    assert duplicate.data.tags["rb.duplicate_of"] == run.info.run_id
    assert len(runs_of(store_uri, "fit")) == 1


def test_two_benches_that_finish_one_trial_at_the_same_moment_count_once(
    store_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunWriter, "_counted_twin", lambda *_: None)  # neither sees the other's run finished
    record(store_uri, tmp_path / "one", {})
    record(store_uri, tmp_path / "two", {})
    for kind in ("fit", "trial"):
        (run,), (duplicate,) = runs_of(store_uri, kind), runs_of(store_uri, kind, "KILLED")
        assert duplicate.data.tags["rb.duplicate_of"] == run.info.run_id


def test_unequal_predictions_of_one_fingerprint_are_an_error(store_uri: str, tmp_path: Path) -> None:
    record(store_uri, tmp_path / "one", {})
    said, _ = record(store_uri, tmp_path / "two", {"examples": 6})
    (failed,) = runs_of(store_uri, "trial", "FAILED")
    assert "differ from those of run" in failed.data.tags["rb.error"]
    assert len(runs_of(store_uri, "trial")) == 1
    assert any("differ from those of run" in line for line in said)


def test_what_the_store_has_is_cleared_from_the_workspace(store_uri: str, tmp_path: Path) -> None:
    record(store_uri, tmp_path / "ws", {})
    assert list((tmp_path / "ws" / "stages").rglob("*.json")) == []


def test_a_password_in_the_stores_address_is_recorded_nowhere(store_uri: str, tmp_path: Path) -> None:
    trial = make_trial(tmp_path / "ws", write=False)
    bench = Bench(store_uri, tmp_path / "ws", [trial], address="postgresql://me:secret@db/ml")
    failure = finished_record(
        trial.fit,
        status="failed",
        error="cannot reach http://me:secret@host",
        traceback="http://me:secret@host",
    )
    bench.recorder.reelbench_stage_failed(stage=trial.fit, record=failure)
    bench.ends()
    (suite,), (fit,) = runs_of(store_uri, "suite"), runs_of(store_uri, "fit", "FAILED")
    told = [
        artifact(store_uri, suite, "manifest.json"),
        artifact(store_uri, fit, "record.json"),
        suite.data.tags,
        fit.data.tags,
    ]
    assert "secret" not in json.dumps(told)
    assert "postgresql://***@db/ml" in json.dumps(told)
