"""How captioning is checked, measured and aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import ragged_column
from reelbench.tasks.metrics.caption.scores import caption_metrics, caption_statistics, mean_cider
from reelbench.tasks.metrics.weighting import Array
from reelbench.tasks.sentences import check_references, check_sentence


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, and that every caption is text."""
    check_ids(predictions, evaluation.ids)
    for example_id, caption in ragged_column(predictions, "caption").items():
        check_sentence(caption, f"caption of example {example_id!r}")


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """Statistics of each caption; see :func:`reelbench.tasks.metrics.caption.scores.caption_statistics`."""
    captions = ragged_column(predictions, "caption")
    references = {i: list(evaluation.targets[i]["references"]) for i in evaluation.ids}
    for example_id, sentences in references.items():
        check_references(sentences, evaluation, example_id)
    columns = caption_statistics([captions[i] for i in evaluation.ids], list(references.values()))
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, columns)


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Metrics under cluster weights ``(draws, clusters)``."""
    return caption_metrics(sheet, weights)


def example_scores(sheet: ScoreSheet) -> Array:
    """CIDEr-D of each caption."""
    return mean_cider(sheet.columns)


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The references and the caption."""
    return {"Answer": "\n".join(targets["references"]), "Predicted": prediction["caption"]}
