"""Joins records: trials of other stores or of bundles become runs of one store, equal fingerprints once."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelbench.errors import ReelbenchError
from reelbench.reports.bundles.agreement import disagreements, told_of
from reelbench.reports.bundles.opening import Bundle, BundleError
from reelbench.reports.bundles.packing import FILES, REQUIRED
from reelbench.reports.frames import Results, Trial
from reelbench.tracking.store import Store, experiment_name, tracking_errors

FINGERPRINT = "rb.fingerprint.score"


class MergeError(ReelbenchError):
    """A trial that no record may take over."""

    exit_code = 8


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
        If the bundle is damaged or contradicts itself: nothing of a record that cannot be trusted is taken over.
    """
    if bundle.damaged:
        raise BundleError(
            f"the bundle is damaged ({bundle.damaged[0]}{_more(len(bundle.damaged))}); nothing was merged"
        )
    for listed in bundle.trials:
        told = told_of(listed)
        if wrong := list(disagreements(told)):
            raise BundleError(
                f"{listed.folder.name}, {listed.label}, seed {listed.seed}: {wrong[0]}{_more(len(wrong))}; nothing was merged"
            )
        files = {name: listed.folder / name for name in FILES if (listed.folder / name).is_file()}
        if lacking := [name for name in REQUIRED if name not in files]:
            raise BundleError(f"{listed.folder.name}: {lacking[0]} is missing; nothing was merged")
        yield Brought(told.tags, told.metrics, told.started_ms, files)


def _more(count: int) -> str:
    return f" and {count - 1} more" if count > 1 else ""


def merge(store: Store, brought: Iterable[Brought]) -> Merged:
    """Add what a store lacks. A trial whose fingerprint it has is left as it is.

    Raises
    ------
    MergeError
        If a metric is not finite; nothing is added then.
    """
    trials = list(brought)
    for trial in trials:
        _check_finite(trial)
    known: dict[str, set[str]] = {}
    added = old = 0
    for trial in trials:
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


def _check_finite(trial: Brought) -> None:
    for name, value in trial.metrics.items():
        if not math.isfinite(value):
            raise MergeError(
                f"{trial.tags['rb.benchmark']}, {trial.tags['rb.label']}, seed {trial.tags['rb.seed']}: {name} is {value}; nothing was merged"
            )


def _add(store: Store, experiment: str, trial: Brought) -> None:
    """One run, FINISHED last."""
    from mlflow.entities import Metric

    started_ms = max(0, min(trial.started_ms, int(time.time() * 1000)))  # the newest run of a row is shown
    name = f"{trial.tags['rb.label'].partition('#')[0]} s{trial.tags['rb.seed']}"
    tags: dict[str, Any] = {
        k: v for k, v in trial.tags.items() if k.startswith("rb.") and k not in ("rb.lease", "rb.fit_runs")
    }
    with tracking_errors(store.uri), tempfile.TemporaryDirectory() as spare:
        run = store.client.create_run(experiment, start_time=started_ms, tags=tags, run_name=name)
        for place, path in trial.files.items():
            target = Path(spare) / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        store.client.log_artifacts(run.info.run_id, spare)
        metrics = [Metric(f"test/{k}", v, started_ms, 0) for k, v in trial.metrics.items()]
        store.client.log_batch(run.info.run_id, metrics)
        store.client.set_terminated(run.info.run_id, "FINISHED")
