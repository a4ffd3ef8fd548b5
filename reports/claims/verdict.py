"""What a difference says of a claim, at a level of confidence. Pure arithmetic; the rules are in ``docs/statistics.md``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from reelbench.reports.statistics.contrast import CONFIDENCE, Contrast, satterthwaite
from reelbench.reports.statistics.power import POWER, power_of, resolvable

Verdict = Literal["holds", "smaller than claimed", "refuted", "reversed", "inconclusive"]


def judge_greater(lead: Contrast, effect: float, level: float = CONFIDENCE) -> Verdict:
    """Whether one side leads by ``effect`` at least.

    Parameters
    ----------
    lead
        The better side less the other, turned so that higher is better.
    """
    low, high = lead.interval(level)
    if low > 0:
        return (
            "holds"
            if lead.estimate >= effect
            else "smaller than claimed"
            if high < effect
            else "inconclusive"
        )
    if high < 0:
        return "reversed"
    return "refuted" if high < effect else "inconclusive"


def judge_equivalent(difference: Contrast, margin: float, level: float = CONFIDENCE) -> Verdict:
    """Whether two sides differ by less than ``margin``: two one-sided tests, so the interval is at ``1 - 2 (1 - level)``."""
    if difference.p_equivalent(margin) < 1 - level:
        return "holds"
    low, high = difference.interval(level)
    return "refuted" if low > margin or high < -margin else "inconclusive"


def weakest(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict of a claim of several differences, which all have to hold."""
    order = ("reversed", "refuted", "inconclusive", "smaller than claimed", "holds")
    return min(verdicts, key=order.index)


def holm_levels(p: Sequence[float]) -> list[float]:
    """The confidence of each interval of a family that Holm's procedure stands behind.

    The k-th smallest p is held against ``0.05 / (n - k)``; from the first that fails on, all share its level.
    """
    order = sorted(range(len(p)), key=p.__getitem__)
    levels, alpha, failed = [0.0] * len(p), 0.0, False
    for rank, index in enumerate(order):
        if not failed:
            alpha = (1 - CONFIDENCE) / (len(p) - rank)
            failed = p[index] >= alpha
        levels[index] = 1 - alpha
    return levels


def pooled(draws: Sequence[Contrast]) -> Contrast:
    """The mean of independent estimates: the same difference in several draws of a world."""
    terms = [(c.error**2 / len(draws) ** 2, c.freedom) for c in draws]
    finite = [(v, f) for v, f in terms if v > 0 and math.isfinite(f)]
    freedom = satterthwaite(finite)
    return Contrast(
        math.fsum(c.estimate for c in draws) / len(draws), math.sqrt(math.fsum(v for v, _ in terms)), freedom
    )


def power_for(lead: Contrast, effect: float, family: int) -> float:
    """How probable it was to see an effect of the claimed size, at the family's strictest level."""
    return power_of(effect, lead.error, lead.freedom, family)


def times_more(lead: Contrast, effect: float, family: int) -> float:
    """By what factor seeds and test clusters have to grow together to resolve the claimed effect; 1 where they do."""
    if effect <= 0:
        return 1.0
    return max(1.0, (resolvable(lead.error, lead.freedom, family, POWER) / effect) ** 2)
