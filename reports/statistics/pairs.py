"""Every pair of a table's rows at once: the same numbers as :func:`.contrast.contrast`, by one matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from reelbench.reports.statistics.contrast import ROUNDING, Contrast, Scores, are_paired
from reelbench.reports.statistics.family import holm, rank_intervals

Array = NDArray[np.float64]
CANCELLED = 1e-12
"""Below this share of the rows' own variances, the variance of a difference is what rounding left of nothing."""


@dataclass(frozen=True)
class Pairs:
    """All differences of ``n`` rows, row less column: ``(n, n)`` each."""

    estimate: Array
    error: Array
    freedom: Array

    def of(self, left: int, right: int) -> Contrast:
        """One of them."""
        return Contrast(*(float(table[left, right]) for table in (self.estimate, self.error, self.freedom)))

    def p(self) -> Array:
        """Two-sided, unadjusted, of the pairs above the diagonal in row order."""
        above = np.triu_indices(len(self.estimate), 1)
        estimate, error, freedom = (table[above] for table in (self.estimate, self.error, self.freedom))
        certain = np.where(estimate == 0, 1.0, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(error > 0, 2 * stdtr(freedom, -np.abs(estimate) / error), certain)


def all_pairs(rows: Sequence[Scores]) -> Pairs:
    """Differences of rows that were scored on the same test set.

    Raises
    ------
    ValueError
        If they were not.
    """
    if not all(are_paired(rows[0], row) for row in rows):
        raise ValueError("the rows were scored on different test sets")
    clusters = rows[0].clusters
    draws = np.stack([row.averaged for row in rows])
    draws = draws[
        :, np.isfinite(draws).all(axis=0)
    ]  # a draw in which any row is undefined says nothing of pairs
    means = np.array([row.mean for row in rows])
    paired = _variance_of_differences(draws) * clusters / max(1, clusters - 1)
    if clusters < 2 or draws.shape[1] < 2:
        paired = np.full_like(paired, np.inf)
    seeds = np.array([row.seed_variance for row in rows])
    spare = np.array([max(1, len(row.values) - 1) for row in rows])
    total = paired + seeds[:, None] + seeds[None]
    weighted = paired**2 / max(1, clusters - 1) + (seeds**2 / spare)[:, None] + (seeds**2 / spare)[None]
    freedom = np.divide(
        total**2, weighted, out=np.full_like(total, np.inf), where=(weighted > 0) & np.isfinite(weighted)
    )
    estimate, scale = means[:, None] - means[None], np.maximum(np.abs(means)[:, None], np.abs(means)[None])
    return Pairs(np.where(np.abs(estimate) > ROUNDING * scale, estimate, 0.0), np.sqrt(total), freedom)


def _variance_of_differences(draws: Array) -> Array:
    """``Var(a - b)`` over draws of each two rows ``(n, draws)``: ``(n, n)``."""
    count = draws.shape[1]
    if count < 2:
        return np.zeros((len(draws), len(draws)))
    centred = draws - draws.mean(axis=1, keepdims=True)
    covariance = centred @ centred.T / (count - 1)
    own = np.diag(covariance)[:, None] + np.diag(covariance)[None]
    variance = own - 2 * covariance
    return np.where(variance > CANCELLED * own, variance, 0.0)


def tell_apart(pairs: Pairs, *, higher: bool, level: float) -> tuple[Array, list[tuple[int, int]]]:
    """Holm-adjusted p of every pair ``(n, n)``, and each row's rank interval.

    Parameters
    ----------
    higher
        Whether the metric is better when higher.
    level
        Family-wise: 0.05 leaves at most 5 % of tables with any false difference.
    """
    count = len(pairs.estimate)
    adjusted = np.ones((count, count))
    above = np.triu_indices(count, 1)
    adjusted[above] = holm(list(pairs.p()))
    adjusted = np.minimum(adjusted, adjusted.T)
    lead = pairs.estimate if higher else -pairs.estimate
    sure = (adjusted < level) & (lead > 0)
    return adjusted, rank_intervals(count, np.argwhere(sure).tolist())
