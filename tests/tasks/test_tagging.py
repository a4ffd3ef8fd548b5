"""Tagging and action recognition against YouTube-8M's own code, scikit-learn and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_cases import one_cluster_each, tagging_cases
from sklearn.metrics import average_precision_score, top_k_accuracy_score

from reelbench.errors import PredictionError
from reelbench.predictions import Predictions
from reelbench.tasks.action_recognition import ActionRecognition
from reelbench.tasks.metrics.ranked import average_precision
from reelbench.tasks.metrics.tagging import gap, hit_at_1, mean_average_precision, perr, share_of_top
from reelbench.tasks.tagging import Tagging


def one_draw(n: int) -> tuple[Any, Any]:
    return np.arange(n), np.ones((1, n))


def test_scores_are_those_of_the_official_code(shared: Path) -> None:
    exact, float32 = tagging_cases(shared)
    assert max(map(abs, exact.differences().values())) < 1e-9
    assert max(map(abs, float32.differences().values())) < 1e-6


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), levels=st.integers(2, 20))
def test_average_precision_is_scikit_learns_with_any_ties_and_weights(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    score, hit, weight = (
        rng.integers(levels, size=30),
        rng.random(30) < 0.3,
        rng.integers(0, 3, size=30).astype(float),
    )
    hit[0], weight[0] = True, 1.0
    found = average_precision(score, np.arange(30), hit, weight[:, None], np.asarray([weight[hit].sum()]))
    assert found[0] == pytest.approx(average_precision_score(hit, score, sample_weight=weight))


def test_mean_average_precision_is_scikit_learns_macro_average() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.random((40, 6)), rng.random((40, 6)) < 0.3
    found = mean_average_precision(scores, labels, *one_draw(40))
    assert found[0] == pytest.approx(average_precision_score(labels, scores, average="macro"))


def test_gap_over_full_lists_is_scikit_learns_micro_average() -> None:
    rng = np.random.default_rng(1)
    scores, labels = rng.random((40, 6)), rng.random((40, 6)) < 0.3
    assert gap(scores, labels, *one_draw(40), k=6)[0] == pytest.approx(
        average_precision_score(labels, scores, average="micro")
    )


def test_labels_outside_the_list_still_count_as_positives() -> None:
    # One of two true labels is in the list of one, and is right: precision 1 at recall 1/2.
    scores, labels = np.asarray([[0.9, 0.1, 0.5]]), np.asarray([[True, True, False]])
    assert gap(scores, labels, *one_draw(1), k=1)[0] == 0.5


def test_labels_tied_at_the_cut_share_the_places_that_are_left() -> None:
    shares = share_of_top(np.asarray([[3.0, 1, 1, 1], [1, 2, 3, 4], [1, 1, 1, 1]]), np.asarray([2, 1, 0]))
    np.testing.assert_allclose(shares, [[1, 1 / 3, 1 / 3, 1 / 3], [0, 0, 0, 1], [0, 0, 0, 0]])


def test_equal_scores_everywhere_get_what_chance_gets() -> None:
    scores, labels = np.zeros((5, 10)), np.eye(10, dtype=bool)[:5]
    assert hit_at_1(scores, labels) == pytest.approx([0.1] * 5)
    assert perr(scores, labels) == pytest.approx([0.1] * 5)


def test_a_video_without_labels_has_no_precision() -> None:
    assert perr(np.asarray([[0.5, 0.6]]), np.zeros((1, 2), dtype=bool)).tolist() == [0.0]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_renaming_the_labels_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels, order = rng.integers(4, size=(8, 25)), rng.random((8, 25)) < 0.2, rng.permutation(25)
    labels[0, 0] = True
    for metric in (gap, mean_average_precision):
        there, back = (
            metric(s, y, *one_draw(8), k=20)
            for s, y in ((scores, labels), (scores[:, order], labels[:, order]))
        )
        np.testing.assert_allclose(there, back)


def test_top_5_is_scikit_learns() -> None:
    rng = np.random.default_rng(2)
    scores, label = rng.random((50, 9)), rng.integers(9, size=50)
    targets = {str(k): {"label": int(c)} for k, c in enumerate(label)}
    evaluation = one_cluster_each(
        "action_recognition@x:seen", targets, spaces={"actions": tuple("abcdefghi")}
    )
    _, values = ActionRecognition().score(Predictions(tuple(targets), {"scores": scores}), evaluation)
    for k in (1, 5):
        assert values[f"top_{k}"] == pytest.approx(top_k_accuracy_score(label, scores, k=k, labels=range(9)))


def test_a_constant_score_recognises_actions_by_chance() -> None:
    targets = {"a": {"label": 0}, "b": {"label": 7}}
    evaluation = one_cluster_each(
        "action_recognition@x:seen", targets, spaces={"actions": tuple("abcdefghij")}
    )
    _, values = ActionRecognition().score(Predictions(("a", "b"), {"scores": np.zeros((2, 10))}), evaluation)
    assert values == pytest.approx({"top_1": 0.1, "top_5": 0.5})


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.asarray([[0.1, np.nan]]), "column 'scores' is not finite for example 'v'"),
        (np.asarray([[0.1, 0.2, 0.3]]), r"column 'scores' has shape \(1, 3\), expected \(1, 2\)"),
        (["run"], "column 'scores' has shape|column 'scores' is not numeric"),
    ],
)
@pytest.mark.parametrize(
    ("task", "space", "target"),
    [(Tagging(), "tags", {"labels": [0]}), (ActionRecognition(), "actions", {"label": 0})],
)
def test_bad_scores_are_refused_in_one_line(
    task: Any, space: str, target: Any, scores: Any, message: str
) -> None:
    evaluation = one_cluster_each("x@x:x", {"v": target}, spaces={space: ("run", "jump")})
    with pytest.raises(PredictionError, match=message):
        task.validate(Predictions(("v",), {"scores": scores}), evaluation)
