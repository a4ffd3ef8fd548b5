"""How retrieval is checked, measured and aggregated; its conventions stand in :mod:`reelbench.tasks.retrieval`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import EvaluationSet, Example
from reelbench.errors import DatasetError, PredictionError
from reelbench.predictions import Predictions, as_array, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import order_of
from reelbench.tasks.metrics.medians import weighted_median_of
from reelbench.tasks.metrics.ranking import RankCounts, count_best_ranks, count_ranks
from reelbench.tasks.metrics.weighting import Array, weighted_ratio
from reelbench.tasks.retrieval import CUTS, SHOWN


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids of queries and gallery, and one finite score a pair."""
    check_ids(predictions, evaluation.ids)
    _check_gallery(predictions, tuple(item.id for item in evaluation.gallery))
    as_array(predictions, "scores", (len(evaluation.gallery),))


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """Counts around the right candidate, ``{t2v,v2t}_{greater,tied,right}`` ``(n,)``, and ``v2t_share`` ``(n,)``.

    See :class:`reelbench.tasks.metrics.ranking.RankCounts`.
    """
    scores = _in_order(predictions, evaluation)
    match = _matches(evaluation)  # (Q,)
    described, item, queries = np.unique(match, return_inverse=True, return_counts=True)
    backward = count_best_ranks(scores.T[described], item, np.arange(len(match)))
    columns = {
        **_columns("t2v", count_ranks(scores, match), np.arange(len(match))),
        **_columns("v2t", backward, item),
        "v2t_share": 1 / queries[item],
    }
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, columns)


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Metrics under cluster weights ``(draws, clusters)``."""
    forward = _aggregate("t2v", sheet, weights, np.ones(len(sheet.ids)))
    return {**forward, **_aggregate("v2t", sheet, weights, sheet.columns["v2t_share"])}


def ceilings(evaluation: EvaluationSet) -> dict[str, Predictions]:
    """``same-text``: the share of queries of equal words that a video is right for (all is right where none repeat)."""
    texts = [tuple(query["query"]) for query in evaluation.examples]
    match = _matches(evaluation)
    number = {text: k for k, text in enumerate(dict.fromkeys(texts))}
    text = np.array([number[t] for t in texts])
    described = np.zeros((len(number), len(evaluation.gallery)), dtype=np.float32)
    np.add.at(described, (text, match), 1)
    described /= described.sum(1, keepdims=True)
    gallery_ids = tuple(item.id for item in evaluation.gallery)
    return {"same-text": Predictions(evaluation.ids, {"scores": described[text]}, gallery_ids)}


def example_scores(sheet: ScoreSheet) -> Array:
    """One over the right video's rank."""
    scores: Array = 1 / _counts("t2v", sheet).expected_rank()
    return scores


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The query, the right video, and the videos that scored highest.

    The prediction's ``scores`` ``(G,)`` are in the order of ``evaluation.gallery``.
    """
    scores = np.asarray(prediction["scores"])
    best = np.argsort(-scores, kind="stable")[:SHOWN]
    ids = [item.id for item in evaluation.gallery]
    above = int((scores > scores[ids.index(targets["match"])]).sum())
    return {
        "Question": "\n".join(" ".join(sentence) for sentence in example["sentences"]),
        "Answer": f"{targets['match']} ({above} of {len(ids)} score higher)",
        "Predicted": ", ".join(ids[k] for k in best),
    }


def _check_gallery(predictions: Predictions, expected: tuple[str, ...]) -> None:
    """Raise :class:`PredictionError` unless the columns are the gallery, in any order."""
    try:
        check_ids(Predictions(predictions.gallery_ids, {}), expected)
    except PredictionError as error:
        raise PredictionError(f"gallery: {error}") from None


def _in_order(predictions: Predictions, evaluation: EvaluationSet) -> NDArray[np.floating]:
    """Scores ``(Q, G)`` in the evaluation's order of queries and gallery."""
    column = {item: k for k, item in enumerate(predictions.gallery_ids)}
    columns = np.array([column[item.id] for item in evaluation.gallery], dtype=np.int64)
    scores = np.asarray(predictions.columns["scores"])
    return scores[order_of(predictions, evaluation)[:, None], columns]


def _matches(evaluation: EvaluationSet) -> NDArray[np.int64]:
    """Index in the gallery of each query's video: ``(Q,)``."""
    index = {item.id: k for k, item in enumerate(evaluation.gallery)}
    matches = [evaluation.targets[query]["match"] for query in evaluation.ids]
    if absent := next((match for match in matches if match not in index), None):
        raise DatasetError(f"{evaluation.benchmark}: a query's video {absent!r} is not in the gallery")
    return np.array([index[match] for match in matches], dtype=np.int64)


def _columns(direction: str, counts: RankCounts, rows: NDArray[np.integer]) -> dict[str, NDArray[np.int64]]:
    return {f"{direction}_{name}": getattr(counts, name)[rows] for name in ("greater", "tied", "right")}


def _counts(direction: str, sheet: ScoreSheet) -> RankCounts:
    return RankCounts(*(sheet.columns[f"{direction}_{name}"] for name in ("greater", "tied", "right")))


def _aggregate(direction: str, sheet: ScoreSheet, weights: Array, share: Array) -> dict[str, Array]:
    counts = _counts(direction, sheet)
    ranks = counts.expected_rank()
    rows = {f"recall_at_{k}": counts.expected_hit(k) for k in CUTS}
    rows |= {"recall_at_1_worst": counts.worst_hit(1), "mean_rank": ranks}
    means = {
        f"{direction}_{name}": weighted_ratio(sheet, weights, row * share, share)
        for name, row in rows.items()
    }
    return {**means, f"{direction}_median_rank": weighted_median_of(sheet, weights, ranks, share)}
