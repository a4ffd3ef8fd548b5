"""The difference between two rows, with what test examples and seeds leave open.

Clusters of test examples are paired across rows, seeds are nested in a row. So the variance of a difference has one
term for the clusters, ``V_cluster`` (the variance over draws of the difference of seed-averaged replicates), and one
for the seeds of each side, ``s^2 / S``. Satterthwaite's rule gives the degrees of freedom of their sum.

Source: Satterthwaite 1946; Koehn 2004; Owen 2007; the evidence for it is in ``docs/statistics.md``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

CONFIDENCE = 0.95
ROUNDING = 1e-9
"""Relative to what it is of, anything smaller is what rounding left of nothing: replicates are single precision."""


@dataclass(frozen=True)
class Scores:
    """One row's scores on one metric of one benchmark.

    Attributes
    ----------
    values
        The score of each seed.
    replicates
        ``(seeds, draws)``: the same on resampled clusters, the draws shared by all rows.
    clusters
        How many clusters the test set has.
    deterministic
        Whether another seed would give the same; then there is no seed term, however few seeds there are.
    digest
        Of the test set: rows that do not share it have nothing paired.
    """

    values: tuple[float, ...]
    replicates: NDArray[np.float64]
    clusters: int
    deterministic: bool = False
    digest: str = ""

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return math.fsum(self.values) / len(self.values)

    @cached_property
    def averaged(self) -> NDArray[np.float64]:
        """The mean over seeds in each draw, ``(draws,)``."""
        return np.asarray(self.replicates, np.float64).mean(axis=0)

    @property
    def seed_variance(self) -> float:
        """The variance of the mean that seeds leave, ``s^2 / S``; 0 where it cannot be told or does not arise."""
        seeds = len(self.values)
        if self.deterministic or seeds < 2:
            return 0.0
        mean = self.mean
        variance = math.fsum((v - mean) ** 2 for v in self.values) / (seeds - 1) / seeds
        return variance if variance > (ROUNDING * mean) ** 2 else 0.0

    @property
    def given_seed(self) -> bool:
        """Whether there is but one seed, so that an interval says nothing of others."""
        return len(self.values) == 1 and not self.deterministic


@dataclass(frozen=True)
class Contrast:
    """An estimate with its standard error.

    Attributes
    ----------
    estimate
        A difference of means, or a mean.
    error
        Its standard error.
    freedom
        Degrees of freedom of Student's t; infinite where there is no error at all.
    terms
        The variances that the error is made of, each with its own degrees of freedom; empty where only their sum is known.

    An infinite error stands for one that cannot be known (a single cluster): nothing is told apart then.
    """

    estimate: float
    error: float
    freedom: float
    terms: tuple[tuple[float, float], ...] = field(default=(), kw_only=True, compare=False, repr=False)

    @property
    def p(self) -> float:
        """Two-sided, of no difference; 1 where there is neither a difference nor an error."""
        if self.error == 0:
            return 1.0 if self.estimate == 0 else 0.0
        return float(2 * stdtr(self.freedom, -abs(self.estimate) / self.error))

    def interval(self, level: float = CONFIDENCE) -> tuple[float, float]:
        """The two-sided interval of the estimate at a level."""
        half = self.half_width(level)
        return self.estimate - half, self.estimate + half

    @property
    def is_known(self) -> bool:
        """Whether there are an estimate and an error to speak of."""
        return math.isfinite(self.estimate) and math.isfinite(self.error) and not math.isnan(self.freedom)

    def half_width(self, level: float = CONFIDENCE) -> float:
        """Half of the interval."""
        return float(stdtrit(self.freedom, (1 + level) / 2)) * self.error if self.error else 0.0

    def p_above(self, bound: float) -> float:
        """One-sided, of being no more than ``bound``."""
        if self.error == 0:
            return 0.0 if self.estimate > bound else 1.0
        return float(stdtr(self.freedom, (bound - self.estimate) / self.error))

    def p_below(self, bound: float) -> float:
        """One-sided, of being no less than ``bound``."""
        return Contrast(-self.estimate, self.error, self.freedom).p_above(-bound)

    def p_equivalent(self, margin: float) -> float:
        """Two one-sided tests: of being further from 0 than ``margin``. Source: Schuirmann 1987."""
        return max(self.p_above(-margin), self.p_below(margin))


def contrast(left: Scores, right: Scores) -> Contrast:
    """``left`` less ``right``.

    Raises
    ------
    ValueError
        If they were resampled differently, so that their draws cannot be paired.
    """
    if not are_paired(left, right):
        raise ValueError("the two rows were scored on different test sets")
    value, scale = left.mean - right.mean, max(abs(left.mean), abs(right.mean))
    own = cluster_variance(left.averaged, left.clusters) + cluster_variance(right.averaged, right.clusters)
    variance = cluster_variance(left.averaged - right.averaged, left.clusters)
    variance = variance if variance > ROUNDING**2 * own or math.isinf(own) else 0.0
    return _estimate(value if abs(value) > ROUNDING * scale else 0.0, variance, (left, right))


def are_paired(left: Scores, right: Scores) -> bool:
    """Whether two rows were scored on one test set, so that their draws can be subtracted."""
    return (left.clusters, left.averaged.shape, left.digest) == (
        right.clusters,
        right.averaged.shape,
        right.digest,
    )


def level_of(row: Scores) -> Contrast:
    """A row's own mean: its interval is over clusters and its seeds."""
    return _estimate(row.mean, cluster_variance(row.averaged, row.clusters), (row,))


def _estimate(value: float, clusters: float, rows: Sequence[Scores]) -> Contrast:
    """An estimate with the variance that clusters leave it, and what its rows' seeds add."""
    if not math.isfinite(clusters):
        return Contrast(value, math.inf, 1.0)
    terms: list[tuple[float, float]] = [(clusters, rows[0].clusters - 1)]
    terms += [(row.seed_variance, len(row.values) - 1) for row in rows]
    told = tuple((variance, freedom) for variance, freedom in terms if variance > 0)
    return Contrast(value, math.sqrt(sum(v for v, _ in terms)), satterthwaite(terms), terms=told)


def cluster_variance(draws: NDArray[np.float64], clusters: int) -> float:
    """The variance over draws; a bootstrap of ``C`` clusters is too small by ``(C - 1) / C``.

    Draws in which the metric is undefined are left out. Infinite where it cannot be known: of one cluster, or of fewer than two draws.
    """
    defined = draws[np.isfinite(draws)]
    if len(defined) < 2 or clusters < 2:
        return math.inf
    return float(defined.var(ddof=1)) * clusters / (clusters - 1)


def satterthwaite(terms: Sequence[tuple[float, float]]) -> float:
    """Degrees of freedom of a sum of independent variances, each with its own: ``(sum V)^2 / sum (V^2 / f)``."""
    total = sum(variance for variance, _ in terms)
    below = sum(variance**2 / freedom for variance, freedom in terms if variance > 0)
    return total**2 / below if below else math.inf
