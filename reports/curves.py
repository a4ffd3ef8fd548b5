"""Learning curves: a validation metric over optimiser steps, a line a variant, with how far its seeds spread.

Only geometry; templates draw it as SVG.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from reelbench.reports import numbers
from reelbench.reports.leaderboard import Board, Row
from reelbench.reports.marks import Scale, nice_ticks

CHART_WIDTH, CHART_HEIGHT = 520, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 24, 10, 28
LOSS = "loss"
Points = list[tuple[float, float]]
Key = tuple[str, ...]
"""Which fits a curve is of, its metric, and what it was validated on."""


@dataclass(frozen=True)
class CurveLine:
    """The mean over a variant's seeds, as SVG points.

    Attributes
    ----------
    band
        The outline of mean ± sample SD, where two seeds or more were validated; empty for one seed.
    missing
        How its name goes on where a seed is missing somewhere: ``: 2 of 3 seeds to the end, 1 not finite somewhere``.
    """

    points: str
    band: str
    last: tuple[float, float]
    seeds: int
    group: int
    name: str
    missing: str


@dataclass(frozen=True)
class Chart:
    """A validation metric over steps; a line and a band a variant.

    Attributes
    ----------
    where
        What it was validated on: a benchmark, or ``the relation captions`` for a loss.
    groups
        The variants' names, with what is missing where a line is not the mean of all its seeds from start to end.
    """

    title: str
    where: str
    lines: tuple[CurveLine, ...]
    groups: tuple[str, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]

    @property
    def has_band(self) -> bool:
        """Whether any line has one."""
        return any(line.band for line in self.lines)


def charts_of(board: Board, rows: Sequence[tuple[str, Row]], drawn: set[Key]) -> list[Chart]:
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
    found: dict[tuple[str, str], dict[str, list[Points]]] = {}
    for name, row in rows:
        for key, points in _curves(board, row):
            if key not in drawn:
                *_, metric, where = key
                found.setdefault((metric, where), {}).setdefault(name, []).append(points)
                drawn.add(key)
    return [
        _chart(metric, where, series, specs.get(metric, {}))
        for (metric, where), series in sorted(found.items())
        if any(len(_finite(points)) > 1 for several in series.values() for points in several)
    ]


def losses_of(board: Board, rows: Sequence[Row]) -> set[Key]:
    """The curves of some rows that may stand under other benchmarks as well."""
    return {key for row in rows for key, _ in _curves(board, row) if key[-2] == LOSS}


def _curves(board: Board, row: Row) -> Iterator[tuple[Key, Points]]:
    """Each curve of each seed."""
    for trial in row.finished:
        fits = trial.record.get("fingerprints", {}).get("fits") or (trial.run_id,)
        for (metric, where), points in _series(trial.record, board).items():
            yield (*fits, metric, where), points


def _series(record: Mapping[str, Any], board: Board) -> dict[tuple[str, str], Points]:
    """Points by metric and what it was validated on, also those that are not finite; those of other benchmarks left out."""
    found: dict[tuple[str, str], Points] = {}
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


@dataclass(frozen=True)
class _Mean:
    """A step, the mean there, and the sample SD over seeds (0 for one)."""

    step: float
    value: float
    sd: float
    seeds: int


def average(several: Sequence[Points]) -> list[_Mean]:
    """The mean of the seeds that are finite at each step; a step that comes twice in a seed (in two phases) counts as two."""
    found: dict[tuple[float, int], list[float]] = {}
    for points in several:
        for key, (_, value) in zip(_occurrences(points), points, strict=True):
            if math.isfinite(value):
                found.setdefault(key, []).append(value)
    order = {key: i for i, key in enumerate(_occurrences(max(several, key=len)))}
    keys = sorted(found, key=lambda key: (order.get(key, len(order)), key))
    return [
        _Mean(key[0], mean(found[key]), stdev(found[key]) if len(found[key]) > 1 else 0.0, len(found[key]))
        for key in keys
    ]


def _occurrences(points: Points) -> list[tuple[float, int]]:
    seen: Counter[float] = Counter()
    keys = []
    for step, _ in points:
        keys.append((step, seen[step]))
        seen[step] += 1
    return keys


def _finite(points: Points) -> Points:
    return [point for point in points if math.isfinite(point[1])]


def missing(several: Sequence[Points]) -> str:
    """``: 2 of 3 seeds to the end, 1 not finite somewhere``, as a line's name goes on; empty where every seed has every step."""
    end = _occurrences(max(several, key=len))[-1]
    ends = [dict(zip(_occurrences(p), (y for _, y in p), strict=True)).get(end, math.nan) for p in several]
    reach, odd = sum(map(math.isfinite, ends)), sum(len(_finite(p)) < len(p) for p in several)
    told = (
        f"{reach} of {len(several)} seeds to the end" if reach < len(several) else "",
        f"{odd} not finite somewhere" if odd else "",
    )
    return ": " + ", ".join(filter(None, told)) if any(told) else ""


def _chart(metric: str, where: str, series: Mapping[str, Sequence[Points]], spec: numbers.Spec) -> Chart:
    factor = 100.0 if spec.get("percent") else 1.0
    means = {name: average(several) for name, several in series.items()}
    every = [point for line in means.values() for point in line]
    xs, ys = [p.step for p in every], [(p.value + s * p.sd) * factor for p in every for s in (-1, 1)]
    x_ticks, y_ticks = nice_ticks(0.0, max(xs), 5), nice_ticks(min(ys), max(ys), 5)
    across = Scale(0.0, max(max(xs), x_ticks[-1]), LEFT, CHART_WIDTH - RIGHT)
    up = Scale(min(y_ticks[0], *ys), max(y_ticks[-1], *ys), CHART_HEIGHT - BOTTOM, TOP)
    lines = tuple(
        _line(points, series[name], group, name, across, up, factor)
        for group, (name, points) in enumerate(means.items())
        if points
    )
    return Chart(
        numbers.metric_head(spec) if spec else metric, where, lines, tuple(name + missing(several) for name, several in series.items()),
        tuple((across(x), f"{x:g}") for x in x_ticks), tuple((up(y), f"{y:g}") for y in y_ticks),
    )  # fmt: skip


def _line(
    points: Sequence[_Mean],
    several: Sequence[Points],
    group: int,
    name: str,
    across: Scale,
    up: Scale,
    factor: float,
) -> CurveLine:
    placed = [(across(p.step), up(p.value * factor)) for p in points]
    spread = [p for p in points if p.seeds > 1]
    outline = [(p.step, p.value + p.sd) for p in spread] + [
        (p.step, p.value - p.sd) for p in reversed(spread)
    ]
    band = " ".join(f"{across(x)},{up(y * factor)}" for x, y in outline) if len(spread) > 1 else ""
    return CurveLine(
        " ".join(f"{x},{y}" for x, y in placed), band, placed[-1], len(several), group, name, missing(several)
    )
