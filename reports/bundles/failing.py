"""Seeds that failed, as a bundle's manifest lists them: without them "2 of 3 seeds" would become "2" wherever it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelbench.reports.frames import LOST

if TYPE_CHECKING:
    from reelbench.reports.frames import Results, Trial
    from reelbench.reports.leaderboard import Board

_OF_ITS_STORE = ("rb.lease", "rb.fit_runs", "rb.heartbeat_ms", "rb.progress")
_REQUIRED = {"fit": ("rb.label", "rb.seed"), "trial": ("rb.label", "rb.seed", "rb.benchmark")}


@dataclass(frozen=True)
class Failed:
    """A trial or a fit without a result: its tags say which, and ``rb.error`` why."""

    status: str
    started_ms: int
    tags: Mapping[str, str]


def failures(results: Results, boards: Sequence[Board]) -> Iterator[Failed]:
    """What the boards' tables count as lost: failed trials, and fits that failed on their datasets."""
    benchmarks = {board.benchmark for board in boards}
    datasets = {t.tags.get("rb.dataset") for board in boards for row in board.rows for t in row.trials}
    trials = (t for t in results.trials if not t.is_finished and t.benchmark in benchmarks)
    fits = (fit for fit in results.failed_fits if fit.tags.get("rb.dataset") in datasets)
    yield from (_failed(run) for run in (*trials, *fits))


def _failed(run: Trial) -> Failed:
    return Failed(run.status, run.started_ms, travelling(run.tags))


def travelling(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that mean something in another store."""
    return {k: v for k, v in tags.items() if k.startswith("rb.") and k not in _OF_ITS_STORE}


def fault(line: Any) -> str:
    """What is wrong with a manifest's line of a failure; empty where nothing is."""
    if not isinstance(line, dict):
        return f"is a {type(line).__name__}, expected an object"
    status, started, tags = line.get("status"), line.get("started_ms"), line.get("tags")
    if status not in LOST:
        return f"has status {status!r}, expected FAILED or KILLED"
    if not isinstance(started, int) or isinstance(started, bool):
        return "has no started_ms"
    if not isinstance(tags, dict) or not all(isinstance(v, str) for v in tags.values()):
        return "has no tags (texts by their names)"
    if (kind := tags.get("rb.kind", "")) not in _REQUIRED:
        return f"is of kind {kind!r}, expected a trial or a fit"
    if lacking := [name for name in _REQUIRED[kind] if name not in tags]:
        return f"has no tag {lacking[0]}"
    return "" if tags["rb.seed"].removeprefix("-").isdecimal() else f"has the seed {tags['rb.seed']!r}"
