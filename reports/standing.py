"""How a board's rows stand: intervals, ranks that are left possible, and what the test set cannot resolve."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from reelbench.reports.leaderboard import Board, Row
from reelbench.reports.statistics.contrast import CONFIDENCE, Contrast, Scores, level_of
from reelbench.reports.statistics.pairs import Pairs, all_pairs, tell_apart
from reelbench.reports.statistics.power import resolvable

FEWEST_CLUSTERS = 10
UNDEFINED = 0.1
"""The share of draws in which a ranked row's metric may be undefined."""
NEVER_RANKED = {"ceiling": "a ceiling", "external": "predicted elsewhere"}


@dataclass(frozen=True)
class Place:
    """Where a row stands.

    Attributes
    ----------
    intervals
        Metric → the row's mean with its error over clusters and seeds.
    rank
        The ranks that are left possible, both ends counted; ``None`` where the row is not ranked.
    why
        Why not; empty where it is.
    to_best
        The row less the best ranked row, in the primary metric; ``None`` for that row itself.
    """

    intervals: Mapping[str, Contrast] = field(default_factory=dict)
    rank: tuple[int, int] | None = None
    why: str = ""
    to_best: Contrast | None = None


@dataclass(frozen=True)
class Standings:
    """A board's statistics.

    Attributes
    ----------
    best
        Label of the ranked row with the best mean; empty where none is ranked.
    ranked
        Labels of ranked rows, best first.
    adjusted
        Holm-adjusted p of each two of them, ``(n, n)`` as nested tuples.
    resolvable
        The smallest true difference found with 80 % power, of a pair in the middle; ``None`` with fewer than two rows.
    """

    places: Mapping[str, Place]
    clusters: int = 0
    best: str = ""
    ranked: tuple[str, ...] = ()
    adjusted: tuple[tuple[float, ...], ...] = ()
    resolvable: float | None = None

    @property
    def pairs(self) -> int:
        """How many differences the correction is over."""
        return len(self.ranked) * (len(self.ranked) - 1) // 2

    def place(self, row: Row) -> Place:
        """A row's place."""
        return self.places.get(row.label, Place())


def stand(board: Board) -> Standings:
    """The statistics of a board, from the replicates that its trials were recorded with."""
    primary, higher = str(board.primary["name"]), board.primary["direction"] == "higher"
    clusters = int(board.record.get("clusters", 0))
    scored = {row.label: found for row in board.rows if (found := scores_of(row))}
    whole = test_set(board.record)
    reasons = {
        row.label: _unranked(row, scored.get(row.label, {}), primary, clusters, whole) for row in board.rows
    }
    ranked = [row for row in board.rows if not reasons[row.label]]
    rows = [scored[row.label][primary] for row in ranked]
    pairs = all_pairs(rows) if len(rows) > 1 else None
    adjusted, ranks = (
        tell_apart(pairs, higher=higher, level=1 - CONFIDENCE) if pairs else (np.ones((1, 1)), [(1, 1)])
    )
    index = {row.label: i for i, row in enumerate(ranked)}
    places = {
        row.label: Place(
            {metric: level_of(scores) for metric, scores in scored.get(row.label, {}).items()},
            ranks[index[row.label]] if row.label in index else None,
            reasons[row.label],
            _to_best(pairs, index.get(row.label)),
        )
        for row in board.rows
    }
    return Standings(
        places, clusters, ranked[0].label if ranked else "", tuple(index), tuple(map(tuple, adjusted.tolist())),
        _resolvable(pairs),
    )  # fmt: skip


def test_set(record: Mapping[str, Any]) -> str:
    """What two trials must share to be compared: the clusters' names, and the data's fingerprint."""
    return f"{record.get('clusters_digest', '')} {record.get('data', '')}"


def scores_of(row: Row, metrics: Collection[str] | None = None) -> dict[str, Scores]:
    """A row's scores by metric (all, or some), of the seeds that were recorded with replicates; empty where one lacks them."""
    drawn = [trial.replicates(metrics) for trial in row.finished]
    shapes = {values.shape for found in drawn for values in found.values()}
    if not all(drawn) or len(shapes) != 1 or len({test_set(trial.record) for trial in row.finished}) > 1:
        return {}
    clusters = int(row.record.get("clusters", 0))
    return {
        name: Scores(
            tuple(trial.metrics[name] for trial in row.finished),
            np.stack([replicates[name] for replicates in drawn]).astype(np.float64),
            clusters,
            row.deterministic,
            test_set(row.record),
        )
        for name in drawn[0]
        if all(name in trial.metrics for trial in row.finished) and all(name in found for found in drawn)
    }


def why_no_scores(row: Row, metric: str, scores: Collection[str], of: str = "") -> str:
    """Why a row that ran has no scores of a metric, ``of`` naming the row (`` of VSE``); empty where it has them.

    MLflow keeps no metric that is not finite, so that one would be left out without a word.
    """
    if any(metric not in trial.metrics for trial in row.finished):
        return f"a seed's score{of} is not finite"
    if len({test_set(trial.record) for trial in row.finished}) > 1:
        return f"the seeds{of} were scored on different test sets"
    return "" if metric in scores else f"no replicates of the score{of}"


def _unranked(row: Row, scores: Mapping[str, Scores], primary: str, clusters: int, digest: str) -> str:
    """Why a row has no rank; empty where it has one."""
    role = row.tag("role")
    if role in NEVER_RANKED:
        return NEVER_RANKED[role]
    if row.is_floor:
        return "answers without having looked"
    if not row.finished:
        return "no seed finished"
    if why := why_no_scores(row, primary, scores):
        return why
    if test_set(row.record) != digest:
        return "scored on another test set"
    if np.isnan(scores[primary].averaged).mean() > UNDEFINED:
        return "undefined in too many draws of the test set"
    if clusters < FEWEST_CLUSTERS:
        return f"only {clusters} clusters of test examples"
    if scores[primary].given_seed:
        return "one seed"
    return ""


def _to_best(pairs: Pairs | None, index: int | None) -> Contrast | None:
    return pairs.of(index, 0) if pairs and index else None


def _resolvable(pairs: Pairs | None) -> float | None:
    """Of the pair whose error is in the middle of all."""
    if pairs is None:
        return None
    above = np.triu_indices(len(pairs.error), 1)
    count = len(above[0])
    found = [
        resolvable(float(error), float(freedom), count)
        for error, freedom in zip(pairs.error[above], pairs.freedom[above], strict=True)
    ]
    return median(found)


def names_by_reason(
    rows: Sequence[Row], standings: Standings, names: Mapping[str, str]
) -> dict[str, list[str]]:
    """Why rows are not ranked → their names."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if why := standings.place(row).why:
            found.setdefault(why, []).append(names[row.label])
    return found
