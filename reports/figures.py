"""The pictures of a benchmark's page: ranks, differences to the best, score against cost. Only geometry; templates draw it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reelbench.reports import numbers
from reelbench.reports.leaderboard import Board, Row
from reelbench.reports.marks import Scale, nice_ticks
from reelbench.reports.tables import distinct_names, places

WIDTH, LINE, NAME, PAD = 640, 20, 210, 16
FIGURE_ROWS = 24
"""A picture of more rows than this is no longer read; the table has them all."""
PLOT_HEIGHT, PLOT_LEFT, PLOT_BOTTOM = 260, 52, 36

Tick = tuple[float, str]


@dataclass(frozen=True)
class Bar:
    """A row of a picture: an interval ``low … high`` and a mark in it, in SVG units."""

    name: str
    role: str
    y: float
    low: float
    high: float
    mark: float
    text: str
    apart: bool = False


@dataclass(frozen=True)
class Bars:
    """Rows below each other on one axis; ``zero`` is where a line across stands."""

    title: str
    about: str
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    zero: float | None = None


@dataclass(frozen=True)
class Spot:
    """A row in a plot of two axes, with the interval of its score."""

    name: str
    role: str
    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Plot:
    """Score against cost."""

    title: str
    spots: tuple[Spot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def ranks(board: Board) -> Bars | None:
    """The ranks that are left possible, the best row first.

    It stands where other reports draw a critical-difference diagram; bars across ranks would claim that
    non-significance is transitive.
    """
    rows, names = _ranked(board), distinct_names(board.rows)
    if len(rows) < 2:
        return None
    across = Scale(1, max(2, len(board.standings.ranked)), NAME, WIDTH - PAD)
    step = max(1, math.ceil(len(board.standings.ranked) / 12))
    bars = [
        Bar(
            names[row.label],
            row.tag("role"),
            _y(i),
            across(low),
            across(high),
            across(i + 1),
            numbers.rank(low, high),
        )
        for i, row in enumerate(rows)
        for low, high in [board.standings.place(row).rank or (1, 1)]
    ]
    ticks = [(across(k), str(k)) for k in range(1, len(board.standings.ranked) + 1, step)]
    about = "bars are the ranks left possible, squares the order of the means; where bars overlap, the order may be noise"
    return Bars("Ranks", about, _height(bars), tuple(bars), tuple(ticks))


def differences(board: Board) -> Bars | None:
    """Each ranked row less the best one, with its 95 % interval (a forest plot)."""
    rows, names, spec = _ranked(board)[1:], distinct_names(board.rows), board.primary
    found = {row.label: c for row in rows if (c := board.standings.place(row).to_best)}
    if not found:
        return None
    digits = places(board, spec)
    bounds = [numbers.shown(spec, b) for c in found.values() for b in c.interval()]
    marks = nice_ticks(min(0.0, *bounds), max(0.0, *bounds), 6)
    across = Scale(marks[0], marks[-1], NAME, WIDTH - PAD)
    best = next(i for i, label in enumerate(board.standings.ranked) if label == board.standings.best)
    bars = []
    for i, row in enumerate(r for r in rows if r.label in found):
        contrast = found[row.label]
        low, high = (across(numbers.shown(spec, b)) for b in contrast.interval())
        adjusted = board.standings.adjusted[best][board.standings.ranked.index(row.label)]
        text = f"{numbers.signed(spec, contrast.estimate, digits)} {numbers.interval(spec, contrast.interval(), digits)}, adjusted p {adjusted:.2g}"
        mark = across(numbers.shown(spec, contrast.estimate))
        bars.append(Bar(names[row.label], row.tag("role"), _y(i), low, high, mark, text, adjusted < 0.05))
    ticks = tuple((across(t), f"{t:g}".replace("-", "−")) for t in marks)
    about = f"{numbers.metric_head(spec)} less that of {names[board.standings.best]}, 95 % interval each; filled where told apart after Holm's correction"
    return Bars("Difference to the best row", about, _height(bars), tuple(bars), ticks, across(0.0))


def score_against_cost(board: Board) -> Plot | None:
    """The primary metric over training seconds of the whole chain of fits, on a logarithmic axis."""
    spec, names = board.primary, distinct_names(board.rows)
    digits, metric = places(board, spec), str(spec["name"])
    rows = [
        (row, cell.mean, cost)
        for row in board.rows
        if row.tag("role") != "ceiling"
        and (cell := row.metric(metric))
        and (cost := row.cost("train_seconds"))
    ][:FIGURE_ROWS]
    if len(rows) < 2:
        return None
    bounds = {row.label: _bounds(board, row, mean) for row, mean, _ in rows}
    shown = [numbers.shown(spec, v) for pair in bounds.values() for v in pair]
    y_marks = nice_ticks(min(shown), max(shown), 5)
    powers = [math.log10(max(0.1, cost)) for _, _, cost in rows]
    x_marks = [10.0**k for k in range(math.floor(min(powers)), math.ceil(max(powers)) + 1)]
    across = Scale(math.log10(x_marks[0]), math.log10(x_marks[-1]), PLOT_LEFT, WIDTH - PAD)
    up = Scale(y_marks[0], y_marks[-1], PLOT_HEIGHT - PLOT_BOTTOM, PAD)
    spots = []
    for (row, mean, cost), power in zip(rows, powers, strict=True):
        low, high = (up(numbers.shown(spec, bound)) for bound in bounds[row.label])
        text = f"{numbers.shown(spec, mean):.{digits}f} after {numbers.duration(cost)}"
        spots.append(
            Spot(
                names[row.label],
                row.tag("role"),
                across(power),
                up(numbers.shown(spec, mean)),
                low,
                high,
                text,
            )
        )
    return Plot(
        numbers.metric_head(spec), tuple(spots),
        tuple((across(math.log10(x)), f"{x:g} s") for x in x_marks), tuple((up(y), f"{y:g}") for y in y_marks),
    )  # fmt: skip


def _ranked(board: Board) -> Sequence[Row]:
    by_label: Mapping[str, Row] = {row.label: row for row in board.rows}
    return [by_label[label] for label in board.standings.ranked][:FIGURE_ROWS]


def _bounds(board: Board, row: Row, mean: float) -> tuple[float, float]:
    found = board.standings.place(row).intervals.get(str(board.primary["name"]))
    return found.interval() if found and found.is_known else (mean, mean)


def _y(index: int) -> float:
    return PAD + LINE * (index + 0.5)


def _height(bars: Sequence[Bar]) -> float:
    return 2 * PAD + LINE * len(bars) + LINE
