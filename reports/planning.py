"""What a planned suite will be able to tell apart, judged by what the record has of its benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import sqrt
from statistics import median
from typing import TYPE_CHECKING

from reelbench.errors import TrackingError
from reelbench.reports import numbers
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import Board, boards
from reelbench.reports.standing import NEVER_RANKED, scores_of
from reelbench.reports.statistics.contrast import Scores, cluster_variance
from reelbench.reports.statistics.power import POWER, planned_error, resolvable

if TYPE_CHECKING:
    from reelbench.plan import Plan

DECLARED_SEED_SD = 0.01
"""One point, where no row has two seeds to tell from."""


def notes(plan: Plan, store: str) -> list[str]:
    """A line a benchmark: the smallest difference that will be resolved, alone and in the whole table."""
    rows = _rows(plan)
    if rows and len(plan.suite.seeds) == 1:
        return ["resolution: with one seed only deterministic rows will be ranked"]
    try:
        earlier = {board.benchmark: board for board in boards(load(store))}
    except TrackingError:
        earlier = {}
    lines = [
        line
        for name in rows
        if name in earlier
        for line in _note(earlier[name], rows[name], len(plan.suite.seeds))
    ]
    unknown = len(rows) - len(lines)
    if unknown:
        lines.append(
            f"resolution: of {unknown} benchmark{'s' if unknown > 1 else ''} not known before two rows have a first seed"
        )
    return lines


def _rows(plan: Plan) -> dict[str, int]:
    """Benchmark → how many rows of the plan will be ranked on it; those with one row are left out."""
    labels: dict[str, set[str]] = {}
    for stage in plan.trials():
        if stage.spec["role"] not in NEVER_RANKED and not stage.spec["floor"]:
            labels.setdefault(stage.spec["benchmark"], set()).add(stage.label)
    return {name: len(found) for name, found in labels.items() if len(found) > 1}


def _note(board: Board, rows: int, seeds: int) -> Iterator[str]:
    metric, clusters = str(board.primary["name"]), int(board.record.get("clusters", 0))
    scored = [
        found[metric]
        for row in board.rows
        if metric in (found := scores_of(row, (metric,))) and not row.is_floor
    ]
    spread = _cluster_sd(scored, clusters)
    if spread is None:
        return
    several = [
        sqrt(s.seed_variance * len(s.values)) for s in scored if len(s.values) > 1 and not s.deterministic
    ]
    seed_sd = median(several) if several else DECLARED_SEED_SD
    error, freedom = planned_error(spread, clusters, seed_sd, seeds)
    alone, whole = (resolvable(error, freedom, pairs) for pairs in (1, rows * (rows - 1) // 2))
    digits = numbers.decimals(board.primary, int(board.record.get("examples", 0)))
    shown = [f"{numbers.shown(board.primary, v):.{digits}f}" for v in (alone, whole)]
    told = "from earlier runs" if several else "declared"
    yield (
        f"resolution: {board.benchmark}, {seeds} seeds: differences of {shown[0]} for one pair, {shown[1]} in a table of {rows} "
        f"({POWER:.0%} power, {clusters} clusters, seed SD {numbers.shown(board.primary, seed_sd):.{digits}f} {told})"
    )


def _cluster_sd(scored: Sequence[Scores], clusters: int) -> float | None:
    """Over clusters, of the difference of a pair in the middle."""
    found = [
        cluster_variance(one.averaged - other.averaged, clusters)
        for one, other in combinations(scored, 2)
        if one.averaged.shape == other.averaged.shape
    ]
    return sqrt(median(found) * clusters) if found else None
