"""How reconstruction is checked, measured and aggregated; its conventions stand in :mod:`reelbench.tasks.reconstruction`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions, as_array, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import order_of, protocol_of
from reelbench.tasks.metrics.caption.scores import caption_metrics, mean_cider
from reelbench.tasks.metrics.weighting import Array, weighted_mean_of
from reelbench.tasks.reconstruction import COLUMN, LEVELS, REPORTED
from reelbench.tasks.rules import captioning


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, and that every caption is text or every frame finite and of the right size and number."""
    if _is_told(evaluation):
        captioning.validate(predictions, evaluation)
        return
    check_ids(predictions, evaluation.ids)
    as_array(predictions, "frames", _truth(evaluation, evaluation.ids[0]).shape)


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """``squared_error`` by frame ``(n, F)``, the mean over pixels and colours; for captions, captioning's statistics."""
    if _is_told(evaluation):
        return captioning.measure(predictions, evaluation)
    frames = np.asarray(predictions.columns["frames"])
    rows = zip(evaluation.ids, order_of(predictions, evaluation), strict=True)
    errors = np.stack([_errors(frames[row], _truth(evaluation, i)) for i, row in rows])
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, {"squared_error": errors})


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Metrics under cluster weights ``(draws, clusters)``."""
    if "squared_error" in sheet.columns:
        return {"mse": weighted_mean_of(sheet, weights, _of_clips(sheet))}
    values = caption_metrics(sheet, weights)
    return {name: values[name] for name in REPORTED}


def example_scores(sheet: ScoreSheet) -> Array:
    """The error of each clip's frames with its sign turned; for captions, CIDEr-D."""
    return -_of_clips(sheet) if "squared_error" in sheet.columns else mean_cider(sheet.columns)


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The sentence, and the other sentences or each frame's error beside that of the first frame repeated."""
    question = {"Question": " ".join(example["sentence"])} if "sentence" in example.fields else {}
    if COLUMN[protocol_of(evaluation)] == "caption":
        return {**question, **captioning.show(example, targets, prediction, evaluation)}
    truth = np.asarray(targets["frames"])
    still = np.broadcast_to(np.asarray(example["first_frame"]), truth.shape)
    return {
        **question,
        "Answer": f"the first frame, repeated, is off by {_said(_errors(still, truth))}",
        "Predicted": f"off by {_said(_errors(np.asarray(prediction['frames']), truth))}",
    }


def _is_told(evaluation: EvaluationSet) -> bool:
    return COLUMN[protocol_of(evaluation)] == "caption"


def _truth(evaluation: EvaluationSet, example_id: str) -> NDArray[Any]:
    return np.asarray(evaluation.targets[example_id]["frames"])


def _errors(frames: NDArray[Any], truth: NDArray[Any]) -> Array:
    """Mean squared error of each frame, in levels: ``(F, H, W, 3)`` twice → ``(F,)``."""
    difference = LEVELS * (frames.astype(np.float64) - truth)
    return np.asarray(np.square(difference).mean(axis=(1, 2, 3)), dtype=np.float64)


def _of_clips(sheet: ScoreSheet) -> Array:
    """Mean over a clip's frames: ``(n,)``."""
    return np.asarray(sheet.columns["squared_error"].mean(axis=1), dtype=np.float64)


def _said(errors: Array) -> str:
    return " ".join(f"{error:.0f}" for error in errors)
