"""What a difference says of a claim, at a level of confidence. Pure arithmetic; the rules are in ``docs/statistics.md``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from scipy.special import stdtr, stdtrit

from reelbench.reports.statistics.contrast import CONFIDENCE, Contrast, satterthwaite
from reelbench.reports.statistics.power import power_of

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


def confidence_of_equivalence(difference: Contrast, margin: float, level: float = CONFIDENCE) -> float:
    """The confidence of the two-sided interval that the verdict on an equivalence rests on.

    Of an estimate within the margin, the ends of two one-sided tests at ``level``: ``1 - 2 (1 - level)``. Of one beyond it, whether it is
    surely there is asked at ``level`` itself.
    """
    return 2 * level - 1 if abs(difference.estimate) < margin else level


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
    terms = tuple(
        (variance / len(draws) ** 2, freedom)
        for c in draws
        for variance, freedom in c.terms or ((c.error**2, c.freedom),)
    )
    error = math.sqrt(math.fsum(c.error**2 for c in draws)) / len(draws)
    return Contrast(
        math.fsum(c.estimate for c in draws) / len(draws), error, satterthwaite(terms), terms=terms
    )


def power_for(lead: Contrast, effect: float, family: int) -> float | None:
    """How probable it was to see a lead of the claimed size, at the family's strictest level; ``None`` where any lead will do."""
    return power_of(effect, lead.error, lead.freedom, family) if effect > 0 else None


def power_for_equivalence(difference: Contrast, margin: float, family: int) -> float | None:
    """How probable it was that both one-sided tests pass if there is no difference; ``None`` without a margin.

    Source: Phillips 1990; by central t, which is near where the power is not small.
    """
    if margin <= 0:
        return None
    if difference.error == 0:
        return 1.0
    critical = -float(stdtrit(difference.freedom, (1 - CONFIDENCE) / family))
    return max(0.0, 2 * float(stdtr(difference.freedom, margin / difference.error - critical)) - 1)
