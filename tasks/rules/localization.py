"""How localization is checked, measured and aggregated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import EvaluationSet, Example
from reelbench.errors import DatasetError, PredictionError
from reelbench.predictions import Predictions, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import number_table, protocol_of, ragged_column
from reelbench.tasks.localization import DEPTHS, TALL_MARGIN, THRESHOLDS, recall
from reelbench.tasks.metrics.temporal import Array, best_three_iou, best_three_rank, segment_iou, suppress
from reelbench.tasks.metrics.weighting import weighted_mean_of


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids; that spans are finite and run forwards; that candidates are all ranked, each once."""
    check_ids(predictions, evaluation.ids)
    column = ragged_column(predictions, "segments")
    fixed = protocol_of(evaluation) == "candidates"
    for example in evaluation.examples:
        where = f"column 'segments' of example {example.id!r}"
        segments = _segments(column[example.id], where)
        if fixed:
            _check_ranking(segments, example["candidates"], where)
        else:
            _check_spans(segments, where)


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """Rank and overlap of each query (``candidates``), or its best overlaps by depth and threshold."""
    column = ragged_column(predictions, "segments")
    rows = []
    for example in evaluation.examples:
        segments = np.asarray(column[example.id], dtype=np.float64)[:, :2]
        truths = np.asarray(evaluation.targets[example.id]["segments"], dtype=np.float64)
        rows.append(_MEASURES[protocol_of(evaluation)](segments, truths, example))
    columns = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, columns)


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Shares of queries and mean overlap under cluster weights ``(draws, clusters)``."""
    columns = {"miou": sheet.columns["iou"]}
    if "rank" in sheet.columns:
        columns |= {f"rank_at_{k}": sheet.columns["rank"] <= k for k in DEPTHS}
    else:
        best = sheet.columns["best_iou"]  # (n, depths, thresholds)
        for d, depth in enumerate(DEPTHS):
            for t, threshold in enumerate(THRESHOLDS):
                columns[recall(depth, threshold).name] = best[:, d, t] >= threshold
    return {name: weighted_mean_of(sheet, weights, values) for name, values in columns.items()}


def ceilings(evaluation: EvaluationSet) -> dict[str, Predictions]:
    """``annotators``: what a ranking that knows them all reaches (everything right where nobody disagrees)."""
    truths = [np.asarray(evaluation.targets[i]["segments"], dtype=np.float64) for i in evaluation.ids]
    fixed = protocol_of(evaluation) == "candidates"
    pools = [
        e["candidates"] if fixed else _spans_between(t)
        for e, t in zip(evaluation.examples, truths, strict=True)
    ]
    ranked = [
        _agreed_order(np.asarray(p, dtype=np.float64), t).tolist() for p, t in zip(pools, truths, strict=True)
    ]
    return {"annotators": Predictions(evaluation.ids, {"segments": ranked})}


def example_scores(sheet: ScoreSheet) -> NDArray[np.float64]:
    """Overlap of the first segment."""
    return np.asarray(sheet.columns["iou"], dtype=np.float64)


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The sentence, each annotator's segment and the three best predicted ones."""
    return {
        "Question": " ".join(example["query"]),
        "Answer": _as_text(targets["segments"]),
        "Predicted": _as_text([row[:2] for row in prediction["segments"][:3]]),
    }


def _keys(segments: Any) -> list[tuple[int, int]]:
    """Segments in whole milliseconds, by which they are compared."""
    return [
        (round(start * 1000), round(end * 1000))
        for start, end in np.asarray(segments, dtype=np.float64).tolist()
    ]


def _segments(rows: Any, where: str) -> Array:
    """Segments ``(n, 2)``, without the score that a third number may give."""
    scored = isinstance(rows, list) and bool(rows) and isinstance(rows[0], list) and len(rows[0]) == 3
    return number_table(rows, (None, 3 if scored else 2), where)[:, :2]


