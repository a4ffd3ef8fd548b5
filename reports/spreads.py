"""How far scores spread over clusters and seeds: measured on a benchmark, taken from others like it, or declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite, sqrt
from statistics import median

from reelbench.reports import numbers
from reelbench.reports.leaderboard import Board
from reelbench.reports.standing import NEVER_RANKED, scores_of
from reelbench.reports.statistics.contrast import Scores, cluster_variance

CLUSTERS = 150
"""Assumed of a dataset of which the record has no board."""
CLUSTER_SD = {
    "accuracy": 0.25, "cc": 0.06, "cider": 0.55, "gap_at_20": 0.08, "map_tiou_0.5": 0.14, "meteor": 0.05, "miou": 0.16, "mse": 10.0,
    "recall_at_1_iou_0.5": 0.18, "t2v_recall_at_1": 0.35, "top_1": 0.25,
}  # fmt: skip
"""Metric → the declared SD over clusters of a difference between two rows: about what ``microworld/small`` has at ``tiny``."""
SEED_SD = {"cc": 0.005, "cider": 0.05, "mse": 1.0}
"""Metric → the declared SD over seeds; of others one point in a hundred of their range."""


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
    declared = declared_seed_sd(board.primary)
    return Spread(board.primary, examples, clusters, cluster_sd, declared, seed_from="declared")


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
    cluster_sd = declared_cluster_sd(spec)
    if cluster_sd is None:
        return None
    return Spread(
        spec, examples, clusters or CLUSTERS, cluster_sd, declared_seed_sd(spec),
        "declared", "declared", "" if clusters else " assumed",
    )  # fmt: skip


def declared_cluster_sd(spec: numbers.Spec) -> float | None:
    """A metric's, or a quarter of its range; ``None`` where that has no end."""
    width = float(spec.get("high", 1.0)) - float(spec.get("low", 0.0))
    return CLUSTER_SD.get(str(spec["name"]), width / 4 if isfinite(width) else None)


def declared_seed_sd(spec: numbers.Spec) -> float:
    """A metric's, or one point in a hundred of its range."""
    width = float(spec.get("high", 1.0)) - float(spec.get("low", 0.0))
    return SEED_SD.get(str(spec["name"]), width / 100 if isfinite(width) else 0.01)


def _is_like(board: Board, benchmark: str, spec: numbers.Spec) -> bool:
    return (
        _without_dataset(board.benchmark) == _without_dataset(benchmark)
        and board.primary["name"] == spec["name"]
    )


def _without_dataset(benchmark: str) -> tuple[str, str]:
    return benchmark.partition("@")[0], benchmark.partition(":")[2]


def _test_set_like(benchmark: str, earlier: Mapping[str, Board]) -> tuple[int, int]:
    """Clusters and examples of a board on the same dataset, of the same task if there is one; noughts where there is none."""
    task, _, where = benchmark.partition("@")
    dataset = where.partition(":")[0]
    same = [b for b in earlier.values() if b.benchmark.partition("@")[2].partition(":")[0] == dataset]
    same.sort(key=lambda b: b.benchmark.partition("@")[0] != task)
    return (
        (int(same[0].record.get("clusters", 0)), int(same[0].record.get("examples", 0))) if same else (0, 0)
    )


def _cluster_sd(scored: Sequence[Scores], clusters: int) -> float | None:
    """Over clusters, of the difference of a pair in the middle."""
    found = [
        cluster_variance(one.averaged - other.averaged, clusters)
        for one, other in combinations(scored, 2)
        if one.averaged.shape == other.averaged.shape
    ]
    known = [variance for variance in found if isfinite(variance)]
    return sqrt(median(known) * clusters) if known else None
