"""Synthetic stages with real files: what a small trial leaves in the workspace, without training anything.

For tests of everything that reads or sends the record (tracking, reports).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from reelbench.fingerprints import Reuse
from reelbench.plan import Plan
from reelbench.predictions import Predictions
from reelbench.resampling import save_replicates
from reelbench.scoring import ScoreSheet
from reelbench.stages import Stage, StageFolder, fit_digest, sheet_digest, write_json
from reelbench.suite import make_suite

METRICS = (
    {"name": "recall_at_1", "title": "R@1", "direction": "higher", "low": 0.0, "high": 1.0, "percent": True, "primary": True, "doc": "first"},
    {"name": "recall_at_5", "title": "R@5", "direction": "higher", "low": 0.0, "high": 1.0, "percent": True, "primary": False, "doc": "first five"},
    {"name": "median_rank", "title": "MedR", "direction": "lower", "low": 1.0, "high": float("inf"), "percent": False, "primary": False, "interval_only": True, "doc": "median rank"},
)  # fmt: skip
VERSIONS = {"reelbench": "0.1.0", "torch": "2.13.0", "python": "3.11.2"}
HARDWARE = {"device": "cpu", "name": "x86_64", "cores": 2, "memory_bytes": 8 << 30}


@dataclass(frozen=True)
class Trial:
    """A fit, its prediction and its score, as stages and as the folders and records they left."""

    fit: Stage
    predict: Stage
    score: Stage
    records: Mapping[str, dict[str, Any]]

    @property
    def stages(self) -> tuple[Stage, Stage, Stage]:
        """In the order in which they run."""
        return self.fit, self.predict, self.score


def sha(*parts: object) -> str:
    """A fingerprint made of anything."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def make_trial(
    workspace: Path, *, method: str = "jsfusion", benchmark: str = "retrieval@microworld/small", seed: int = 0, variant: str = "full",
    recipe: str = "match", preset: str = "tiny", features: Sequence[str] = ("frames", "audio"), metrics: Mapping[str, float] | None = None,
    edition: str = "first", role: str = "method", examples: int = 12, metric_specs: Sequence[Mapping[str, Any]] = METRICS,
    torch: str = "2.13.0", reuse: Reuse = "exact", write: bool = True,
) -> Trial:  # fmt: skip
    """A finished trial in a workspace.

    Parameters
    ----------
    edition
        Stands for the method's source: another edition is another family.
    torch
        The version that the stages are planned and run with.
    reuse
        Whether the stages' fingerprints hold that version.
    write
        Whether to write the stage folders; without, only the stages as a plan has them.
    """
    task, _, rest = benchmark.partition("@")
    dataset, _, protocol = rest.partition(":")
    naming = {
        "method": method, "title": method.replace("-", " ").title(), "role": role, "variant": variant, "recipe": recipe, "preset": preset,
        "dataset": dataset, "features": list(features), "section": "+".join(features), "seed": seed, "deterministic": False,
        "device": "cpu", "precision": "32-true", "versions": {"torch": torch}, "config": {"hidden": 64, "attention": variant == "full"}, "origins": {"hidden": "preset tiny"},
    }  # fmt: skip
    where = {
        "benchmark": benchmark,
        "task": task,
        "protocol": protocol or "clips",
        "split": "test",
        "settings": {"beam": 3},
    }
    row = (edition, method, variant, recipe, preset, features)
    fit = _stage(
        "fit", row, seed, {**naming, "upstream": [], "phases": [{"name": "joint", "epochs": 3}]}, {}, reuse
    )
    predict = _stage("predict", (*row, benchmark), seed, naming | where, {"fits": (fit.fingerprint,)}, reuse)
    score = _stage(
        "score",
        (*row, benchmark),
        seed,
        {**naming, **where, "compatible": predict.spec["compatible"]},
        {"predictions": (predict.fingerprint,)},
        reuse,
    )
    trial = Trial(fit, predict, score, {})
    return (
        replace(
            trial, records=_write(workspace, trial, metrics or _metrics(row, seed), examples, metric_specs)
        )
        if write
        else trial
    )