def _check_ranking(segments: Array, candidates: Any, where: str) -> None:
    ranked, wanted = _keys(segments), _keys(candidates)
    if unknown := [k for k in ranked if k not in set(wanted)]:
        raise PredictionError(
            f"{where}: {_in_seconds(unknown[0])} is not one of its {len(wanted)} candidates"
        )
    if repeated := [k for n, k in enumerate(ranked) if k in ranked[:n]]:
        raise PredictionError(f"{where}: candidate {_in_seconds(repeated[0])} is ranked twice")
    if len(ranked) < len(wanted):
        raise PredictionError(
            f"{where}: {len(ranked)} of its {len(wanted)} candidates are ranked, all must be"
        )


def _check_spans(segments: Array, where: str) -> None:
    if not len(segments):
        raise PredictionError(f"{where}: no span was predicted")
    if backwards := np.flatnonzero(segments[:, 1] <= segments[:, 0]).tolist():
        start, end = segments[backwards[0]].tolist()
        raise PredictionError(
            f"{where}: span {backwards[0]} ends at {end} s, not after its start at {start} s"
        )


def _measure_ranking(segments: Array, truths: Array, example: Example) -> dict[str, Any]:
    """Mean rank and overlap of the first candidate, by the three best annotators."""
    rank = {key: k + 1 for k, key in enumerate(_keys(segments))}
    marked = _keys(truths)
    if strange := [key for key in marked if key not in rank]:
        raise DatasetError(
            f"example {example.id!r}: annotated segment {_in_seconds(strange[0])} is not a candidate"
        )
    iou = best_three_iou(segment_iou(segments[:1], truths))[0]
    return {"rank": best_three_rank(np.asarray([rank[key] for key in marked])), "iou": iou}


def _measure_spans(segments: Array, truths: Array, example: Example) -> dict[str, Any]:
    """Best overlap among the first spans, by depth: the same for each threshold."""
    iou = best_three_iou(segment_iou(segments[: max(DEPTHS)], truths))  # (spans,)
    best = [[iou[:depth].max()] * len(THRESHOLDS) for depth in DEPTHS]
    return {"iou": iou[0], "best_iou": best}


def _measure_suppressed(segments: Array, truths: Array, example: Example) -> dict[str, Any]:
    """Best overlap among the first spans that suppression leaves, by depth and threshold."""
    iou = best_three_iou(segment_iou(segments, truths))  # (spans,)
    left = [suppress(segments, threshold - TALL_MARGIN, max(DEPTHS)) for threshold in THRESHOLDS]
    return {"iou": iou[0], "best_iou": [[iou[kept[:depth]].max() for kept in left] for depth in DEPTHS]}


_MEASURES = {"candidates": _measure_ranking, "spans": _measure_spans, "spans-tall": _measure_suppressed}


def _spans_between(truths: Array) -> Array:
    """Every span from an annotator's start to an annotator's end: the best span is one of them. ``(n, 2)``."""
    pairs = np.stack(np.meshgrid(truths[:, 0], truths[:, 1], indexing="ij"), axis=-1).reshape(-1, 2)
    return np.unique(pairs[pairs[:, 1] > pairs[:, 0]], axis=0)


def _agreed_order(pool: Array, truths: Array) -> Array:
    """Segments ``(K, 2)``: first the one of highest overlap, then those that most annotators marked."""
    overlap = segment_iou(pool, truths)  # (K, annotators)
    score, votes = best_three_iou(overlap), np.isclose(overlap, 1.0).sum(axis=1)
    order = np.lexsort((-score, -votes))
    first = int(score.argmax())
    return np.asarray(pool[[first, *order[order != first]]])


def _in_seconds(key: tuple[int, int]) -> str:
    return f"[{key[0] / 1000:g}, {key[1] / 1000:g}] s"


def _as_text(segments: Sequence[Any]) -> str:
    return "; ".join(f"{start:g}-{end:g} s" for start, end in segments)
