"""How detection is checked, measured and aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import EvaluationSet, Example
from reelbench.errors import PredictionError
from reelbench.predictions import Predictions, check_ids
from reelbench.resampling import positives_by_draw
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import number_table, ragged_column
from reelbench.tasks.detection import PRIMARY, SHOWN, THRESHOLDS
from reelbench.tasks.metrics.detection import match_detections
from reelbench.tasks.metrics.division import ratio
from reelbench.tasks.metrics.ranked import (
    Array,
    average_precision,
    by_cluster,
    mean_over_classes,
)


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, and that each detection is four finite numbers, runs forwards and names a class."""
    check_ids(predictions, evaluation.ids)
    classes = len(evaluation.spaces["actions"])
    for example_id, detections in ragged_column(predictions, "detections").items():
        where = f"column 'detections' of example {example_id!r}"
        _check(number_table(detections, (None, 4), where), classes, where)


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """Pooled detections with whether they are right (constants), and positives by class (column)."""
    column = ragged_column(predictions, "detections")
    classes = len(evaluation.spaces["actions"])
    parts, positives = [], []
    for row, example_id in enumerate(evaluation.ids):
        detections = np.asarray(column[example_id], dtype=np.float64).reshape(-1, 4)
        targets = evaluation.targets[example_id]
        segments = np.asarray(targets["segments"], dtype=np.float64).reshape(-1, 2)
        labels = np.asarray(targets["labels"], dtype=np.int64)
        positives.append(np.bincount(labels, minlength=classes))
        parts.append(_matched(row, detections, segments, labels))
    constants = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return ScoreSheet.build(
        evaluation.ids, evaluation.clusters, {"positives": np.stack(positives)}, constants
    )


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Mean AP under cluster weights ``(draws, clusters)``, over the classes that have positives in a draw."""
    values = {f"map_tiou_{t}": _mean_ap(sheet, weights, k) for k, t in enumerate(THRESHOLDS)}
    return values | {"map_tiou_mean": np.mean(list(values.values()), axis=0)}


def positives(sheet: ScoreSheet) -> Array:
    """True segments by class, ``(n, classes)``."""
    return sheet.columns["positives"].astype(np.float64)


def example_scores(sheet: ScoreSheet) -> NDArray[np.float64]:
    """F1 of a video's detections at the primary overlap, all scores taken; 1 where nothing was to be found."""
    right = sheet.constants["right"][:, THRESHOLDS.index(PRIMARY)]
    row, n = sheet.constants["row"], len(sheet.ids)
    found, said = np.bincount(row, weights=right, minlength=n), np.bincount(row, minlength=n)
    total = said + sheet.columns["positives"].sum(axis=1)
    return ratio(2 * found, total, empty=1.0)


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The true events and as many of the best-scored detections, at least three."""
    names = evaluation.spaces["actions"]
    true = [
        (*segment, names[int(label)])
        for segment, label in zip(targets["segments"], targets["labels"], strict=True)
    ]
    best = sorted(prediction["detections"], key=lambda d: -d[3])[: max(SHOWN, len(true))]
    said = [(start, end, f"{names[int(label)]} ({score:.2f})") for start, end, label, score in best]
    return {"Answer": _as_text(true), "Predicted": _as_text(said)}


def _check(detections: Array, classes: int, where: str) -> None:
    label = detections[:, 2]
    if wrong := np.flatnonzero((label != np.floor(label)) | (label < 0) | (label >= classes)).tolist():
        raise PredictionError(
            f"{where}: detection {wrong[0]} has label {label[wrong[0]]:g}, expected 0 to {classes - 1}"
        )
    if wrong := np.flatnonzero(detections[:, 1] <= detections[:, 0]).tolist():
        start, end = detections[wrong[0], :2].tolist()
        raise PredictionError(
            f"{where}: detection {wrong[0]} ends at {end} s, not after its start at {start} s"
        )


def _matched(
    row: int, detections: Array, segments: Array, labels: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    """One video's detections by falling score (ties by class and time), and whether each is right by threshold."""
    start, end, label, score = detections.T
    ranked = detections[np.lexsort((end, start, label, -score))]
    right = np.zeros((len(ranked), len(THRESHOLDS)), dtype=bool)
    for k in np.unique(ranked[:, 2]):
        mine = ranked[:, 2] == k
        right[mine] = match_detections(ranked[mine, :2], segments[labels == k], np.asarray(THRESHOLDS))
    rows = np.full(len(ranked), row, dtype=np.int64)
    return {"row": rows, "label": ranked[:, 2].astype(np.int64), "score": ranked[:, 3], "right": right}


def _mean_ap(sheet: ScoreSheet, weights: Array, threshold: int) -> Array:
    """Mean AP at one overlap: ``(draws,)``."""
    cluster = sheet.clusters[sheet.constants["row"]]
    counts = sheet.columns["positives"]  # (n, classes)
    positives = positives_by_draw(counts, sheet.clusters, weights)
    found, draws = [], by_cluster(weights)
    for k in np.flatnonzero(counts.any(axis=0)):
        mine = sheet.constants["label"] == k
        ranked = (sheet.constants["score"][mine], cluster[mine], sheet.constants["right"][mine, threshold])
        found.append(average_precision(*ranked, draws, positives[k], interpolated=True))
    return mean_over_classes(found, len(weights))


def _as_text(events: list[tuple[Any, ...]]) -> str:
    return "; ".join(f"{start:g}-{end:g} s {name}" for start, end, name in events) or "nothing"
