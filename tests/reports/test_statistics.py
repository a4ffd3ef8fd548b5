"""The statistics of a leaderboard against independent sources: statsmodels' values, Welch's test, simulation."""

from __future__ import annotations

import json
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reelbench.reports.statistics.contrast import Scores, cluster_variance, contrast, level_of, satterthwaite
from reelbench.reports.statistics.family import holm, rank_intervals
from reelbench.reports.statistics.pairs import all_pairs, tell_apart
from reelbench.reports.statistics.power import planned_error, power_of, resolvable
from reelbench.resampling import cluster_weights

NAMES = [f"story-{i}" for i in range(40)]


def row(cells: np.ndarray, weights: np.ndarray, *, deterministic: bool = False) -> Scores:
    """Scores of ``(seeds, clusters)`` means of equally large clusters."""
    draws = weights / weights.sum(axis=1, keepdims=True)
    return Scores(tuple(cells.mean(axis=1)), cells @ draws.T, cells.shape[1], deterministic)


@cache
def weights_of(clusters: int) -> np.ndarray:
    return cluster_weights([f"story-{i}" for i in range(clusters)], 500)


def rows_of(
    rng: np.random.Generator, effects: list[float], seeds: int, clusters: int = len(NAMES)
) -> list[Scores]:
    """Rows with a common difficulty of clusters, an effect each, and noise of seeds and of their interaction."""
    weights = weights_of(clusters)
    hard = rng.normal(0, 0.2, clusters)
    return [
        row(
            0.5 + effect + hard + rng.normal(0, 0.1, clusters) + rng.normal(0, 0.02, (seeds, 1)) + rng.normal(0, 0.05, (seeds, clusters)),
            weights,
        )
        for effect in effects
    ]  # fmt: skip


