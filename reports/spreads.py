"""How far scores spread over clusters and seeds: measured on a benchmark, taken from others like it, or declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite, sqrt
from statistics import median

from reelbench.benchmarks import Benchmark
from reelbench.reports import numbers
from reelbench.reports.leaderboard import Board
from reelbench.reports.standing import NEVER_RANKED, scores_of
from reelbench.reports.statistics.contrast import Scores, cluster_variance

CLUSTERS = 150
"""Assumed of a dataset of which the record has no board."""


@dataclass(frozen=True)
class Spread:
    """How far the scores of a benchmark spread, and how that is known.

    Attributes
    ----------
    spec
        Of the primary metric.
    cluster_sd
        Over clusters, of the difference between two rows.
    seed_sd
        Over seeds, of one row.
    cluster_from, seed_from, clusters_from
        In words: ``from earlier runs``, ``assumed from captioning@…``, ``declared``.
    """

    spec: numbers.Spec
    examples: int
    clusters: int
    cluster_sd: float
    seed_sd: float
    cluster_from: str = "from earlier runs"
    seed_from: str = "from earlier runs"
    clusters_from: str = ""

    @property
    def is_assumed(self) -> bool:
        """Whether the spread over clusters is not the benchmark's own."""
        return self.cluster_from != "from earlier runs"


def measured_spread(board: Board) -> Spread | None:
    """What a board's own rows show; ``None`` before two of them have a first seed. Seeds are declared where no row has two."""
    metric, clusters = str(board.primary["name"]), int(board.record.get("clusters", 0))
    scored = [
        found[metric]
        for row in board.rows
        if row.tag("role") not in NEVER_RANKED and not row.is_floor
        and metric in (found := scores_of(row, (metric,)))
    ]  # fmt: skip
    cluster_sd = _cluster_sd(scored, clusters)
    if cluster_sd is None:
        return None
    several = [
        sqrt(s.seed_variance * len(s.values)) for s in scored if len(s.values) > 1 and not s.deterministic
    ]
    examples = int(board.record.get("examples", 0))
    if several:
        return Spread(board.primary, examples, clusters, cluster_sd, median(several))
    _, seed_sd = declared_spread(board.primary)
    return Spread(board.primary, examples, clusters, cluster_sd, seed_sd, seed_from="declared")


def assumed_spread(benchmark: str, spec: numbers.Spec, earlier: Mapping[str, Board]) -> Spread | None:
    """Of a benchmark that has no spread of its own: that of the same task and protocol on another dataset, or one declared for its metric.

    ``None`` for a metric of which nothing is declared and whose range has no end.
    """
    clusters, examples = _test_set_like(benchmark, earlier)
    same = [board for board in earlier.values() if _is_like(board, benchmark, spec)]
    like = {board.benchmark: spread for board in same if (spread := measured_spread(board))}
    if like:
        name, first = next(iter(like.items()))
        told = f"assumed from {name}" + (f" and {len(like) - 1} more" if len(like) > 1 else "")
        measured = [s.seed_sd for s in like.values() if s.seed_from != "declared"]
        return Spread(
            spec, examples or first.examples, clusters or first.clusters, median(s.cluster_sd for s in like.values()),
            median(measured) if measured else first.seed_sd, told, "assumed likewise" if measured else "declared", "" if clusters else " assumed",
        )  # fmt: skip
    cluster_sd, seed_sd = declared_spread(spec)
    if cluster_sd is None:
        return None
    return Spread(
        spec, examples, clusters or CLUSTERS, cluster_sd, seed_sd, "declared", "declared", "" if clusters else " assumed",
    )  # fmt: skip


def declared_spread(spec: numbers.Spec) -> tuple[float | None, float]:
    """A metric's own over clusters and over seeds, else a quarter and a hundredth of its range.

    Where that has no end, ``None`` and 0.01.
    """
    if spec.get("spread"):
        cluster_sd, seed_sd = spec["spread"]
        return float(cluster_sd), float(seed_sd)
    width = float(spec.get("high", 1.0)) - float(spec.get("low", 0.0))
    return (width / 4, width / 100) if isfinite(width) else (None, 0.01)


def _is_like(board: Board, benchmark: str, spec: numbers.Spec) -> bool:
    one, other = Benchmark.parse(board.benchmark), Benchmark.parse(benchmark)
    return (one.task, one.protocol, board.primary["name"]) == (other.task, other.protocol, spec["name"])


def _test_set_like(benchmark: str, earlier: Mapping[str, Board]) -> tuple[int, int]:
    """Clusters and examples of a board on the same dataset, of the same task if there is one; noughts where there is none."""
    asked = Benchmark.parse(benchmark)
    known = [(Benchmark.parse(name), board.record) for name, board in earlier.items()]
    same = [(b.task != asked.task, record) for b, record in known if b.dataset == asked.dataset]
    if not same:
        return 0, 0
    _, record = min(same, key=lambda found: found[0])
    return int(record.get("clusters", 0)), int(record.get("examples", 0))


def _cluster_sd(scored: Sequence[Scores], clusters: int) -> float | None:
    """Over clusters, of the difference of a pair in the middle."""
    found = [
        cluster_variance(one.averaged - other.averaged, clusters)
        for one, other in combinations(scored, 2)
        if one.averaged.shape == other.averaged.shape
    ]
    known = [variance for variance in found if isfinite(variance)]
    return sqrt(median(known) * clusters) if known else None
