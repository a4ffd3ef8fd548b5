"""Joins records: trials of other stores or of bundles become runs of one store, equal fingerprints once."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelbench.errors import ReelbenchError
from reelbench.reports.bundles.agreement import disagreements, first_of, told_of
from reelbench.reports.bundles.failing import travelling
from reelbench.reports.bundles.opening import Bundle, BundleError
from reelbench.reports.bundles.packing import FILES, REQUIRED
from reelbench.reports.frames import FINISHED, Results, Trial
from reelbench.tracking.store import FITS, Store, experiment_name, tracking_errors

FINGERPRINTS = ("rb.fingerprint.score", "rb.fingerprint.predict", "rb.fingerprint.fit")
"""A run's own is the first that it has."""


class MergeError(ReelbenchError):
    """A trial that no record may take over."""

    exit_code = 8


@dataclass(frozen=True)
class Brought:
    """A trial that another record has: its tags and metrics, and its files by their artifact path.

    One that failed, or a fit that did, has tags alone.
    """

    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    started_ms: int
    files: Mapping[str, Path]
    status: str = FINISHED

    @property
    def identity(self) -> tuple[object, ...]:
        """Runs that share it are one."""
        return _identity(self.status, self.tags, self.started_ms)


@dataclass(frozen=True)
class Merged:
    """How many trials a source added, how many the store had already, and the same of failures."""

    added: int
    known: int
    failures_added: int = 0
    failures_known: int = 0

    @property
    def told(self) -> str:
        """In one line."""
        line = f"{self.added} trials added, {self.known} known already"
        if self.failures_added or self.failures_known:
            line += f"; {self.failures_added} failures added, {self.failures_known} known already"
        return line


def of_store(results: Results) -> Iterator[Brought]:
    """The trials of a store, and the fits that failed."""
    for trial in (*results.trials, *results.failed_fits):
        if not trial.is_finished:
            yield Brought(trial.tags, {}, trial.started_ms, {}, trial.status)
        elif trial.is_scored:
            yield Brought(trial.tags, trial.metrics, trial.started_ms, _files(trial))


def _files(trial: Trial) -> dict[str, Path]:
    return {name: path for name in FILES if (path := trial.file(name)).exists()}


def of_bundle(bundle: Bundle) -> Iterator[Brought]:
    """The trials of a bundle, and its failures.

    Raises
    ------
    BundleError
        If the bundle is damaged or contradicts itself: nothing of a record that cannot be trusted is taken over.
    """
    if bundle.damaged:
        raise BundleError(f"the bundle is damaged ({first_of(bundle.damaged)}); nothing was merged")
    for listed in bundle.trials:
        told = told_of(listed)
        if wrong := list(disagreements(told)):
            raise BundleError(
                f"{listed.folder.name}, {listed.label}, seed {listed.seed}: {first_of(wrong)}; nothing was merged"
            )
        files = {name: listed.folder / name for name in FILES if (listed.folder / name).is_file()}
        if lacking := [name for name in REQUIRED if name not in files]:
            raise BundleError(f"{listed.folder.name}: {lacking[0]} is missing; nothing was merged")
        yield Brought(told.tags, told.run_metrics, told.started_ms, files)
    for failed in bundle.failures:
        yield Brought(failed.tags, {}, failed.started_ms, {}, failed.status)


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
    known: dict[str, set[tuple[object, ...]]] = {}
    counts: Counter[tuple[bool, bool]] = Counter()
    for trial in trials:
        experiment = store.experiment(_experiment(trial))
        if experiment not in known:
            known[experiment] = _known(store, experiment)
        is_new = trial.identity not in known[experiment]
        if is_new:
            _add(store, experiment, trial)
            known[experiment].add(trial.identity)
        counts[trial.status == FINISHED, is_new] += 1
    return Merged(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def _experiment(trial: Brought) -> str:
    return FITS if trial.tags.get("rb.kind") == "fit" else experiment_name(trial.tags["rb.benchmark"])


def _known(store: Store, experiment: str) -> set[tuple[object, ...]]:
    found = store.search([experiment], "attributes.status != 'RUNNING'")
    return {_identity(run.info.status, run.data.tags, run.info.start_time) for run in found}


def _identity(status: str, tags: Mapping[str, str], started_ms: int) -> tuple[object, ...]:
    """A result is known by its fingerprint; a failure by its time and error too, so that no order of sources hides a later one."""
    fingerprint = next((tags[name] for name in FINGERPRINTS if name in tags), "")
    return (fingerprint,) if status == FINISHED else (fingerprint, started_ms, tags.get("rb.error", ""))


def _check_finite(trial: Brought) -> None:
    for name, value in trial.metrics.items():
        if not math.isfinite(value):
            raise MergeError(
                f"{trial.tags['rb.benchmark']}, {trial.tags['rb.label']}, seed {trial.tags['rb.seed']}: {name} is {value}; nothing was merged"
            )


def _add(store: Store, experiment: str, trial: Brought) -> None:
    """One run, its status last."""
    from mlflow.entities import Metric

    started_ms = max(0, min(trial.started_ms, int(time.time() * 1000)))  # the newest run of a row is shown
    name = f"{trial.tags['rb.label'].partition('#')[0]} s{trial.tags['rb.seed']}"
    tags = dict[str, Any](travelling(trial.tags))
    with tracking_errors(store.uri), tempfile.TemporaryDirectory() as spare:
        run = store.client.create_run(experiment, start_time=started_ms, tags=tags, run_name=name)
        for place, path in trial.files.items():
            target = Path(spare) / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        if trial.files:
            store.client.log_artifacts(run.info.run_id, spare)
        metrics = [Metric(f"test/{k}", v, started_ms, 0) for k, v in trial.metrics.items()]
        store.client.log_batch(run.info.run_id, metrics)
        store.client.set_terminated(run.info.run_id, trial.status)