def make_plan(trials: Sequence[Trial], *, extra: Sequence[Stage] = ()) -> Plan:
    """A plan of these trials' stages, equal ones once."""
    specs = [t.score.spec for t in trials]
    values = {
        "name": "synthetic",
        **{
            k: sorted({s[n] for s in specs})
            for k, n in (("benchmarks", "benchmark"), ("methods", "method"), ("seeds", "seed"))
        },
    }
    suite = make_suite(values, "a test")
    stages = {s.fingerprint: s for s in [*extra, *(s for t in trials for s in t.stages)]}
    return Plan(suite, tuple(stages.values()), ())


def make_predictions(seed: int = 0, *, examples: int = 12) -> Predictions:
    """A sentence and a few scores an example."""
    rng = np.random.default_rng(seed)
    ids = tuple(f"story-{i // 3}/clip-{i % 3}" for i in range(examples))
    columns = {
        "sentence": [f"someone walks {i} times" for i in range(examples)],
        "scores": rng.random((examples, examples)).astype(np.float32),
    }
    return Predictions(ids, columns, gallery_ids=ids)


def curve(points: int = 8, *, start_ms: int = 1_760_000_000_000, best: float = 0.4) -> list[dict[str, Any]]:
    """A fit's curve: a loss that falls, a validation metric that rises."""
    rises = [round(best * (1 - 0.6**i), 4) for i in range(points)]
    return [
        {
            "phase": "joint",
            "step": 10 * i,
            "epoch": i,
            "time_ms": start_ms + 250 * i,
            "values": {"train/loss": 2 / (i + 1), "val/recall_at_1": rises[i]},
        }
        for i in range(points)
    ]


def finished_record(stage: Stage, **fields: Any) -> dict[str, Any]:
    """The fields that every record shares, and the given ones."""
    now = round(time.time() * 1000)
    shared = {
        "kind": stage.kind,
        "status": "finished",
        "started_ms": now - 900,
        "ended_ms": now,
        "seconds": 0.9,
        "worker": "worker-1",
    }
    naming = {k: v for k, v in stage.spec.items() if k not in ("phases", "device", "exact")}
    return {
        **naming,
        **shared,
        "versions": {**VERSIONS, **stage.spec["versions"]},
        "hardware": HARDWARE,
        **fields,
    }


def _stage(
    kind: Any,
    row: tuple[Any, ...],
    seed: int,
    spec: Mapping[str, Any],
    needs: Mapping[str, tuple[str, ...]],
    reuse: Reuse,
) -> Stage:
    exact, compatible = sha(kind, row, spec["versions"]), sha(kind, row)
    family = exact if reuse == "exact" else compatible
    stage = Stage(kind, sha(family, seed), family, spec, needs)
    known = {
        "label": stage.label,
        "family": family,
        "fingerprint": stage.fingerprint,
        "exact": sha(exact, seed),
    }
    made_of = spec.get("compatible", {})
    return replace(stage, spec={**spec, **known, "compatible": {**made_of, kind: sha(compatible, seed)}})


def _metrics(row: tuple[Any, ...], seed: int) -> dict[str, float]:
    rng = np.random.default_rng(int(sha(row, seed)[:8], 16))
    recall = float(rng.uniform(0.1, 0.5))
    return {
        "recall_at_1": recall,
        "recall_at_5": min(1.0, recall * 1.6),
        "median_rank": float(rng.integers(5, 30)),
    }


