"""What an open claim would take: by what factor seeds and test clusters have to grow together until it says something.

Pure arithmetic. The estimate and every variance are taken to stay what they are; what grows is how many values each is of.
"""

from __future__ import annotations

import math

from scipy.optimize import brentq
from scipy.special import stdtrit

from reelbench.reports.claims.verdict import confidence_of_equivalence
from reelbench.reports.statistics.contrast import CONFIDENCE, ROUNDING, Contrast, satterthwaite

MOST_TIMES_MORE = 100
"""A longer way than this is not told as a number."""


def times_more(lead: Contrast, effect: float, level: float = CONFIDENCE) -> float:
    """By what factor seeds and test clusters have to grow together until an inconclusive lead says something.

    The interval has to get narrow enough, where the estimate stays, to exclude 0 (the estimate reaches the effect) or the effect (it
    does not). Infinite where the estimate lies on that border, so that no record will tell.
    """
    room = lead.estimate if lead.estimate >= effect else effect - lead.estimate
    return _factor(lead, level, room, max(abs(lead.estimate), effect))


def times_more_for_equivalence(difference: Contrast, margin: float, level: float = CONFIDENCE) -> float:
    """The same of an equivalence: until the difference is surely on its side of the margin."""
    room = abs(margin - abs(difference.estimate))
    confidence = confidence_of_equivalence(difference, margin, level)
    return _factor(difference, confidence, room, max(abs(difference.estimate), margin))


def half_width_after(lead: Contrast, times: float, level: float) -> float:
    """Half of the interval that ``times`` as many seeds and clusters would leave.

    A variance of ``n`` values, with ``n - 1`` degrees of freedom, falls to ``1 / times`` of itself and has ``times * n - 1``; Satterthwaite's
    rule puts them together. Of a lead whose terms are not known, its own freedom stands for that of one term.
    """
    terms = lead.terms or ((lead.error**2, lead.freedom),)
    freedom = satterthwaite([(variance, times * (own + 1) - 1) for variance, own in terms])
    return float(stdtrit(freedom, (1 + level) / 2)) * lead.error / math.sqrt(times)


def _factor(lead: Contrast, level: float, room: float, scale: float) -> float:
    """The smallest factor of at least 1 after which half of the interval is no wider than ``room``."""
    if room <= ROUNDING * scale:
        return math.inf

    def too_wide(times: float) -> float:
        return half_width_after(lead, times, level) - room

    enough = 1.0
    while too_wide(enough) > 0:
        enough *= 2
    return float(brentq(too_wide, enough / 2, enough, rtol=1e-9)) if enough > 1 else 1.0
