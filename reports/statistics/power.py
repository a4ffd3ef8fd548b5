"""What a test set and so many seeds can resolve, before and after they are spent."""

from __future__ import annotations

import math

from scipy.special import stdtrit

from reelbench.reports.statistics.contrast import CONFIDENCE, satterthwaite

POWER = 0.8


def resolvable(error: float, freedom: float, pairs: int = 1, power: float = POWER) -> float:
    """The smallest true difference that is found with the given power.

    Parameters
    ----------
    error, freedom
        Of the difference, as :class:`~reelbench.reports.statistics.contrast.Contrast` has them.
    pairs
        How many differences the correction is over; the strictest of Holm's levels is taken, ``0.05 / pairs``.
    """
    if error == 0:
        return 0.0
    alpha = (1 - CONFIDENCE) / pairs
    return error * float(stdtrit(freedom, 1 - alpha / 2) + stdtrit(freedom, power))


def planned_error(cluster_sd: float, clusters: int, seed_sd: float, seeds: int) -> tuple[float, float]:
    """Standard error and degrees of freedom of a difference that is yet to be measured.

    Parameters
    ----------
    cluster_sd
        Standard deviation over clusters of the difference between two rows' cluster means.
    seed_sd
        Standard deviation over seeds of one row's score, taken alike for both rows.
    """
    terms: list[tuple[float, float]] = [(cluster_sd**2 / clusters, clusters - 1)]
    if seed_sd and seeds > 1:
        terms += [(seed_sd**2 / seeds, seeds - 1)] * 2
    return math.sqrt(sum(v for v, _ in terms)), satterthwaite(terms)


def power_of(effect: float, error: float, freedom: float, pairs: int = 1) -> float:
    """How probable it is that a true difference is found, by the noncentral t."""
    from scipy.stats import nct

    if error == 0:
        return 1.0 if effect else 0.0
    critical = float(stdtrit(freedom, 1 - (1 - CONFIDENCE) / pairs / 2))
    shift = abs(effect) / error
    reversed_ = float(nct.cdf(-critical, freedom, shift))  # SciPy gives NaN where it is next to nothing
    return float(nct.sf(critical, freedom, shift)) + (0.0 if math.isnan(reversed_) else reversed_)
