"""How many classes a draw of clusters has no positive of."""

from __future__ import annotations

import numpy as np
import pytest

from reelbench.resampling import classes_left_out, cluster_weights
from reelbench.scoring import ScoreSheet
from reelbench.tasks.detection import Detection
from reelbench.tasks.multiple_choice import MultipleChoice
from reelbench.tasks.tagging import Tagging


def sheet(**columns: np.ndarray) -> ScoreSheet:
    (values,) = columns.values()
    ids = [f"v{i}" for i in range(len(values))]
    return ScoreSheet.build(ids, {i: i for i in ids}, columns)


def test_a_class_in_few_clusters_is_missed_as_often_as_chance_says() -> None:
    labels = np.zeros((10, 4), dtype=bool)
    labels[:, 0] = labels[0, 1] = labels[:2, 2] = True  # in all clusters, in one, in two; the fourth in none
    found = classes_left_out(Tagging(), sheet(labels=labels))
    assert found is not None
    assert found["present"] == 3
    # A draw takes 10 of 10 clusters with replacement, and misses one by 0.9^10, two by 0.8^10; of 2,000 draws, 4 SD.
    assert found["left_out"] == pytest.approx(0.9**10 + 0.8**10, abs=0.05)


def test_it_is_the_mean_over_classes_that_leaves_them_out() -> None:
    """mAP is defined in exactly the draws in which a class is left."""
    labels = np.zeros((4, 1), dtype=bool)
    labels[0] = True
    one = ScoreSheet.build(
        list("abcd"), {i: i for i in "abcd"}, {"labels": labels, "scores": np.arange(4.0)[:, None]}
    )
    found = classes_left_out(Tagging(), one)
    weights = cluster_weights(one.cluster_names)
    undefined = np.isnan(Tagging().aggregate(one, weights)["map"]).mean()
    assert found == {"present": 1, "left_out": undefined}
    assert undefined > 0


def test_detection_counts_segments_and_others_have_no_classes() -> None:
    positives = np.asarray([[2, 0], [0, 0], [1, 3]])
    found = classes_left_out(Detection(), sheet(positives=positives))
    assert found is not None
    assert found["present"] == 2
    assert classes_left_out(MultipleChoice(), sheet(hit=np.ones(3))) is None
