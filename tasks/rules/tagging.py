"""How tagging is checked, measured and aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions, as_array, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import order_of
from reelbench.tasks.metrics.ranked import Array
from reelbench.tasks.metrics.tagging import gap, hit_at_1, mean_average_precision, perr
from reelbench.tasks.metrics.weighting import weighted_mean_of
from reelbench.tasks.tagging import SHOWN, TOP


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, and one finite score a label."""
    check_ids(predictions, evaluation.ids)
    as_array(predictions, "scores", (len(evaluation.spaces["tags"]),))


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """Scores and labels ``(n, L)``, in the evaluation's order."""
    scores = np.asarray(predictions.columns["scores"])[order_of(predictions, evaluation)]
    labels = np.zeros(scores.shape, dtype=bool)
    for row, example_id in enumerate(evaluation.ids):
        labels[row, np.asarray(evaluation.targets[example_id]["labels"], dtype=np.int64)] = True
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, {"scores": scores, "labels": labels})


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Metrics under cluster weights ``(draws, clusters)``."""
    scores, labels = sheet.columns["scores"], sheet.columns["labels"]
    return {
        "gap_at_20": gap(scores, labels, sheet.clusters, weights, TOP),
        "hit_at_1": weighted_mean_of(sheet, weights, hit_at_1(scores, labels)),
        "perr": weighted_mean_of(sheet, weights, perr(scores, labels)),
        "map": mean_average_precision(scores, labels, sheet.clusters, weights),
        "map_top_20": mean_average_precision(scores, labels, sheet.clusters, weights, TOP),
    }


def positives(sheet: ScoreSheet) -> Array:
    """The labels, ``(n, L)``."""
    return sheet.columns["labels"].astype(np.float64)


def example_scores(sheet: ScoreSheet) -> NDArray[np.float64]:
    """Precision at equal recall rate."""
    return perr(sheet.columns["scores"], sheet.columns["labels"])


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The true tags and the five best-scored ones."""
    names, scores = evaluation.spaces["tags"], np.asarray(prediction["scores"])
    best = np.argsort(-scores, kind="stable")[:SHOWN]
    return {
        "Answer": ", ".join(names[int(k)] for k in targets["labels"]),
        "Predicted": ", ".join(f"{names[k]} ({scores[k]:.2f})" for k in best),
    }
