"""Trials without a store, for tests of what tables say: only the files that a trial's run has, and scores chosen by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from synthetic import BENCHMARK, SPECS

from reelbench.reports.frames import Results, Trial, unique
from reelbench.reports.leaderboard import Board, Row, boards
from reelbench.resampling import save_replicates

METRIC, CLUSTERS, DRAWS = "recall_at_1", 20, 100
Values = Sequence[float]


def noise(name: str) -> NDArray[np.float64]:
    """What draws of the test set do to a row: a part that all rows share, a smaller one of its own."""
    shared, own = np.random.default_rng(0), np.random.default_rng(list(name.encode()))
    return shared.normal(0, 0.03, DRAWS) + own.normal(0, 0.01, DRAWS)


class Trials:
    """Trials of one benchmark as a store would give them, newest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: list[Trial] = []

    def row(self, method: str, values: Values, *, tags: Mapping[str, str] | None = None, **told: Any) -> None:
        """A trial a seed; ``told`` as :meth:`trial` takes it."""
        for seed, value in enumerate(values):
            self.trial(method, seed, {METRIC: value}, tags=tags, **told)

    def trial(
        self, method: str, seed: int, metrics: Mapping[str, float], *, status: str = "FINISHED", draws: NDArray[np.float64] | None = None,
        tags: Mapping[str, str] | None = None, started_ms: int = 1, **record: Any,
    ) -> Trial:  # fmt: skip
        """One trial; ``draws`` are added to each metric's value in each resample, ``record`` to its record."""
        run = f"{method}-{seed}-{len(self.found)}"
        naming = _naming(method, seed) | dict(tags or {})
        naming["rb.fingerprint.score"] = fingerprint_of(naming["rb.label"], seed)
        if status == "FINISHED":
            _write(self.folder / run, metrics, noise(method) if draws is None else draws, record)
        found = Trial(run, status, started_ms, naming, metrics, str(self.folder / run), None)  # type: ignore[arg-type]
        self.found.append(found)
        return found

    def board(self) -> Board:
        """The table of these trials."""
        return board_of(self.found)


def board_of(trials: Sequence[Trial]) -> Board:
    """The table of trials that a store gave in this order."""
    (board,) = boards(Results(tuple(unique(trials)), "memory"))
    return board


def fingerprint_of(label: str, seed: int) -> str:
    """Of the trial of a row's seed."""
    return f"{label} {seed}"


def row_of(board: Board, method: str) -> Row:
    """The method's only row."""
    (row,) = (row for row in board.rows if row.tag("method") == method)
    return row


def _naming(method: str, seed: int) -> dict[str, str]:
    names = {
        "kind": "trial", "method": method, "title": method.capitalize(), "role": "method", "variant": "full", "recipe": "match", "preset": "tiny",
        "features": "frames", "section": "frames", "seed": str(seed), "benchmark": BENCHMARK, "dataset": "microworld/small", "family": method,
        "label": f"{method}/full/match/tiny/frames#{method}",
    }  # fmt: skip
    return {f"rb.{name}": value for name, value in names.items()}


def _write(
    folder: Path, metrics: Mapping[str, float], draws: NDArray[np.float64], told: Mapping[str, Any]
) -> None:
    record = {
        "metric_specs": [s for s in SPECS if s["name"] == METRIC], "examples": 60, "clusters": CLUSTERS, "clusters_digest": "c0ffee",
        "deterministic": False, "floor": False,
    }  # fmt: skip
    (folder / "sheet").mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps(record | dict(told)))
    replicates = {name: (value + draws).astype(np.float32) for name, value in metrics.items()}
    save_replicates(replicates, folder / "sheet")
