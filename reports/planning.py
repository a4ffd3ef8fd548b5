"""What a planned suite will be able to tell apart, judged by what the record has of its benchmarks, or of others like them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from reelbench.benchmarks import Benchmark
from reelbench.errors import TrackingError
from reelbench.reports import numbers
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import Board, boards
from reelbench.reports.spreads import Spread, assumed_spread, measured_spread
from reelbench.reports.standing import NEVER_RANKED
from reelbench.reports.statistics.power import POWER, planned_error, resolvable

if TYPE_CHECKING:
    from reelbench.plan import Plan
    from reelbench.task import Task


def notes(plan: Plan, store: str, tasks: Mapping[str, Task]) -> list[str]:
    """A line a benchmark: the smallest difference that will be resolved, alone and in the whole table.

    ``tasks`` are the registered ones; they declare the metrics of benchmarks that never ran.
    """
    rows, seeds = _rows(plan), len(plan.suite.seeds)
    if rows and seeds == 1:
        return ["resolution: with one seed only deterministic rows will be ranked"]
    try:
        earlier = {board.benchmark: board for board in boards(load(store))}
    except TrackingError:
        earlier = {}
    specs = _specs([name for name in rows if name not in earlier], tasks)
    lines, unknown = [], []
    for name, count in rows.items():
        if spread := _spread(name, earlier, specs):
            lines.append(_line(name, spread, count, seeds))
        else:
            unknown.append(name)
    if unknown:
        what = f"{len(unknown)} benchmark{'s' if len(unknown) > 1 else ''}"
        lines.append(
            f"resolution: of {what} not known before two rows have a first seed: {', '.join(unknown)}"
        )
    return lines


def _rows(plan: Plan) -> dict[str, int]:
    """Benchmark → how many rows of the plan will be ranked on it; those with one row are left out."""
    labels: dict[str, set[str]] = {}
    for stage in plan.trials():
        if stage.spec["role"] not in NEVER_RANKED and not stage.spec["floor"]:
            labels.setdefault(stage.spec["benchmark"], set()).add(stage.label)
    return {name: len(found) for name, found in labels.items() if len(found) > 1}


def _specs(benchmarks: Sequence[str], tasks: Mapping[str, Task]) -> dict[str, numbers.Spec]:
    """The primary metric of benchmarks that never ran, as their tasks declare it."""
    wanted = {name: Benchmark.parse(name) for name in benchmarks}
    return {
        name: asdict(tasks[b.task].metrics(b.protocol)[0]) for name, b in wanted.items() if b.task in tasks
    }


def _spread(name: str, earlier: Mapping[str, Board], specs: Mapping[str, numbers.Spec]) -> Spread | None:
    board = earlier.get(name)
    found = measured_spread(board) if board else None
    spec = board.primary if board else specs.get(name)
    return found or (assumed_spread(name, spec, earlier) if spec else None)


def _line(name: str, spread: Spread, rows: int, seeds: int) -> str:
    spec, digits = spread.spec, numbers.decimals(spread.spec, spread.examples)
    error, freedom = planned_error(spread.cluster_sd, spread.clusters, spread.seed_sd, seeds)
    alone, whole, cluster_sd, seed_sd = (
        f"{numbers.shown(spec, value):.{digits}f}"
        for value in (
            resolvable(error, freedom),
            resolvable(error, freedom, rows * (rows - 1) // 2),
            spread.cluster_sd,
            spread.seed_sd,
        )
    )
    about = "about " if spread.is_assumed else ""
    return (
        f"resolution: {name}, {seeds} seeds: differences of {about}{alone} for one pair, {about}{whole} in a table of {rows} "
        f"({POWER:.0%} power, {spread.clusters} clusters{spread.clusters_from}, cluster SD {cluster_sd} {spread.cluster_from}, seed SD {seed_sd} {spread.seed_from})"
    )
