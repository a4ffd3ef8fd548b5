"""Re-identification by hand and against scikit-learn, and on bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_cases import one_cluster_each
from sklearn.metrics import homogeneity_score
from sklearn.metrics.cluster import pair_confusion_matrix

from reelbench.errors import PredictionError
from reelbench.predictions import Predictions
from reelbench.tasks.metrics import identity
from reelbench.tasks.reidentification import COLUMN, Reidentification

task = Reidentification()
labels = st.lists(st.integers(0, 3), min_size=2, max_size=8)


def sets_of(protocol: str, *identities: Any, clips: Any = None) -> Any:
    targets = {
        f"s{k}": {
            "mention_identity": np.asarray(i),
            "track_identity": np.asarray(i),
            "mention_track": np.asarray(i),
        }
        for k, i in enumerate(identities)
    }
    size = len(identities[0])
    fields = {
        "mentions": np.asarray([[c, 0] for c in (clips or [0] * size)]).reshape(-1, 2),
        "track_clip": np.asarray(clips or [0] * size),
    }
    return one_cluster_each(f"reidentification@x:{protocol}", targets, fields)


def score(protocol: str, truths: list[Any], said: list[Any]) -> dict[str, float]:
    evaluation = sets_of(protocol, *truths)
    predictions = Predictions(tuple(evaluation.targets), {COLUMN[protocol]: said})
    return task.aggregate(sheet := task.measure(predictions, evaluation), sheet.unit_weights())


def test_accuracies_are_means_over_sets_and_small_sets_are_skipped() -> None:
    # Set 0 (a a b): said a b b, so pair 01 wrong, 02 right, 12 wrong: 1/3; same 0/1, different 1/2.
    # Set 1 (a b): said a b, right: 1; no pair of one person; different 1/1. Set 2 has one mention: skipped.
    values = score("characters", [[0, 0, 1], [0, 1], [0]], [[5, 6, 6], [1, 2], [1]])
    assert values["accuracy"] == pytest.approx((1 / 3 + 1) / 2)
    assert values["same_accuracy"] == 0.0
    assert values["diff_accuracy"] == pytest.approx((1 / 2 + 1) / 2)
    assert values["class_accuracy"] == 0.0


def test_class_accuracy_is_the_harmonic_mean_of_same_and_different() -> None:
    # a a b b said a a a b: same 1/2, different 2/4: pairs 02, 12 wrong, 03, 13 right.
    values = score("characters", [[0, 0, 1, 1]], [[0, 0, 0, 1]])
    assert values["same_accuracy"] == values["diff_accuracy"] == values["class_accuracy"] == 0.5


def test_links_count_as_they_are_and_clusters_close_them() -> None:
    # Links 0-1 and 1-2 of three different people, not 0-2: one pair of three right, but one cluster of three.
    same = [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
    values = score("video", [[0, 1, 2]], [same])
    assert values["accuracy"] == pytest.approx(1 / 3)
    assert values["bcubed_precision_transitive"] == pytest.approx(1 / 3)
    assert values["bcubed_recall_transitive"] == 1.0
    assert values["pairwise_f1_transitive"] == 0.0


def test_a_link_is_the_mean_of_both_directions_and_half_is_enough() -> None:
    values = score("text", [[0, 0]], [[[0.0, 0.9], [0.1, 0.0]]])
    assert values["accuracy"] == 1.0


def test_bcubed_by_hand() -> None:
    # Clusters {0 1 2} {3}, people {0 1} {2 3}. Precision 2/3 2/3 1/3 1, recall 1 1 1/2 1/2.
    precision, recall = identity.bcubed_sums(np.asarray([0, 0, 0, 1]), np.asarray([0, 0, 1, 1]))
    assert precision / 4 == pytest.approx(2 / 3)
    assert recall / 4 == 0.75


@given(st.data(), labels)
def test_pairs_are_counted_as_scikit_learn_counts_them(data: st.DataObject, truth: list[int]) -> None:
    said = data.draw(st.lists(st.integers(0, 3), min_size=len(truth), max_size=len(truth)))
    (different_right, _), (same_wrong, same_right) = pair_confusion_matrix(truth, said) // 2
    counts = identity.pair_counts(
        identity.equal_pairs(np.asarray(said)), identity.equal_pairs(np.asarray(truth))
    )
    assert counts["same_right"] == same_right
    assert counts["different_right"] == different_right
    assert counts["same"] == same_right + same_wrong


@given(st.data(), labels)
def test_bcubed_precision_is_one_exactly_where_clusters_are_pure(
    data: st.DataObject, truth: list[int]
) -> None:
    said = data.draw(st.lists(st.integers(0, 3), min_size=len(truth), max_size=len(truth)))
    precision, _ = identity.bcubed_sums(np.asarray(said), np.asarray(truth))
    assert (precision == pytest.approx(len(truth))) == (homogeneity_score(truth, said) == pytest.approx(1.0))


@given(labels)
def test_renaming_clusters_changes_nothing(truth: list[int]) -> None:
    renamed = score("characters", [truth], [[7 - k for k in truth]])
    for name, value in score("characters", [truth], [truth]).items():
        np.testing.assert_array_equal(value, renamed[name])


def test_grounding_counts_only_mentions_with_a_track_and_pools_them() -> None:
    values = score("grounding", [[0, 1, -1], [2, -1, -1]], [[0, 2, 2], [2, 0, 0]])
    assert values == {"accuracy": pytest.approx(2 / 3)}


def test_a_set_without_pairs_gets_no_score_of_its_own() -> None:
    evaluation = sets_of("characters", [0], [0])
    sheet = task.measure(Predictions(("s0", "s1"), {"labels": [[0], [1]]}), evaluation)
    assert np.isnan(task.example_scores(sheet)).all()
    assert np.isnan(task.aggregate(sheet, sheet.unit_weights())["accuracy"]).all()


@pytest.mark.parametrize(
    ("protocol", "value", "message"),
    [
        ("grounding", [0, 2], "mention 1 is linked to track 2, expected -1 to 1"),
        ("grounding", [0, 0], "mention 1 is linked to track 0, which is in another clip"),
        ("grounding", [0, 0.5], "holds numbers that are not whole"),
        ("grounding", [0], "has shape 1, expected 2"),
        ("video", [[0, 1]], "has shape 1 x 2, expected 2 x 2"),
        ("text", [[0, 2], [0, 0]], r"has scores outside \[0, 1\]"),
        ("text", [[0, float("nan")], [0, 0]], "holds NaN or infinity"),
        ("characters", ["[PERSON1]", "_"], "is not a table of numbers"),
        ("characters", 3, "has shape of one number, expected 2"),
    ],
)
def test_bad_answers_are_refused_in_one_line_with_their_set(protocol: str, value: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=f"^column '{COLUMN[protocol]}' of example 's0'.*{message}$"):
        task.validate(
            Predictions(("s0",), {COLUMN[protocol]: [value]}), sets_of(protocol, [0, 1], clips=[0, 1])
        )
