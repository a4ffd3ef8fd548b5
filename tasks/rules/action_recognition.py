"""How action recognition is checked, measured and aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions, as_array, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.action_recognition import DEPTHS
from reelbench.tasks.checks import order_of
from reelbench.tasks.metrics.ranked import Array
from reelbench.tasks.metrics.weighting import weighted_mean_of


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, and one finite score a class."""
    check_ids(predictions, evaluation.ids)
    as_array(predictions, "scores", (len(evaluation.spaces["actions"]),))


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """How many classes score above the true one, and how many equal it (itself too)."""
    scores = np.asarray(predictions.columns["scores"])[order_of(predictions, evaluation)]  # (n, L)
    label = np.asarray([evaluation.targets[i]["label"] for i in evaluation.ids], dtype=np.int64)
    true = scores[np.arange(len(scores)), label][:, None]
    columns = {"greater": (scores > true).sum(axis=1), "equal": (scores == true).sum(axis=1)}
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, columns)


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Accuracies under cluster weights ``(draws, clusters)``."""
    return {f"top_{k}": weighted_mean_of(sheet, weights, _within(sheet, k)) for k in DEPTHS}


def example_scores(sheet: ScoreSheet) -> NDArray[np.float64]:
    """One over the expected rank of the true class."""
    return np.asarray(1.0 / (sheet.columns["greater"] + (sheet.columns["equal"] + 1) / 2))


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The true action and the three best-scored ones."""
    names, scores = evaluation.spaces["actions"], np.asarray(prediction["scores"])
    best = np.argsort(-scores, kind="stable")[:3]
    return {
        "Answer": names[int(targets["label"])],
        "Predicted": ", ".join(f"{names[k]} ({scores[k]:.2f})" for k in best),
    }


def _within(sheet: ScoreSheet, k: int) -> Array:
    """Chance that the true class is among the ``k`` best when ties are broken at random, ``(n,)``."""
    return np.asarray(np.clip((k - sheet.columns["greater"]) / sheet.columns["equal"], 0.0, 1.0))
