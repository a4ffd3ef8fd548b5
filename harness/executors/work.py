"""What running one stage means, wherever it runs: resolve its names, do it, keep its record."""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.errors import ReelbenchError
from reelbench.executors import Job, Surroundings
from reelbench.fingerprints import versions_of
from reelbench.placing import place_of
from reelbench.registry import Registry, build_registry
from reelbench.stages import METHODLESS, Emit, write_json

if TYPE_CHECKING:
    from reelbench.dataset import Dataset

NAMING = (
    "method", "title", "role", "variant", "recipe", "preset", "dataset", "features", "section", "seed", "deterministic", "floor",
    "label", "family", "fingerprint", "compatible", "precision", "config", "origins", "phases", "benchmark", "task", "protocol", "split", "data", "settings", "ensemble",
)  # fmt: skip
RECORDED_VERSIONS = ("reelbench", "torch", "numpy", "scipy", "lightning-fabric", "pycocoevalcap", "mlflow")
_INTERRUPTED = {"status": "interrupted", "error": "interrupted; run the same command again to resume"}


@dataclass
class Workbench:
    """One process's plugins and opened datasets, kept from job to job."""

    surroundings: Surroundings
    registry: Registry = field(init=False)
    _datasets: dict[str, Dataset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.registry = build_registry(self.surroundings.plugins, blocked=self.surroundings.blocked)

    def open_dataset(self, name: str) -> Dataset:
        """The opened dataset of that name, with its size."""
        if name not in self._datasets:
            self._datasets[name] = open_dataset(self.registry, name, self.surroundings)
        return self._datasets[name]


def open_dataset(registry: Registry, name: str, surroundings: Surroundings) -> Dataset:
    """Open a dataset by its full name."""
    source = registry.dataset_source(name)
    path = name.partition("/")[2]
    return source.open(path, data_dir=surroundings.data_dir, cache_dir=surroundings.cache_dir)


def execute(job: Job, bench: Workbench, emit: Emit, worker: str) -> dict[str, Any]:
    """Run a stage and return its record; a failure is a record too.

    The record is written to ``record.json`` only when the stage finished; a failure to ``failure.json``.
    """
    started = time.time()
    job.folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome: dict[str, Any] = {"status": "finished", **_STAGES[job.kind](job, bench, emit)}
    except KeyboardInterrupt:
        outcome = dict(_INTERRUPTED)
    except Exception as error:
        text = str(error) if isinstance(error, ReelbenchError) else " ".join(str(error).split())
        outcome = {
            "status": "failed",
            "error": f"{type(error).__name__}: {text}{_place(error, job, bench)}",
            "traceback": traceback.format_exc(),
        }
    record = _shared_fields(job, started, worker) | outcome
    _keep(job.folder, record)
    return record


def _place(error: Exception, job: Job, bench: Workbench) -> str:
    """Where in a plugin's files it arose. A handled error of a task or dataset is about what it was given, not about its own lines."""
    names, registry = job.spec, bench.registry
    parts: list[Any] = [registry.methods.get(names["method"])]
    if not isinstance(error, ReelbenchError):
        parts.append(registry.tasks.get(names.get("task", "")))
        parts.append(registry.datasets.get(names["dataset"].partition("/")[0]))
    try:
        return place_of(error, [type(part) for part in parts if part])
    except (
        OSError,
        SyntaxError,
    ):  # a file that was edited or moved meanwhile: the traceback still says where
        return ""


def interrupted_job(job: Job, worker: str) -> dict[str, Any]:
    """The record of a job that was handed out and never began."""
    return _shared_fields(job, time.time(), worker) | _INTERRUPTED


def _keep(folder: Path, record: Mapping[str, Any]) -> None:
    if record["status"] == "finished":
        (folder / "failure.json").unlink(missing_ok=True)
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)
        write_json(folder / "record.json", record)
    else:
        write_json(folder / "failure.json", record)


def _shared_fields(job: Job, started: float, worker: str) -> dict[str, Any]:
    ended = time.time()
    return {k: job.spec[k] for k in NAMING if k in job.spec} | {
        "kind": job.kind, "started_ms": round(started * 1000), "ended_ms": round(ended * 1000), "seconds": ended - started,
        "worker": worker, "versions": recorded_versions() | dict(job.spec.get("versions", {})), "hardware": dict(hardware(job.spec["device"])),
    }  # fmt: skip