def test_holm_is_statsmodels(shared):
    oracle = json.loads((shared / "oracles/stats/stats_oracle.json").read_text())["holm"]
    assert holm(oracle["p"]) == pytest.approx(oracle["adjusted"])
    assert [p < 0.05 for p in holm(oracle["p"])] == oracle["reject_0.05"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni_and_keeps_the_order(p):
    adjusted = holm(p)
    assert all(a <= b + 1e-12 and b <= min(1, len(p) * a) + 1e-12 for a, b in zip(p, adjusted, strict=True))
    assert [adjusted[i] for i in np.argsort(p, kind="stable")] == sorted(adjusted)


def test_without_noise_of_clusters_it_is_welch():
    left, right = (0.51, 0.55, 0.49, 0.56), (0.44, 0.47, 0.46)
    constant = [Scores(v, np.repeat(np.array(v)[:, None], 50, axis=1), 40) for v in (left, right)]
    found, welch = contrast(*constant), stats.ttest_ind(left, right, equal_var=False)
    assert found.p == pytest.approx(welch.pvalue)
    assert found.freedom == pytest.approx(welch.df)
    assert found.interval() == pytest.approx(tuple(welch.confidence_interval(0.95)))


def test_without_noise_of_seeds_it_is_the_paired_t_test_over_clusters():
    rng = np.random.default_rng(3)
    cells = rng.normal(size=(2, len(NAMES)))
    weights = cluster_weights(NAMES, 20_000)
    found = contrast(*(row(c[None], weights, deterministic=True) for c in cells))
    paired = stats.ttest_rel(*cells)
    assert found.freedom == len(NAMES) - 1
    assert found.estimate == pytest.approx((cells[0] - cells[1]).mean())
    assert found.error == pytest.approx((cells[0] - cells[1]).std(ddof=1) / math.sqrt(len(NAMES)), rel=0.02)
    assert found.p == pytest.approx(paired.pvalue, rel=0.1)


def test_satterthwaite_by_hand():
    # V = 4 + 2 + 1 = 7; 49 / (16/10 + 4/2 + 1/4) = 49 / 3.85
    assert satterthwaite([(4, 10), (2, 2), (1, 4)]) == pytest.approx(49 / 3.85)
    assert satterthwaite([(0, 10), (0, 2)]) == math.inf


def test_a_bootstrap_of_few_clusters_is_made_as_wide_as_the_sample():
    values = np.array([1.0, 2.0, 4.0, 9.0, 3.0])
    draws = cluster_weights(NAMES[:5], 40_000) @ values / 5
    assert cluster_variance(draws, 5) == pytest.approx(values.var(ddof=1) / 5, rel=0.03)


def test_draws_in_which_a_metric_is_undefined_are_left_out():
    draws = np.array([1.0, np.nan, 3.0, 2.0])
    assert cluster_variance(draws, 1000) == pytest.approx(1.0 * 1000 / 999)


def test_two_rows_with_identical_predictions_are_never_apart():
    (one,) = rows_of(np.random.default_rng(0), [0.0], 3)
    assert contrast(one, one).p == 1.0
    fixed = Scores(one.values[:1], one.replicates[:1], one.clusters, deterministic=True)
    assert contrast(fixed, fixed).p == 1.0
    adjusted, ranks = tell_apart(all_pairs([fixed, fixed]), higher=True, level=0.05)
    assert adjusted[0, 1] == 1.0
    assert ranks == [(1, 2), (1, 2)]


def test_a_difference_without_any_noise_is_sure():
    one, other = (Scores((v,), np.full((1, 9), v), 40, deterministic=True) for v in (0.5, 0.25))
    assert (contrast(one, other).p, contrast(one, other).interval()) == (0.0, (0.25, 0.25))


def test_rows_of_different_test_sets_are_not_compared():
    one = Scores((0.5,), np.zeros((1, 9)), 40)
    other = Scores((0.5,), np.zeros((1, 9)), 39)
    with pytest.raises(ValueError, match="different test sets"):
        contrast(one, other)
    with pytest.raises(ValueError, match="different test sets"):
        all_pairs([one, other])


@given(st.integers(0, 50), st.integers(2, 5), st.integers(2, 4))
def test_all_pairs_at_once_are_the_pairs_one_by_one(seed, rows, seeds):
    found = rows_of(np.random.default_rng(seed), [0.0] * rows, seeds)
    pairs = all_pairs(found)
    for i in range(rows):
        for j in range(i + 1, rows):
            one, at_once = contrast(found[i], found[j]), pairs.of(i, j)
            assert at_once.estimate == pytest.approx(one.estimate)
            assert at_once.error == pytest.approx(one.error, rel=1e-6)
            assert at_once.freedom == pytest.approx(one.freedom, rel=1e-5)
    above = [contrast(found[i], found[j]).p for i in range(rows) for j in range(i + 1, rows)]
    assert list(pairs.p()) == pytest.approx(above, rel=1e-5)


def test_rank_intervals_by_hand():
    # a surely beats c and d, b surely beats d: a 1-2, b 1-3, c 2-4, d 3-4
    assert rank_intervals(4, [(0, 2), (0, 3), (1, 3)]) == [(1, 2), (1, 3), (2, 4), (3, 4)]


def test_of_a_metric_that_is_better_when_lower_the_lower_row_is_first():
    rows = rows_of(np.random.default_rng(1), [0.4, 0.0], 5)
    assert tell_apart(all_pairs(rows), higher=True, level=0.05)[1] == [(1, 1), (2, 2)]
    assert tell_apart(all_pairs(rows), higher=False, level=0.05)[1] == [(2, 2), (1, 1)]


def test_an_equivalence_needs_both_sides():
    rng = np.random.default_rng(4)
    near, far = rows_of(rng, [0.0, 0.3], 5)
    twin = Scores(near.values, near.replicates + 1e-3, near.clusters)
    assert contrast(near, twin).p_equivalent(0.1) < 0.05
    assert contrast(near, twin).p_equivalent(0.001) > 0.05
    assert contrast(near, far).p_equivalent(0.1) > 0.9


def test_the_two_one_sided_tests_are_scipys():
    left, right = np.array([0.51, 0.55, 0.49, 0.56]), np.array([0.44, 0.47, 0.46])
    constant = [Scores(tuple(v), np.repeat(v[:, None], 50, axis=1), 40) for v in (left, right)]
    above = stats.ttest_ind(left + 0.1, right, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(left - 0.1, right, equal_var=False, alternative="less").pvalue
    assert contrast(*constant).p_equivalent(0.1) == pytest.approx(max(above, below))


def test_a_rows_own_interval_has_its_clusters_and_its_seeds():
    (one,) = rows_of(np.random.default_rng(2), [0.0], 4)
    own = level_of(one)
    terms = [
        (cluster_variance(one.averaged, one.clusters), one.clusters - 1),
        (np.var(one.values, ddof=1) / 4, 3),
    ]
    assert own.error == pytest.approx(math.sqrt(sum(v for v, _ in terms)))
    assert own.freedom == pytest.approx(satterthwaite(terms))


def test_what_can_be_resolved_is_found_four_times_of_five():
    error, freedom = planned_error(cluster_sd=0.25, clusters=300, seed_sd=0.01, seeds=5)
    for pairs in (1, 66):
        effect = resolvable(error, freedom, pairs)
        assert power_of(effect, error, freedom, pairs) == pytest.approx(0.8, abs=0.01)


def test_power_is_the_size_where_there_is_no_effect():
    assert power_of(0.0, 0.1, 20.0) == pytest.approx(0.05)


# The corners that STATISTICS.md names under Acceptance. Draws are seeded, so that the bounds are held as they stand.
CORNERS = [(3, 15), (3, 300), (5, 15), (5, 300)]
FEW_SEEDS = pytest.mark.xfail(
    strict=True, reason="three seeds that outweigh 300 clusters: docs/statistics.md"
)


@pytest.mark.parametrize(("seeds", "clusters"), CORNERS)
def test_with_no_true_difference_3_to_7_percent_of_pairs_are_told_apart(seeds, clusters):
    trials = 2000
    rng = np.random.default_rng(seeds * 1000 + clusters)
    false = sum(contrast(*rows_of(rng, [0.0, 0.0], seeds, clusters)).p < 0.05 for _ in range(trials))
    assert 0.03 <= false / trials <= 0.07


@pytest.mark.parametrize(
    ("seeds", "clusters"), [pytest.param(*c, marks=FEW_SEEDS if c == (3, 300) else ()) for c in CORNERS]
)
def test_of_tables_of_twelve_equal_rows_at_most_7_percent_have_any_difference(seeds, clusters):
    tables = 400
    rng = np.random.default_rng(seeds)
    false = sum(
        (
            tell_apart(all_pairs(rows_of(rng, [0.0] * 12, seeds, clusters)), higher=True, level=0.05)[0]
            < 0.05
        ).any()
        for _ in range(tables)
    )
    assert false / tables <= 0.07


@pytest.mark.parametrize(("seeds", "clusters"), [(3, 15), (5, 15), (5, 300)])
def test_a_difference_that_can_be_resolved_is_found_about_four_times_of_five(seeds, clusters):
    rng = np.random.default_rng(clusters)
    typical = [contrast(*rows_of(rng, [0.0, 0.0], seeds, clusters)) for _ in range(100)]
    effect = resolvable(
        float(np.median([c.error for c in typical])), float(np.median([c.freedom for c in typical]))
    )
    trials = 1000
    found = sum(contrast(*rows_of(rng, [effect, 0.0], seeds, clusters)).p < 0.05 for _ in range(trials))
    assert 0.75 <= found / trials <= 0.87


def test_equal_predictions_of_one_deterministic_seed_and_of_many_are_never_apart():
    rng = np.random.default_rng(5)
    weights = weights_of(30)
    for _ in range(200):
        cells = rng.random(30)
        one = row(cells[None], weights, deterministic=True)
        many = Scores(one.values * 7, np.repeat(one.replicates, 7, axis=0).astype(np.float32), 30)
        assert contrast(one, many).p == 1.0
        assert all_pairs([one, many]).p()[0] == 1.0


@pytest.mark.parametrize("draws", [np.full((1, 9), np.nan), np.full((1, 1), 0.5)])
def test_what_clusters_leave_open_is_not_zero_where_it_cannot_be_known(draws):
    unknown = level_of(Scores((0.5,), draws, 40))
    assert not unknown.is_known
    lonely = Scores((0.9,), np.full((1, 9), 0.9), 1, deterministic=True)
    other = Scores((0.1,), np.full((1, 9), 0.1), 1, deterministic=True)
    assert contrast(lonely, other).p == 1.0
    assert contrast(lonely, other).interval() == (-math.inf, math.inf)
    assert all_pairs([lonely, other]).p()[0] == 1.0


def test_rows_of_other_data_are_not_compared_though_their_clusters_have_the_same_names():
    one, other = (Scores((0.5,), np.zeros((1, 9)), 40, digest=d) for d in ("data 1", "data 2"))
    with pytest.raises(ValueError, match="different test sets"):
        contrast(one, other)
    with pytest.raises(ValueError, match="different test sets"):
        all_pairs([one, other])


def test_an_undefined_p_is_no_difference():
    assert holm([math.nan, 0.01]) == [1.0, 0.02]
