"""A benchmark's trials as a table: seeds pooled into rows, rows in bands and sections, best first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import mean, stdev
from typing import Any

from reelbench.reports.frames import Results, Trial

BANDS = ("method", "baseline", "external", "ceiling")


@dataclass(frozen=True)
class Cell:
    """A metric over a row's seeds: mean, sample standard deviation (``None`` for one seed), and how many."""

    mean: float
    sd: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Cell | None:
        """The cell of some values; ``None`` where there is none."""
        finite = [v for v in values if math.isfinite(v)]
        if not finite:
            return None
        return cls(mean(finite), stdev(finite) if len(finite) > 1 else None, len(finite))


@dataclass(frozen=True)
class Row:
    """The seeds of one method, variant, recipe, preset and feature set."""

    label: str
    trials: tuple[Trial, ...]

    @cached_property
    def finished(self) -> list[Trial]:
        """Trials with a score, by seed."""
        return sorted((t for t in self.trials if t.status == "FINISHED"), key=lambda t: t.seed)

    @property
    def failed(self) -> list[Trial]:
        """Trials without one, by seed."""
        return sorted((t for t in self.trials if t.status != "FINISHED"), key=lambda t: t.seed)

    def tag(self, name: str) -> str:
        """A tag that all its trials share."""
        return self.trials[0].tags.get(f"rb.{name}", "")

    @property
    def record(self) -> Mapping[str, Any]:
        """The record of its first finished trial."""
        return self.finished[0].record if self.finished else {}

    @property
    def name(self) -> str:
        """The method, its variant where it is not the full one, its recipe where it has several words for it."""
        variant = self.tag("variant")
        return self.tag("method") + ("" if variant == "full" else f" · {variant}")

    @property
    def seeds(self) -> str:
        """``3``, ``1 (deterministic)``, ``2 of 3``."""
        if self.record.get("deterministic"):
            return "1, deterministic"
        return f"{len(self.finished)} of {len(self.trials)}" if self.failed else str(len(self.finished))

    @property
    def troubles(self) -> list[str]:
        """One line a seed that failed."""
        return [f"seed {t.seed}: {t.error or t.status.lower()}" for t in self.failed]

    def metric(self, name: str) -> Cell | None:
        """A metric over seeds."""
        return Cell.of([t.metrics[name] for t in self.finished if name in t.metrics])

    def cost(self, name: str) -> float | None:
        """Mean of a cost over seeds."""
        cell = Cell.of([float(t.record["cost"][name]) for t in self.finished])
        return cell.mean if cell else None


@dataclass(frozen=True)
class Board:
    """A benchmark's table."""

    benchmark: str
    rows: tuple[Row, ...]

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """A record of the newest finished trial, which says what the task and protocol are."""
        newest = max((t for r in self.rows for t in r.finished), key=lambda t: t.started_ms, default=None)
        return newest.record if newest else {}

    @property
    def specs(self) -> list[dict[str, Any]]:
        """Metrics, the primary one first."""
        return list(self.record.get("metric_specs", []))

    @property
    def primary(self) -> dict[str, Any]:
        """The metric by which rows are ordered."""
        return self.specs[0]

    def band(self, role: str) -> list[Row]:
        """Rows of a role, best first; rows without a score last."""
        return [r for r in self.rows if (r.tag("role") or "method") == role]

    def sections(self) -> dict[str, list[Row]]:
        """Feature set → rows that are not ceilings, methods and baselines together, best first."""
        found: dict[str, list[Row]] = {}
        for row in (r for r in self.rows if r.tag("role") != "ceiling"):
            found.setdefault(row.tag("section"), []).append(row)
        return dict(sorted(found.items(), key=lambda item: -item[0].count("+") - bool(item[0])))


def boards(results: Results) -> list[Board]:
    """A board a benchmark that has a finished trial."""
    found = [_board(name, results.of(name)) for name in results.benchmarks()]
    return [b for b in found if b.specs]


def _board(benchmark: str, trials: Sequence[Trial]) -> Board:
    by_label: dict[str, list[Trial]] = {}
    for trial in trials:
        by_label.setdefault(trial.label, []).append(trial)
    rows = [Row(label, tuple(several)) for label, several in by_label.items()]
    board = Board(benchmark, tuple(rows))
    if not board.specs:
        return board
    sign = -1 if board.primary["direction"] == "higher" else 1

    def place(row: Row) -> tuple[bool, float, str]:
        cell = row.metric(board.primary["name"])
        return (cell is None, sign * cell.mean if cell else 0.0, row.name)

    return Board(benchmark, tuple(sorted(rows, key=place)))
