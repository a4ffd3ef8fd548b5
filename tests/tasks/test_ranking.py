"""Ranks with ties: against counting every order of the tied block, and against an official code's numbers."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions
from reelbench.scoring import ScoreSheet
from reelbench.tasks.metrics.medians import weighted_median_of
from reelbench.tasks.metrics.ranking import count_best_ranks, count_ranks
from reelbench.tasks.retrieval import Retrieval

ORACLE = {"R@1": "t2v_recall_at_1", "R@5": "t2v_recall_at_5", "R@10": "t2v_recall_at_10"}


def by_hand(scores: list[int], right: list[int], k: int) -> tuple[float, float]:
    """Share of orders with a right candidate among the first k, and the mean rank of the first right one."""
    orders = [
        p
        for p in itertools.permutations(range(len(scores)))
        if list(p) == sorted(p, key=lambda i: -scores[i])
    ]
    ranks = [min(order.index(r) for r in right) + 1 for order in orders]
    return float(np.mean([rank <= k for rank in ranks])), float(np.mean(ranks))


@settings(max_examples=60)
@given(scores=st.lists(st.integers(0, 2), min_size=2, max_size=6), k=st.integers(1, 6), data=st.data())
def test_ties_are_the_mean_over_every_order_of_the_tied_block(scores: list[int], k: int, data: Any) -> None:
    right = data.draw(st.lists(st.integers(0, len(scores) - 1), min_size=1, unique=True))
    table = np.array([scores], dtype=np.float64)
    counts = count_best_ranks(table, np.zeros(len(right), dtype=int), np.array(right))
    hit, rank = by_hand(scores, right, k)
    assert counts.expected_hit(k)[0] == pytest.approx(hit)
    assert counts.expected_rank()[0] == pytest.approx(rank)
    if len(right) == 1:
        assert count_ranks(table, np.array(right)).expected_hit(k)[0] == pytest.approx(hit)


def oracle(shared: Path, name: str) -> tuple[Any, dict[str, Any]]:
    folder = shared / "oracles" / "retrieval"
    scores = np.array(json.loads((folder / "input.json").read_text())["sims"][name], dtype=np.float64)
    return scores, json.loads((folder / "expected.json").read_text())[name]


def score(scores: Any) -> dict[str, float]:
    ids = tuple(f"q{k}" for k in range(len(scores)))
    videos = tuple(f"v{k}" for k in range(len(scores)))
    queries = [Example(i, {"query": (i,)}) for i in ids]
    targets = {i: {"match": v} for i, v in zip(ids, videos, strict=True)}
    gallery = [Example(v, {}) for v in videos]
    evaluation = EvaluationSet(
        "retrieval@oracle:sentence", "test", queries, targets, {i: i for i in ids}, gallery
    )
    return Retrieval().score(Predictions(ids, {"scores": scores}, videos), evaluation)[1]


@pytest.mark.parametrize("name", ["no_ties", "ties", "constant"])
def test_recall_is_the_oracles_expectation_over_ties(shared: Path, name: str) -> None:
    scores, expected = oracle(shared, name)
    values = score(scores)
    for theirs, ours in ORACLE.items():
        assert 100 * values[ours] == pytest.approx(expected["expected_R_random_ties"][theirs], abs=1e-10)
    assert 100 * values["t2v_recall_at_1_worst"] == pytest.approx(expected["worst"]["R@1"], abs=1e-10)
    assert values["t2v_median_rank"] == expected["mean_rank"]["MedR"]
    assert values["t2v_mean_rank"] == pytest.approx(expected["mean_rank"]["MeanR"])


@pytest.mark.parametrize("name", ["no_ties", "ties", "constant"])
def test_both_directions_rank_as_collaborative_experts_does(shared: Path, name: str) -> None:
    scores, expected = oracle(shared, name)
    values = score(scores)
    for direction in ("t2v", "v2t"):
        assert values[f"{direction}_median_rank"] == expected[f"ce_{direction}"]["MedR"]
        assert values[f"{direction}_mean_rank"] == pytest.approx(expected[f"ce_{direction}"]["MeanR"])
        if name == "no_ties":
            for k in (1, 5, 10, 50):
                wanted = expected[f"ce_{direction}"][f"R{k}"]
                assert 100 * values[f"{direction}_recall_at_{k}"] == pytest.approx(wanted)


def test_a_right_candidate_at_minus_infinity_comes_last(shared: Path) -> None:
    scores, expected = oracle(shared, "neg_inf_diag")
    ranks = count_ranks(scores, np.arange(len(scores))).expected_rank()
    assert ranks.tolist() == expected["ranks_mean"]


def test_a_video_counts_once_however_many_queries_it_has() -> None:
    scores = np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    ids, videos = ("a", "b", "c"), ("x", "y")
    targets = {"a": {"match": "x"}, "b": {"match": "x"}, "c": {"match": "y"}}
    queries = [Example(i, {"query": (i,)}) for i in ids]
    gallery = [Example(v, {}) for v in videos]
    evaluation = EvaluationSet(
        "retrieval@toy:sentence", "test", queries, targets, {i: i for i in ids}, gallery
    )
    values = Retrieval().score(Predictions(ids, {"scores": scores}, videos), evaluation)[1]
    assert values["t2v_recall_at_1"] == pytest.approx(2 / 3)  # b finds y
    assert values["v2t_recall_at_1"] == 1.0  # a stands for x
    assert values["v2t_median_rank"] == 1.0


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=12))
def test_a_median_under_whole_weights_is_numpys_of_copied_values(pairs: list[tuple[int, int]]) -> None:
    values, weights = (np.array(column) for column in zip(*pairs, strict=True))
    ids = [f"{k:02d}" for k in range(len(pairs))]
    sheet = ScoreSheet.build(ids, {i: i for i in ids}, {})
    found = weighted_median_of(sheet, weights[None].astype(np.float64), values)[0]
    wanted = np.median(np.repeat(values, weights)) if weights.any() else np.nan
    np.testing.assert_equal(found, wanted)
