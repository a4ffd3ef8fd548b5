"""Where things lie in the small pictures: dots of seeds on a benchmark's scale, and lines of learning curves.

Only geometry; templates draw it as SVG.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reelbench.reports import numbers
from reelbench.reports.leaderboard import Board, Row

CHART_WIDTH, CHART_HEIGHT = 520, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 24, 10, 28
LOSS = "loss"


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
    """From 0 (or the lowest value, if negative) to the highest value of the board's primary metric."""
    name = str(board.primary["name"])
    values = [t.metrics[name] for r in board.rows for t in r.finished if name in t.metrics] or [0.0]
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


@dataclass(frozen=True)
class CurveLine:
    """One seed's validation metric over optimiser steps, as SVG points."""

    points: str
    last: tuple[float, float]
    seed: int
    group: int
    name: str


@dataclass(frozen=True)
class Chart:
    """A validation metric over steps; a line a seed, a colour a variant.

    Attributes
    ----------
    where
        What it was validated on: a benchmark, or ``the relation captions`` for a loss.
    """

    title: str
    where: str
    lines: tuple[CurveLine, ...]
    groups: tuple[str, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


def charts_of(board: Board, rows: Sequence[tuple[str, Row]], drawn: set[tuple[str, ...]]) -> list[Chart]:
    """The learning curves that belong under a benchmark, a chart a validation metric.

    A fit may serve several benchmarks and is validated on one: its curve is drawn under that one only. A validation
    loss is of no benchmark and is drawn under the first one that its fits serve.

    Parameters
    ----------
    rows
        Names of variants and their rows.
    drawn
        The fits whose curves have been drawn, each with what it was validated on; added to.
    """
    specs = {str(s["name"]): s for s in board.specs}
    found: dict[tuple[str, str], list[tuple[str, int, list[tuple[float, float]]]]] = {}
    for name, row in rows:
        for trial in row.finished:
            fits = trial.record.get("fingerprints", {}).get("fits") or (trial.run_id,)
            for (metric, where), points in _series(trial.record, board).items():
                if (*fits, metric, where) not in drawn:
                    found.setdefault((metric, where), []).append((name, trial.seed, points))
                    drawn.add((*fits, metric, where))
    return [
        _chart(metric, where, series, specs.get(metric, {}))
        for (metric, where), series in sorted(found.items())
        if any(len(p) > 1 for _, _, p in series)
    ]


def _series(record: Mapping[str, Any], board: Board) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Points by metric and what it was validated on, those of other benchmarks left out."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for point in record.get("curve") or ():
        for name, value in point["values"].items():
            metric = name.removeprefix("val/")
            where = _validated_on(record, str(point.get("phase", "")), metric, board)
            if name != metric and (where == board.benchmark or metric == LOSS):
                found.setdefault((metric, where), []).append((float(point["step"]), float(value)))
    return found


def _validated_on(record: Mapping[str, Any], phase: str, metric: str, board: Board) -> str:
    """A phase's benchmark, or its relation for a loss. Where an older record does not say, a primary metric's name is trusted."""
    if metric == LOSS:
        relation = next((p["relation"] for p in record.get("phases") or () if p["name"] == phase), "")
        return f"the relation {relation}" if relation else "a relation"
    told = record.get("validation")
    if told is None:
        return board.benchmark if metric == board.primary["name"] else ""
    return next((str(v["benchmark"]) for v in told if v["phase"] == phase), "")


def _chart(
    metric: str, where: str, series: Sequence[tuple[str, int, list[tuple[float, float]]]], spec: numbers.Spec
) -> Chart:
    factor = 100.0 if spec.get("percent") else 1.0
    xs = [x for _, _, points in series for x, _ in points]
    ys = [y * factor for _, _, points in series for _, y in points]
    x_ticks, y_ticks = nice_ticks(0.0, max(xs), 5), nice_ticks(min(ys), max(ys), 5)
    across = Scale(0.0, max(max(xs), x_ticks[-1]), LEFT, CHART_WIDTH - RIGHT)
    up = Scale(min(y_ticks[0], *ys), max(y_ticks[-1], *ys), CHART_HEIGHT - BOTTOM, TOP)
    groups = tuple(dict.fromkeys(name for name, _, _ in series))
    lines = tuple(
        _line(points, seed, groups.index(name), name, across, up, factor) for name, seed, points in series
    )
    return Chart(
        numbers.metric_head(spec) if spec else metric, where, lines, groups,
        tuple((across(x), f"{x:g}") for x in x_ticks), tuple((up(y), f"{y:g}") for y in y_ticks),
    )  # fmt: skip


def _line(
    points: Sequence[tuple[float, float]],
    seed: int,
    group: int,
    name: str,
    across: Scale,
    up: Scale,
    factor: float,
) -> CurveLine:
    placed = [(across(x), up(y * factor)) for x, y in points]
    return CurveLine(" ".join(f"{x},{y}" for x, y in placed), placed[-1], seed, group, name)


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round numbers that span ``low … high``."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= count)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(k * step, 10) for k in range(first, last + 1)]
