"""What an open claim would take: held to a table of Student's t, to a search without calculus, and to the verdicts themselves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from claimed import CLAIM, lead
from scipy import stats

from reelbench.reports.claims.judging import Draw, Judged
from reelbench.reports.claims.lines import judged_object, takes
from reelbench.reports.claims.statement import claims_of
from reelbench.reports.claims.times_more import half_width_after, times_more, times_more_for_equivalence
from reelbench.reports.claims.verdict import judge_equivalent, judge_greater, pooled
from reelbench.reports.statistics.contrast import Contrast, Scores, contrast, satterthwaite


@pytest.mark.parametrize(
    ("estimate", "half", "room"),
    [
        (0.0, 0.04, 0.02),  # the effect 0.02 has to be excluded
        (0.005, 0.06, 0.015),
        (0.03, 0.05, 0.03),  # it reaches the effect: 0 has to be excluded
        (-0.01, 0.06, 0.03),
    ],
)
def test_what_it_takes_is_a_half_width_that_excludes_nought_or_the_effect(estimate, half, room):
    assert judge_greater(lead(estimate, half), 0.02) == "inconclusive"
    factor = times_more(lead(estimate, half), 0.02)
    assert factor == pytest.approx((half / room) ** 2)
    shrunk = half / math.sqrt(factor)
    assert judge_greater(lead(estimate, shrunk * 0.999), 0.02) != "inconclusive"
    assert judge_greater(lead(estimate, shrunk * 1.001), 0.02) == "inconclusive"


@pytest.mark.parametrize(
    ("freedom", "level", "times", "quantile"),
    [
        # from a table of Student's t: the quantile of times * (freedom + 1) - 1 degrees of freedom
        (2, 0.95, 2, 2.5706),  # 5
        (2, 0.95, 4, 2.2010),  # 11
        (1, 0.95, 3, 2.5706),  # 5
        (1.5, 0.95, 2, 2.7764),  # 4
        (4, 0.95, 3, 2.1448),  # 14
        (2, 0.99, 3, 3.3554),  # 8
    ],
)
def test_degrees_of_freedom_grow_with_the_record(freedom, level, times, quantile):
    estimate = (
        quantile * 0.01 / math.sqrt(times)
    )  # half of the interval after that many times, so 0 is just left out
    found = Contrast(estimate, 0.01, freedom)
    assert judge_greater(found, 0.0, level) == "inconclusive"
    assert times_more(found, 0.0, level) == pytest.approx(times, rel=1e-3)


def test_each_term_has_the_freedom_of_its_own_values():
    # three seeds a side: two terms of 2, twice as many seeds give each 5, and Satterthwaite's rule their sum, 10: t is 2.2281
    two = Contrast(0.0, math.sqrt(2), 4.0, terms=((1.0, 2.0), (1.0, 2.0)))
    assert half_width_after(two, 2, 0.95) == pytest.approx(2.2281 * math.sqrt(2 / 2), rel=1e-4)
    # beside a term of 20 clusters: V = 1, 1, 2; 16 / (1/5 + 1/5 + 4/39) = 31.86, 2.0373 between the table's 31 (2.0395) and 32 (2.0369)
    three = Contrast(0.0, 2.0, 4.0, terms=((1.0, 2.0), (1.0, 2.0), (2.0, 19.0)))
    assert half_width_after(three, 2, 0.95) == pytest.approx(2.0373 * math.sqrt(4 / 2), rel=1e-4)


def test_now_is_the_interval_of_now():
    found = Contrast(0.1, 0.03, satterthwaite([(0.0004, 2), (0.0005, 19)]), terms=((0.0004, 2), (0.0005, 19)))
    assert half_width_after(found, 1, 0.98) == pytest.approx(found.half_width(0.98))


def test_a_difference_keeps_the_terms_of_its_seeds_and_clusters():
    rng = np.random.default_rng(0)
    one, other = (Scores(tuple(rng.normal(0.5, 0.1, 3)), rng.normal(0.5, 0.1, (3, 50)), 20) for _ in "ab")
    sure = Scores((0.5,), rng.normal(0.5, 0.1, (1, 50)), 20, deterministic=True)
    found = contrast(one, other)
    assert [freedom for _, freedom in found.terms] == [19, 2, 2]
    assert [freedom for _, freedom in contrast(one, sure).terms] == [19, 2]  # no seed term without seeds
    both = pooled([found, contrast(one, sure)])
    assert len(both.terms) == 5
    assert math.fsum(v for v, _ in both.terms) == pytest.approx(both.error**2)
    assert satterthwaite(both.terms) == pytest.approx(both.freedom)


@pytest.mark.parametrize("freedom", [1.5, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("level", [0.95, 1 - 0.05 / 26])
def test_a_search_in_small_steps_finds_the_same(freedom, level):
    found = Contrast(0.02, 0.01, freedom)  # two standard errors from 0, which are not enough today
    times = np.arange(1, 60, 0.001)
    half = stats.t.ppf((1 + level) / 2, times * (freedom + 1) - 1) * 0.01 / np.sqrt(times)
    first = times[np.argmax(half <= 0.02)]
    assert first > 1
    assert times_more(found, 0.01, level) == pytest.approx(first, abs=0.002)
    assert (
        times_more(found, 0.01, level) < (found.half_width(level) / 0.02) ** 2
    )  # what today's quantile would say


def test_far_away_is_not_never():
    assert times_more(lead(0.02 - 1e-6, 0.04), 0.02) == pytest.approx(0.04**2 / 1e-12)
    assert times_more(lead(0.0, 0.04), 0.0) == math.inf
    assert times_more_for_equivalence(lead(0.03, 0.04), 0.03) == math.inf


@pytest.mark.parametrize("estimate", [0.01, -0.05])
def test_what_an_equivalence_takes(estimate):
    factor = times_more_for_equivalence(lead(estimate, 0.04), 0.03)
    assert factor > 1
    for nudge, settled in ((0.999, True), (1.001, False)):
        verdict = judge_equivalent(lead(estimate, 0.04 / math.sqrt(factor) * nudge), 0.03)
        assert (verdict != "inconclusive") is settled


@pytest.mark.parametrize(
    ("times", "seeds", "told"),
    [
        (1.31, ((3, 3),), "takes about 4 seeds a side where 3 ran, and 1.4 times the test clusters"),
        (
            2.0,
            ((3, 5), (5, 5)),
            "takes about 6–10 seeds a side where 3–5 ran, and 2.0 times the test clusters",
        ),
        (2.0, ((1, 5),), "takes about 10 seeds a side where 5 ran, and 2.0 times the test clusters"),
        (2.0, ((1, 1),), "takes about 2.0 times the test clusters"),  # neither has a seed to repeat
        (101.0, ((3, 3),), "would take more than 100 times the seeds and test clusters"),
        (101.0, ((1, 1),), "would take more than 100 times the test clusters"),
        (math.inf, ((3, 3),), "on the border itself, so that no record will tell"),
    ],
)
def test_what_it_takes_is_told_in_seeds(times, seeds, told):
    found = lead(0.01, 0.05)
    draws = tuple(Draw(f"x/draw{k}", found, "inconclusive", counts) for k, counts in enumerate(seeds))
    (claim,) = claims_of("jsfusion", {"claims": [CLAIM]})
    one = Judged(claim, "x", "p", "inconclusive", lead=found, draws=draws, times_more=times)
    assert takes(one) == told
    object_ = judged_object(one)
    assert (object_["takes"], object_["times_more"]) == (told, times if times <= 100 else None)
    assert takes(replace(one, verdict="holds")) == ""
