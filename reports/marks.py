"""Where things lie in the small pictures: dots of seeds on a benchmark's scale, round numbers on an axis.

Only geometry; templates draw it as SVG.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reelbench.reports.leaderboard import Board, Row


@dataclass(frozen=True)
class Scale:
    """A linear map of ``low … high`` onto ``start … end``."""

    low: float
    high: float
    start: float = 0.0
    end: float = 100.0

    def __call__(self, value: float) -> float:
        """Where a value lies, one decimal, kept inside."""
        span = (self.high - self.low) or 1.0
        share = min(1.0, max(0.0, (value - self.low) / span))
        return round(self.start + share * (self.end - self.start), 1)


@dataclass(frozen=True)
class Marks:
    """One row on its benchmark's scale, in percent of the width: mean, its seeds, chance and the ceiling."""

    zero: float
    mean: float
    seeds: tuple[float, ...]
    chance: float | None
    ceiling: float | None


def scale_of(board: Board) -> Scale:
    """From 0 (or the lowest value, if negative) to the highest value of the board's primary metric.

    Where less is better, chance may be so far off that nothing else could be told apart: it is then at the end.
    """
    name = str(board.primary["name"])
    looked = [r for r in board.rows if not r.is_floor] if board.primary.get("direction") == "lower" else []
    values = [t.metrics[name] for r in looked or board.rows for t in r.finished if name in t.metrics] or [0.0]
    return Scale(min(0.0, *values), max(values) or 1.0)


def marks_of(board: Board, row: Row, scale: Scale) -> Marks | None:
    """A row's marks; ``None`` if it has no score."""
    name = str(board.primary["name"])
    cell = row.metric(name)
    if cell is None:
        return None
    seeds = tuple(scale(t.metrics[name]) for t in row.finished if name in t.metrics) if cell.n > 1 else ()
    return Marks(
        scale(0.0),
        scale(cell.mean),
        seeds,
        _place(chance_row(board), name, scale),
        _place(ceiling_row(board), name, scale),
    )


def chance_row(board: Board) -> Row | None:
    """The row of the chance baseline."""
    return next((r for r in board.band("baseline") if r.is_floor), None)


def ceiling_row(board: Board) -> Row | None:
    """The highest ceiling."""
    return next(iter(board.band("ceiling")), None)


def _place(row: Row | None, name: str, scale: Scale) -> float | None:
    cell = row.metric(name) if row else None
    return scale(cell.mean) if cell else None


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round numbers that span ``low … high``."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= count)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(k * step, 10) for k in range(first, last + 1)]
