"""Detection against ActivityNet's own code, by hand, and on bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle_cases import detection_case, one_cluster_each

from reelbench.errors import PredictionError
from reelbench.predictions import Predictions
from reelbench.tasks.detection import Detection
from reelbench.tasks.metrics.detection import match_detections

task = Detection()


def evaluation_of(events: list[Any], labels: list[int]) -> Any:
    targets = {"v": {"segments": events, "labels": labels}}
    return one_cluster_each("detection@x:events", targets, spaces={"actions": ("run", "jump")})


def predicted(detections: Any) -> Predictions:
    return Predictions(("v",), {"detections": [detections]})


def test_scores_are_those_of_the_official_code(shared: Path) -> None:
    case = detection_case(shared)
    assert max(map(abs, case.differences().values())) < 1e-12


def test_a_second_detection_of_one_event_is_wrong() -> None:
    # Precisions 1, 1/2, 2/3 at recalls 1/2, 1/2, 1: interpolated AP = 1/2 * 1 + 1/2 * 2/3.
    said = [[0, 4, 0, 0.9], [0, 4, 0, 0.8], [6, 9, 0, 0.7]]
    _, values = task.score(predicted(said), evaluation_of([[0, 4], [6, 9]], [0, 0]))
    assert values["map_tiou_0.5"] == pytest.approx(5 / 6)


def test_a_detection_takes_the_free_event_that_it_overlaps_most() -> None:
    thresholds = np.asarray([0.3, 0.9])
    right = match_detections(np.asarray([[0.0, 4], [0, 4]]), np.asarray([[0.0, 4], [0, 6]]), thresholds)
    assert right.tolist() == [[True, True], [True, False]]


def test_a_class_that_nobody_performs_does_not_count() -> None:
    _, values = task.score(predicted([[0, 4, 0, 0.5], [0, 4, 1, 0.9]]), evaluation_of([[0, 4]], [0]))
    assert values["map_tiou_mean"] == 1.0


def test_a_class_that_is_never_detected_counts_as_zero() -> None:
    _, values = task.score(predicted([[0, 4, 0, 0.5]]), evaluation_of([[0, 4], [5, 6]], [0, 1]))
    assert values["map_tiou_0.5"] == 0.5


def test_a_class_without_positives_in_a_draw_is_left_out_of_that_draw() -> None:
    targets = {"a": {"segments": [[0, 4]], "labels": [0]}, "b": {"segments": [[0, 4]], "labels": [1]}}
    evaluation = one_cluster_each("detection@x:events", targets, spaces={"actions": ("run", "jump")})
    sheet = task.measure(Predictions(("a", "b"), {"detections": [[[0, 4, 0, 1.0]], []]}), evaluation)
    values = task.aggregate(sheet, np.asarray([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]]))
    assert values["map_tiou_0.5"].tolist() == [0.5, 1.0, 0.0]


def test_a_video_without_detections_is_fine() -> None:
    _, values = task.score(predicted([]), evaluation_of([[0, 4]], [0]))
    assert values["map_tiou_0.5"] == 0.0


@pytest.mark.parametrize(
    ("detections", "message"),
    [
        ([[0, 4, 2, 0.5]], "detection 0 has label 2, expected 0 to 1"),
        ([[0, 4, 0, 0.5], [0, 4, 0.5, 0.5]], "detection 1 has label 0.5, expected 0 to 1"),
        ([[4, 0, 0, 0.5]], "detection 0 ends at 0.0 s, not after its start at 4.0 s"),
        ([[0, 4, 0]], "has shape 1 x 3, expected n x 4"),
        ([[0, 4, 0, float("inf")]], "holds NaN or infinity"),
        ([[0, 4, 0, None]], "holds NaN or infinity"),
        ([[0, 4, "run", 0.5]], "is not a table of numbers"),
    ],
)
def test_a_bad_detection_is_refused_in_one_line_with_its_example(detections: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=f"^column 'detections' of example 'v'.*{message}$"):
        task.validate(predicted(detections), evaluation_of([[0, 4]], [0]))
