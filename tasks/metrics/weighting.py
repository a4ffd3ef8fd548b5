"""Means under cluster weights, for any number of draws, without copying a row.

Statistics are first summed within clusters, so that ten thousand bootstrap draws cost one matrix product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.scoring import ScoreSheet
from reelbench.tasks.metrics.division import ratio

Array = NDArray[np.float64]


def cluster_sums(sheet: ScoreSheet, values: NDArray[Any]) -> Array:
    """Sums of ``values`` ``(n,)`` within each cluster: ``(clusters,)``."""
    sums = np.bincount(sheet.clusters, weights=values, minlength=len(sheet.cluster_names))
    return sums.astype(np.float64)


def weighted_ratio(
    sheet: ScoreSheet, weights: Array, numerator: NDArray[Any], denominator: NDArray[Any]
) -> Array:
    """Sum of numerators over sum of denominators (each ``(n,)``) in each draw: ``(draws,)``.

    A draw in which the denominators add to zero gives NaN.
    """
    above, below = (weights @ cluster_sums(sheet, values) for values in (numerator, denominator))
    return ratio(above, below)


def weighted_mean_where(
    sheet: ScoreSheet, weights: Array, values: NDArray[Any], valid: NDArray[np.bool_]
) -> Array:
    """Mean over the valid rows of ``values`` ``(n,)`` in each draw: ``(draws,)``; the others may be NaN."""
    return weighted_ratio(sheet, weights, np.where(valid, values, 0.0), valid)


def weighted_mean_of(sheet: ScoreSheet, weights: Array, values: NDArray[Any]) -> Array:
    """Mean over all rows of ``values`` ``(n,)`` in each draw: ``(draws,)``."""
    return weighted_ratio(sheet, weights, values, np.ones(len(values)))