def _write(
    workspace: Path,
    trial: Trial,
    metrics: Mapping[str, float],
    examples: int,
    specs: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    folders = {s.kind: StageFolder(workspace, s.kind, s.fingerprint) for s in trial.stages}
    seed = trial.fit.spec["seed"]
    fitted = write_fit(folders["fit"], trial.fit)
    predicted = _write_predict(folders["predict"], trial.predict, fitted, seed, examples)
    scored = _write_score(folders["score"], trial.score, fitted, predicted, metrics, specs)
    return {"fit": fitted, "predict": predicted, "score": scored}


def write_fit(folder: StageFolder, stage: Stage) -> dict[str, Any]:
    """A fit's folder: weights, assets and record."""
    rng = np.random.default_rng(stage.spec["seed"])
    folder.path.mkdir(parents=True, exist_ok=True)
    save_file({"layer.weight": rng.random((4, 8)).astype(np.float32)}, folder.path / "weights-0.safetensors")
    save_file({}, folder.path / "assets.safetensors")
    write_json(folder.path / "assets.json", {"words": ["a", "b"]})
    record = finished_record(
        stage, phases=list(stage.spec["phases"]), upstream=[], parameters=9000, trainable_parameters=9000, train_seconds=12.5, chain_seconds=12.5,
        overhead_seconds=0.4, examples_per_second=800.0, steps=70, peak_memory_bytes=400 << 20, resumed=0, curve=curve(), digest=fit_digest(folder.path),
    )  # fmt: skip
    folder.finish(record)
    return record


def _write_predict(
    folder: StageFolder, stage: Stage, fitted: Mapping[str, Any], seed: int, examples: int
) -> dict[str, Any]:
    predictions = make_predictions(seed, examples=examples)
    predictions.save(folder.path)
    chain = {
        "parameters": 9000,
        "train_seconds": 12.5,
        "peak_memory_bytes": 400 << 20,
        "curve": _validation(fitted["curve"]),
    }
    record = finished_record(
        stage, relation=None, fits=[fitted["fingerprint"]], chain=chain, chain_seconds=12.5, predict_seconds=0.8, examples=examples,
        examples_per_second=15.0, peak_memory_bytes=300 << 20, rescorable=True, digest=predictions.digest(),
    )  # fmt: skip
    folder.finish(record)
    return record


def _write_score(
    folder: StageFolder,
    stage: Stage,
    fitted: Mapping[str, Any],
    predicted: Mapping[str, Any],
    metrics: Mapping[str, float],
    specs: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    ids = make_predictions(examples=predicted["examples"]).ids
    sheet = ScoreSheet.build(ids, {i: i.partition("/")[0] for i in ids}, {"rank": np.arange(1, len(ids) + 1)})
    sheet.save(folder.path)
    save_replicates({"recall_at_1": np.zeros(4, np.float32)}, folder.path)
    write_json(
        folder.path / "examples.json",
        [
            {
                "id": ids[0],
                "pick": "best",
                "score": 1.0,
                "show": {"query": "someone <walks>"},
                "strip": "strips/best-0.jpg",
                "cluster": "story-0",
            }
        ],
    )
    (folder.path / "strips").mkdir(exist_ok=True)
    (folder.path / "strips" / "best-0.jpg").write_bytes(b"\xff\xd8\xff\xd9")
    record = finished_record(
        stage, metrics=dict(metrics), metric_specs=[dict(m) for m in specs], examples=len(ids), clusters=len(sheet.cluster_names), evaluation_info={},
        fingerprints={"predict": predicted["fingerprint"], "score": stage.fingerprint, "fits": [fitted["fingerprint"]]},
        predictions_digest=predicted["digest"], curve=_validation(fitted["curve"]), task_title="Retrieval", task_summary="Find the clip.",
        protocol_doc="one clip a story", summary="Fuses jointly.", departures="", score_seconds=0.1, digest=sheet_digest(folder.path),
        cost={"parameters": 9000, "train_seconds": 12.5, "predict_seconds": 0.8, "score_seconds": 0.1, "examples_per_second": 15.0, "peak_memory_bytes": 400 << 20},
    )  # fmt: skip
    folder.finish(record)
    return record


def _validation(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**p, "values": {k: v for k, v in p["values"].items() if k.startswith("val/")}} for p in points]
