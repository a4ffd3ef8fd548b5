"""MLflow's runs as trials: finished, not superseded, equal fingerprints counted once."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.benchmarks import Benchmark, matches
from reelbench.errors import TrackingError, UnknownNameError
from reelbench.reports.editions import made_good
from reelbench.resampling import REPLICATES
from reelbench.tracking.reading import RunReader, RunRow
from reelbench.tracking.store import FITS, SUITES, is_missing, local_path, redact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ELSEWHERE = "elsewhere"
FINISHED, LOST = "FINISHED", ("FAILED", "KILLED")
"""States of a run in MLflow: one that goes on is neither."""
Mark = list[int] | str | None
_COUNTS = {"rb.superseded": "false"}


@dataclass(frozen=True)
class Trial:
    """One run of a trial.

    Attributes
    ----------
    metrics
        Name → value, as fractions, without the ``test/`` of MLflow.
    status
        ``FINISHED``, ``FAILED``, ``KILLED`` or ``RUNNING``.
    digest
        Another where anything of its run changed.
    opened
        The artifacts that were asked for so far, with the mark that each had before it was read.
    """

    run_id: str
    status: str
    started_ms: int
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    artifact_uri: str
    _reader: RunReader = field(repr=False, compare=False)
    digest: str = field(default="", repr=False, compare=False)
    opened: dict[str, Mark] = field(default_factory=dict, repr=False, compare=False)

    @property
    def benchmark(self) -> str:
        """Canonical name."""
        return self.tags["rb.benchmark"]

    @property
    def label(self) -> str:
        """What the seeds of a row share."""
        return self.tags["rb.label"]

    @property
    def seed(self) -> int:
        """−1 for ceilings."""
        return int(self.tags["rb.seed"])

    @property
    def is_finished(self) -> bool:
        """Whether it has a result."""
        return self.status == FINISHED

    @property
    def is_lost(self) -> bool:
        """Whether it ended without one."""
        return self.status in LOST

    @property
    def is_scored(self) -> bool:
        """Whether it came as far as its score stage; a failed prediction did not, and has another family."""
        return "rb.fingerprint.score" in self.tags

    @property
    def error(self) -> str:
        """Why it failed; empty if it did not."""
        return self.tags.get("rb.error", "" if self.status != "KILLED" else "killed before it finished")

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """The score record, from the run's artifacts; empty where it is gone or damaged."""
        found = self._json("record.json")
        return found if isinstance(found, dict) else {}

    @cached_property
    def examples(self) -> list[dict[str, Any]]:
        """Best, worst and typical examples; empty where there are none."""
        found = self._json("examples.json")
        return [e for e in found if isinstance(e, dict) and "id" in e] if isinstance(found, list) else []

    def replicates(self, metrics: Collection[str] | None = None) -> dict[str, NDArray[np.float32]]:
        """Metric → its value in each draw of the test set's clusters; empty where there are none. Of all metrics, or of some; not kept."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.file(f"sheet/{REPLICATES}"), "numpy") as file:
                names = set(file.keys())
                wanted = names if metrics is None else names.intersection(metrics)
                return {name: file.get_tensor(name) for name in sorted(wanted)}
        except (OSError, SafetensorError, TrackingError):
            return {}

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self.file(name).read_text(encoding="utf-8"))
        except (OSError, ValueError, TrackingError):
            return None

    def file(self, name: str) -> Path:
        """An artifact on this machine's disk, fetched if it is elsewhere."""
        if path := self.local(name):
            self.opened.setdefault(name, self.mark(name))
            return path
        try:
            path = self._reader.download(self.run_id, name)
        except TrackingError:
            self.opened[name] = None  # what is made without it must not be taken for what is made with it
            raise
        self.opened.setdefault(name, ELSEWHERE)
        return path

    def local(self, name: str) -> Path | None:
        """Where an artifact is, or should be, on this machine's disk; ``None`` for one that is elsewhere."""
        return None if self._folder is None else Path(self._folder, name)

    def mark(self, name: str) -> Mark:
        """Size and time of change of an artifact, by which one that was replaced is told; ``None`` where it is not there.

        One that is elsewhere has none: it is taken to be as it was as long as its run is; to compare it is to fetch it.
        """
        if self._folder is None:
            return ELSEWHERE
        try:
            told = os.stat(f"{self._folder}/{name}")
        except OSError:
            return None
        return [told.st_size, told.st_mtime_ns]

    @cached_property
    def _folder(self) -> str | None:
        return local_path(self.artifact_uri)


@dataclass(frozen=True)
class Results:
    """The trials of a store, by benchmark."""

    trials: tuple[Trial, ...]
    uri: str
    failed_fits: tuple[Trial, ...] = ()
    suites: tuple[RunRow, ...] = ()
    contradictions: tuple[str, ...] = ()

    def benchmarks(self) -> list[str]:
        """Names, those of one dataset together."""
        names = {t.benchmark for t in self.trials}
        return sorted(names, key=lambda name: (name.partition("@")[2].partition(":")[0], name))

    def of(self, benchmark: str) -> list[Trial]:
        """The trials of one benchmark."""
        return self._of.get(benchmark, [])

    @cached_property
    def _of(self) -> Mapping[str, list[Trial]]:
        found: dict[str, list[Trial]] = {}
        for trial in self.trials:
            found.setdefault(trial.benchmark, []).append(trial)
        return found


