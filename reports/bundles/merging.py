"""Joins records: trials of other stores or of bundles become runs of one store, equal fingerprints once."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelbench.reports.bundles.opening import Bundle, BundleError
from reelbench.reports.bundles.packing import FILES, REQUIRED, TRIAL
from reelbench.reports.frames import Results, Trial
from reelbench.tracking.store import Store, experiment_name, tracking_errors

FINGERPRINT = "rb.fingerprint.score"


@dataclass(frozen=True)
class Brought:
    """A trial that another record has: its tags and metrics, and its files by their artifact path."""

    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    started_ms: int
    files: Mapping[str, Path]


@dataclass(frozen=True)
class Merged:
    """How many trials a source added, and how many the store had already."""

    added: int
    known: int


def of_store(results: Results) -> Iterator[Brought]:
    """The finished trials of a store."""
    for trial in results.trials:
        if trial.status == "FINISHED" and trial.is_scored:
            yield Brought(trial.tags, trial.metrics, trial.started_ms, _files(trial))


def _files(trial: Trial) -> dict[str, Path]:
    return {name: path for name in FILES if (path := trial.file(name)).exists()}


def of_bundle(bundle: Bundle) -> Iterator[Brought]:
    """The trials of a bundle.

    Raises
    ------
    BundleError
        If the bundle is damaged: nothing of a record that cannot be trusted is taken over.
    """
    if bundle.damaged:
        raise BundleError(
            f"the bundle is damaged ({bundle.damaged[0]}{_more(len(bundle.damaged))}); nothing was merged"
        )
    for line in bundle.manifest["trials"]:
        folder = bundle.folder / str(line["folder"])
        told = json.loads((folder / TRIAL).read_text(encoding="utf-8"))
        tags = {str(k): str(v) for k, v in told["tags"].items() if str(k).startswith("rb.")}
        metrics = {str(k): float(v) for k, v in told["metrics"].items()}
        files = {name: folder / name for name in FILES if (folder / name).is_file()}
        if lacking := [name for name in REQUIRED if name not in files]:
            raise BundleError(f"{line['folder']}: {lacking[0]} is missing")
        yield Brought(tags, metrics, int(told["started_ms"]), files)


def _more(count: int) -> str:
    return f" and {count - 1} more" if count > 1 else ""


def merge(store: Store, brought: Iterable[Brought]) -> Merged:
    """Add what a store lacks. A trial whose fingerprint it has is left as it is."""
    known: dict[str, set[str]] = {}
    added = old = 0
    for trial in brought:
        experiment = store.experiment(experiment_name(trial.tags["rb.benchmark"]))
        if experiment not in known:
            found = store.search([experiment], "attributes.status = 'FINISHED'")
            known[experiment] = {run.data.tags.get(FINGERPRINT, "") for run in found}
        fingerprint = trial.tags[FINGERPRINT]
        if fingerprint in known[experiment]:
            old += 1
            continue
        _add(store, experiment, trial)
        known[experiment].add(fingerprint)
        added += 1
    return Merged(added, old)


def _add(store: Store, experiment: str, trial: Brought) -> None:
    """One run, FINISHED last."""
    from mlflow.entities import Metric

    name = f"{trial.tags['rb.label'].partition('#')[0]} s{trial.tags['rb.seed']}"
    tags: dict[str, Any] = {
        k: v for k, v in trial.tags.items() if k.startswith("rb.") and k not in ("rb.lease", "rb.fit_runs")
    }
    with tracking_errors(store.uri), tempfile.TemporaryDirectory() as spare:
        run = store.client.create_run(experiment, start_time=trial.started_ms, tags=tags, run_name=name)
        for place, path in trial.files.items():
            target = Path(spare) / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        store.client.log_artifacts(run.info.run_id, spare)
        metrics = [Metric(f"test/{k}", v, trial.started_ms, 0) for k, v in trial.metrics.items()]
        store.client.log_batch(run.info.run_id, metrics)
        store.client.set_terminated(run.info.run_id, "FINISHED")
