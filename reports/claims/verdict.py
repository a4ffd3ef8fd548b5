"""What a difference says of a claim, at a level of confidence. Pure arithmetic; the rules are in ``docs/statistics.md``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from scipy.special import stdtr, stdtrit

from reelbench.reports.statistics.contrast import CONFIDENCE, Contrast, satterthwaite
from reelbench.reports.statistics.power import power_of

MOST_TIMES_MORE = 100

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
    error = math.sqrt(math.fsum(variance for variance, _ in terms))
    return Contrast(math.fsum(c.estimate for c in draws) / len(draws), error, satterthwaite(terms))


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


def times_more(lead: Contrast, effect: float, level: float = CONFIDENCE) -> float | None:
    """By what factor seeds and test clusters have to grow together until an inconclusive lead says something.

    The interval has to get narrow enough, where the estimate stays, to exclude 0 (the estimate reaches the effect) or the effect (it
    does not). ``None`` where the estimate is so near to that border that no record will tell.
    """
    room = lead.estimate if lead.estimate >= effect else effect - lead.estimate
    return _factor(lead.half_width(level), room)


def times_more_for_equivalence(
    difference: Contrast, margin: float, level: float = CONFIDENCE
) -> float | None:
    """The same of an equivalence: until the difference is surely on its side of the margin."""
    room = margin - abs(difference.estimate)
    one_sided = 2 * level - 1  # the two-sided level whose ends are those of the two tests
    return _factor(difference.half_width(one_sided if room > 0 else level), abs(room))


def _factor(half: float, room: float) -> float | None:
    if room <= 0:
        return None
    factor = (half / room) ** 2
    return factor if 1 < factor <= MOST_TIMES_MORE else None
