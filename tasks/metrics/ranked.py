"""Average precision of a pooled ranking under cluster weights: shared by tagging and detection.

A ranking is cut at each distinct score that a hit has. Items between two cuts are summed by cluster in a sparse
matrix, so that a draw costs one sparse product and one cumulative sum. Items of equal score enter together, as in
scikit-learn's ``average_precision_score``: the result never depends on the order of rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.metrics.division import ratio

Array = NDArray[np.float64]
BLOCK = 4_000_000  # numbers in one temporary array of (cuts, draws)


def average_precision(
    score: NDArray[Any],
    cluster: NDArray[np.int64],
    hit: NDArray[np.bool_],
    draws: Array,
    positives: Array,
    *,
    amount: Array | None = None,
    interpolated: bool = False,
) -> Array:
    """Average precision in each draw, ``(draws,)``; NaN where a draw has no positive.

    Parameters
    ----------
    score, cluster, hit
        Of each ranked item, ``(m,)``.
    draws
        Weights as :func:`by_cluster` lays them out, ``(clusters, draws)``.
    positives
        How many hits each draw could have had, found or not, ``(draws,)``.
    amount
        Share of each item that is ranked at all, ``(m,)`` in [0, 1]; by default 1.
    interpolated
        Whether precision at a cut is the best at it or below it (VOC's all-points rule).
    """
    cuts = np.unique(score[hit])[::-1]
    share = np.ones(len(score)) if amount is None else amount
    items = _between_cuts(cuts, score, cluster, share, len(draws))
    hits = _between_cuts(cuts, score[hit], cluster[hit], share[hit], len(draws))
    size = max(1, BLOCK // max(1, len(cuts)))
    found = [_area(items, hits, draws[:, k : k + size], interpolated) for k in range(0, draws.shape[1], size)]
    return ratio(np.concatenate(found), positives)


def by_cluster(weights: Array) -> Array:
    """Weights ``(draws, clusters)`` turned once for all rankings, since a sparse product would copy them each time."""
    return np.ascontiguousarray(weights.T)


def mean_over_classes(precisions: list[Array], draws: int) -> Array:
    """Mean over the classes that have a positive in a draw, ``(draws,)``; NaN where none has."""
    table = np.stack(precisions) if precisions else np.full((1, draws), np.nan)  # (classes, draws)
    present = np.isfinite(table)
    total = np.where(present, table, 0.0).sum(axis=0)
    return ratio(total, present.sum(axis=0))


def _between_cuts(
    cuts: NDArray[Any], score: NDArray[Any], cluster: NDArray[np.int64], share: Array, clusters: int
) -> Any:
    """How much of each cluster stands between a cut and the one above it: sparse ``(cuts, clusters)``."""
    from scipy.sparse import csr_array

    level = np.searchsorted(-cuts, -score, side="left")
    kept = level < len(cuts)
    return csr_array((share[kept], (level[kept], cluster[kept])), shape=(len(cuts), clusters))


def _area(items: Any, hits: Any, draws: Array, interpolated: bool) -> Array:
    """Precision summed over the hits, ``(draws,)``."""
    gained = hits @ draws  # (cuts, draws)
    above = np.cumsum(items @ draws, axis=0)
    precision = ratio(np.cumsum(gained, axis=0), above, empty=0.0)
    if interpolated:
        precision = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    return np.asarray((gained * precision).sum(axis=0))