def _fit(job: Job, bench: Workbench, emit: Emit) -> dict[str, Any]:
    from reelbench.training import run_fit

    names = [u["name"] for u in job.spec["upstream"]]
    upstream = dict(zip(names, job.needs.get("upstream", ()), strict=True))
    method = bench.registry.method(job.spec["method"])
    done = run_fit(
        job.spec,
        method=method,
        open_dataset=bench.open_dataset,
        task_of=bench.registry.task,
        upstream=upstream,
        folder=job.folder,
        emit=emit,
    )
    chain = done["train_seconds"] + sum(read_record(folder)["chain_seconds"] for folder in upstream.values())
    told = [
        up | {"fingerprint": read_record(upstream[up["name"]])["fingerprint"]} for up in job.spec["upstream"]
    ]
    return {"upstream": told, "validation": job.spec["validation"], "chain_seconds": chain, **done}


def _predict(job: Job, bench: Workbench, emit: Emit) -> dict[str, Any]:
    from reelbench.evaluation import run_predict

    spec = job.spec
    method = None if spec["role"] in METHODLESS else bench.registry.method(spec["method"])
    dataset, task = bench.open_dataset(spec["dataset"]), bench.registry.task(spec["task"])
    done = run_predict(
        spec,
        method=method,
        dataset=dataset,
        task=task,
        fits=list(job.needs["fits"]),
        folder=job.folder,
        emit=emit,
    )
    fits = [read_record(folder) for folder in job.needs["fits"]]
    return {
        "relation": spec.get("relation"),
        "fits": [f["fingerprint"] for f in fits],
        "chain_seconds": _sum(fits, "chain_seconds"),
        "chain": _chain(fits),
        **done,
    }


def _chain(fits: list[dict[str, Any]]) -> dict[str, Any]:
    """What a score record says of the fits, kept here so that a mended metric needs no fit."""
    points = fits[0]["curve"] if fits else []
    curve = [p | {"values": {k: v for k, v in p["values"].items() if k.startswith("val/")}} for p in points]
    return {
        "parameters": _sum(fits, "parameters"), "train_seconds": _sum(fits, "chain_seconds"),
        "peak_memory_bytes": max((f["peak_memory_bytes"] for f in fits), default=0), "curve": [p for p in curve if p["values"]],
        "validation": fits[0].get("validation") if fits else [], "upstream": [up["fingerprint"] for f in fits for up in f["upstream"]],
    }  # fmt: skip


def _sum(records: list[dict[str, Any]], name: str) -> Any:
    return sum(record[name] for record in records)


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a finished stage."""
    return dict(json.loads((folder / "record.json").read_text(encoding="utf-8")))


def _score(job: Job, bench: Workbench, emit: Emit) -> dict[str, Any]:
    from reelbench.evaluation import run_score
    from reelbench.evaluation.description import describe_trial

    spec = job.spec
    method = None if spec["role"] in METHODLESS else bench.registry.method(spec["method"])
    dataset, task = bench.open_dataset(spec["dataset"]), bench.registry.task(spec["task"])
    (predictions,) = job.needs["predictions"]
    done = run_score(
        spec, method=method, dataset=dataset, task=task, predictions=predictions, folder=job.folder, emit=emit
    )
    source = bench.registry.dataset_source(spec["dataset"])
    return done | describe_trial(job, read_record(predictions), done, method=method, task=task, source=source)


_STAGES = {"fit": _fit, "predict": _predict, "score": _score}


@cache
def recorded_versions() -> dict[str, str]:
    """Versions that every record carries."""
    return versions_of(RECORDED_VERSIONS) | {"python": platform.python_version()}


@cache
def hardware(device: str) -> tuple[tuple[str, Any], ...]:
    """What a stage ran on."""
    import psutil

    name = platform.processor() or platform.machine()
    if device == "cuda":
        import torch

        name = torch.cuda.get_device_name()
    cores = len(os.sched_getaffinity(0))
    return (
        ("device", device),
        ("name", name),
        ("cores", cores),
        ("memory_bytes", psutil.virtual_memory().total),
    )


def lost_worker(job: Job, worker: str) -> dict[str, Any]:
    """The record of a job whose worker process died under it."""
    error = "WorkerDied: the worker process died (killed, or out of memory); run again to resume, with a smaller batch if memory was short"
    record = _shared_fields(job, time.time(), worker) | {"status": "failed", "error": error, "traceback": ""}
    _keep(job.folder, record)
    return record
