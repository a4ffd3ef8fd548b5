"""How storytelling is checked and measured; it is aggregated as captioning is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reelbench.data import EvaluationSet, Example
from reelbench.errors import PredictionError
from reelbench.predictions import Predictions, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import protocol_of, ragged_column
from reelbench.tasks.metrics.caption.scores import caption_statistics, sum_groups
from reelbench.tasks.rules.captioning import aggregate, example_scores
from reelbench.tasks.sentences import check_references, check_sentence

__all__ = ["aggregate", "example_scores", "measure", "show", "validate"]

Pair = tuple[str, list[str]]
"""A text and what it is compared with."""


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, and one sentence a clip."""
    check_ids(predictions, evaluation.ids)
    for example_id, captions in ragged_column(predictions, "captions").items():
        _check_captions(captions, len(evaluation.targets[example_id]["references"]), example_id)


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """Statistics summed over a set's texts: its clips' sentences, or the one text they are joined into."""
    pairs_of = _joined if protocol_of(evaluation) == "set" else _single
    captions = ragged_column(predictions, "captions")
    sets = [pairs_of(captions[i], _references(evaluation, i)) for i in evaluation.ids]
    texts, references = zip(*(pair for pairs in sets for pair in pairs), strict=True)
    rows = np.repeat(np.arange(len(sets)), [len(pairs) for pairs in sets])
    columns = sum_groups(caption_statistics(texts, references), rows, len(sets))
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, columns)


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The first reference of each clip, and the story."""
    first = "\n".join(references[0] for references in targets["references"])
    return {"Answer": first, "Predicted": "\n".join(prediction["captions"])}


def _check_captions(captions: object, clips: int, example_id: str) -> None:
    where = f"captions of example {example_id!r}"
    if not isinstance(captions, Sequence) or isinstance(captions, str):
        raise PredictionError(f"{where} are {type(captions).__name__}, expected a list of {clips} sentences")
    if len(captions) != clips:
        raise PredictionError(f"{where} are {len(captions)} sentences, expected {clips}, one a clip")
    for clip, caption in enumerate(captions):
        check_sentence(caption, f"caption {clip} of example {example_id!r}")


def _references(evaluation: EvaluationSet, example_id: str) -> list[list[str]]:
    references: list[list[str]] = evaluation.targets[example_id]["references"]
    check_references(references, evaluation, example_id)
    for sentences in references:
        check_references(sentences, evaluation, example_id)
    return references


def _single(captions: Sequence[str], references: list[list[str]]) -> list[Pair]:
    """Each clip for itself."""
    return list(zip(captions, references, strict=True))


def _joined(captions: Sequence[str], references: list[list[str]]) -> list[Pair]:
    """One text; its k-th reference joins each clip's k-th, as many as the clip with the fewest has."""
    return [(" ".join(captions), [" ".join(sentences) for sentences in zip(*references, strict=False)])]