def load(uri: str, benchmarks: Sequence[str] = ()) -> Results:
    """Read a store.

    Raises
    ------
    TrackingError
        If it cannot be reached, or holds no trial of these benchmarks.
    """
    if is_missing(uri):
        raise TrackingError(f"there is no store at {redact(uri)}; run a suite first, or give --store")
    reader = RunReader(uri)
    experiments = reader.experiments()
    wanted = {
        name: i
        for name, i in experiments.items()
        if "@" in name and is_chosen(name.removeprefix("reelbench/"), benchmarks)
    }
    found = [
        _trial(run, reader) for run in reader.runs(list(wanted.values()), {"rb.kind": "trial"} | _COUNTS)
    ]
    trials = tuple(unique(found))
    if not wanted and benchmarks:
        raise UnknownNameError(
            "benchmark",
            benchmarks[0],
            [n.partition("/")[2] for n in experiments if "@" in n],
            "(in this store)",
        )
    if not trials:
        raise TrackingError(
            f"{redact(uri)} has no trials{' of ' + ', '.join(benchmarks) if benchmarks else ''}; run a suite first"
        )
    return Results(
        trials,
        redact(uri),
        _failed_fits(reader, _there(experiments, FITS)),
        tuple(reader.runs(_there(experiments, SUITES), {})),
        tuple(_contradictions(found)),
    )


def _there(experiments: Mapping[str, str], name: str) -> list[str]:
    """The id of an experiment, or none."""
    return [experiments[name]] if name in experiments else []


def _failed_fits(reader: RunReader, experiment: Sequence[str]) -> tuple[Trial, ...]:
    """Fits that failed or were killed and that no later one made good, newest first."""
    fits = [_trial(run, reader) for run in reader.runs(experiment, {"rb.kind": "fit"} | _COUNTS)]
    finished = [f for f in fits if f.is_finished]
    done = {f.tags.get("rb.fingerprint.fit") for f in finished}
    failed: dict[str, Trial] = {}
    for fit in (f for f in fits if f.is_lost):
        fingerprint = fit.tags.get("rb.fingerprint.fit", fit.run_id)
        if fingerprint not in done:
            failed.setdefault(fingerprint, fit)
    mended = made_good(failed.values(), finished)
    return tuple(f for f in failed.values() if f.run_id not in mended)


def is_chosen(name: str, patterns: Sequence[str]) -> bool:
    """Whether a benchmark's name meets one of the patterns, or there are none."""
    return not patterns or any(fnmatchcase(name, p) or matches(p, Benchmark.parse(name)) for p in patterns)


def _trial(run: RunRow, reader: RunReader) -> Trial:
    metrics = {
        name.removeprefix("test/"): value for name, value in run.metrics.items() if name.startswith("test/")
    }
    return Trial(
        run.run_id, run.status, run.started_ms, run.tags, metrics, run.artifact_uri, reader, run.digest
    )


def _contradictions(trials: Sequence[Trial]) -> Iterator[str]:
    """A line for each fingerprint whose finished runs have different predictions."""
    digests: dict[str, dict[str, Trial]] = {}
    for trial in (t for t in trials if t.is_finished):
        digests.setdefault(trial.tags.get("rb.fingerprint.score", trial.run_id), {}).setdefault(
            trial.tags.get("rb.digest", ""), trial
        )
    for fingerprint, several in digests.items():
        if len(several) > 1:
            runs = ", ".join(t.run_id for t in several.values())
            trial = next(iter(several.values()))
            yield f"{trial.label}, seed {trial.seed}, {trial.benchmark}: runs of one fingerprint ({fingerprint[:12]}) have different predictions; the newest is shown ({runs})"


def unique(found: Sequence[Trial]) -> Iterator[Trial]:
    """Newest first: a finished run hides others of its fingerprint, a failed one only older failures.

    A trial whose prediction failed has no fingerprint of a score yet.
    """
    finished = [t for t in found if t.is_finished]
    failed = [t for t in found if t.is_lost]
    mended = made_good(failed, finished)
    predicted = {t.tags.get("rb.fingerprint.predict") for t in finished}
    kept: dict[str, Trial] = {}
    for trial in (*finished, *(t for t in failed if t.run_id not in mended)):
        prediction = trial.tags.get("rb.fingerprint.predict", trial.run_id)
        if trial.is_scored or prediction not in predicted:
            kept.setdefault(_identity(trial, prediction), trial)
    yield from kept.values()


def _identity(trial: Trial, prediction: str) -> str:
    """Trials that share it are one: a fingerprint; of predictions made elsewhere, which may be handed in again, row and seed."""
    if trial.tags.get("rb.role") == "external":
        return f"{trial.benchmark} {trial.label} {trial.seed}"
    return trial.tags.get("rb.fingerprint.score", prediction)
