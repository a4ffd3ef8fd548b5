"""How fill in the blank is checked, measured and aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions, as_array, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import order_of
from reelbench.tasks.fill_in_blank import TOP
from reelbench.tasks.metrics.ranking import count_ranks
from reelbench.tasks.metrics.weighting import Array, weighted_mean_of


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, and one finite score a word."""
    check_ids(predictions, evaluation.ids)
    as_array(predictions, "scores", (len(evaluation.spaces["answers"]),))


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """``hit``, ``hit_top_5`` and ``reciprocal_rank`` ``(n,)``, in expectation over ties; 0 outside the vocabulary."""
    scores = np.asarray(predictions.columns["scores"])[order_of(predictions, evaluation)]
    answers = _answer_indices(evaluation)
    inside = answers >= 0
    counts = count_ranks(scores, np.maximum(answers, 0))
    columns = {
        "hit": counts.expected_hit(1) * inside,
        "hit_top_5": counts.expected_hit(TOP) * inside,
        "reciprocal_rank": inside / counts.expected_rank(),
    }
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, columns)


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Metrics under cluster weights ``(draws, clusters)``."""
    columns = sheet.columns
    return {
        "accuracy": weighted_mean_of(sheet, weights, columns["hit"]),
        "top_5": weighted_mean_of(sheet, weights, columns["hit_top_5"]),
    }


def ceilings(evaluation: EvaluationSet) -> dict[str, Predictions]:
    """``vocabulary``: every answer that is in the vocabulary is right."""
    answers = _answer_indices(evaluation)
    scores = np.zeros((len(answers), len(evaluation.spaces["answers"])), dtype=np.uint8)
    inside = np.flatnonzero(answers >= 0)
    scores[inside, answers[inside]] = 1
    return {"vocabulary": Predictions(evaluation.ids, {"scores": scores})}


def example_scores(sheet: ScoreSheet) -> Array:
    """One over the answer's rank."""
    scores: Array = sheet.columns["reciprocal_rank"]
    return scores


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The sentence, the word, and the words that scored highest."""
    best = np.argsort(-np.asarray(prediction["scores"], dtype=np.float64), kind="stable")[:TOP]
    return {
        "Question": " ".join(example["sentence"]),
        "Answer": targets["answer"],
        "Predicted": ", ".join(evaluation.spaces["answers"][word] for word in best),
    }


def _answer_indices(evaluation: EvaluationSet) -> NDArray[np.int64]:
    """Index of each answer in the vocabulary, −1 outside it: ``(n,)``."""
    index = {word: number for number, word in enumerate(evaluation.spaces["answers"])}
    return np.array([index.get(evaluation.targets[i]["answer"], -1) for i in evaluation.ids], dtype=np.int64)
