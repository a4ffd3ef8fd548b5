"""How multiple choice is checked, measured and aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions, as_array, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import order_of
from reelbench.tasks.metrics.ranking import count_ranks
from reelbench.tasks.metrics.weighting import Array, weighted_mean_of


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, and one finite score a choice."""
    check_ids(predictions, evaluation.ids)
    as_array(predictions, "scores", (len(evaluation.examples[0]["choices"]),))


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """``hit`` ``(n,)``, a share of a point on ties."""
    scores = np.asarray(predictions.columns["scores"], dtype=np.float64)[order_of(predictions, evaluation)]
    answers = np.array([evaluation.targets[i]["answer"] for i in evaluation.ids], dtype=np.int64)
    hit = count_ranks(scores, answers).expected_hit(1)
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, {"hit": hit})


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Metrics under cluster weights ``(draws, clusters)``."""
    return {"accuracy": weighted_mean_of(sheet, weights, sheet.columns["hit"])}


def example_scores(sheet: ScoreSheet) -> Array:
    """Whether the answer is right: unlike a margin, it is on one scale for every method."""
    hit: Array = sheet.columns["hit"]
    return hit


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The choices, the right one, and the one that scored highest."""
    sentences = [" ".join(choice) for choice in example["choices"]]
    scores = list(prediction["scores"])
    return {
        "Question": "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1)),
        "Answer": sentences[int(targets["answer"])],
        "Predicted": sentences[scores.index(max(scores))],
    }
