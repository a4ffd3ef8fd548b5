"""How gaze maps are checked, measured and aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import EvaluationSet, Example
from reelbench.errors import PredictionError
from reelbench.predictions import Predictions, as_array, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import order_of
from reelbench.tasks.gaze import GRID, SIGMA
from reelbench.tasks.metrics import gaze as metrics
from reelbench.tasks.metrics.division import ratio
from reelbench.tasks.metrics.gaze import Array
from reelbench.tasks.metrics.weighting import cluster_sums


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, and finite, non-negative maps of the right size and number."""
    check_ids(predictions, evaluation.ids)
    frames = int(evaluation.examples[0]["frames"])
    maps = as_array(predictions, "maps", (frames, GRID, GRID))
    if (maps < 0).any():
        first = int(np.argwhere(maps < 0)[0][0])
        raise PredictionError(f"column 'maps' is negative for example {predictions.ids[first]!r}")


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """Each metric by frame ``(n, F)``; NaN where a frame has no fixation."""
    maps = np.asarray(predictions.columns["maps"])[order_of(predictions, evaluation)]  # (n, F, 49, 49)
    counts = _counts(evaluation)
    everywhere = counts.sum(axis=(0, 1))
    rows = [
        _by_frame(m.astype(np.float64), c, everywhere - c.sum(axis=0))
        for m, c in zip(maps, counts, strict=True)
    ]
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, columns)


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Means over frames under cluster weights ``(draws, clusters)``; the shuffled negatives stay the split's."""
    return {name: _frame_mean(sheet, weights, values) for name, values in sheet.columns.items()}


def ceilings(evaluation: EvaluationSet) -> dict[str, Predictions]:
    """The blurred fixations themselves: 1 for CC and similarity, less for the AUCs."""
    maps = np.stack([metrics.blur(clip, SIGMA) for clip in _counts(evaluation)])
    return {"blurred-fixations": Predictions(evaluation.ids, {"maps": maps})}


def example_scores(sheet: ScoreSheet) -> NDArray[np.float64]:
    """Mean CC of a clip's frames; NaN for a clip that nobody looked at."""
    seen = np.isfinite(sheet.columns["cc"])
    total = np.where(seen, sheet.columns["cc"], 0.0).sum(axis=1)
    return ratio(total, seen.sum(axis=1))


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """Where, in each frame, fixations centre and the map is highest, as (x, y)."""
    centres = [np.asarray(f, dtype=np.float64).reshape(-1, 2) for f in targets["fixations"]]
    peaks = [np.unravel_index(int(np.argmax(m)), (GRID, GRID)) for m in np.asarray(prediction["maps"])]
    return {
        "Answer": " ".join(_point(*c.mean(axis=0)) if len(c) else "(nobody)" for c in centres),
        "Predicted": " ".join(_point((x + 0.5) / GRID, (y + 0.5) / GRID) for y, x in peaks),
    }


def _counts(evaluation: EvaluationSet) -> Array:
    """Fixations in each cell: ``(n, F, 49, 49)``."""
    clips = [evaluation.targets[i]["fixations"] for i in evaluation.ids]
    return np.stack([[metrics.fixation_counts(frame, GRID) for frame in clip] for clip in clips])


def _by_frame(maps: Array, counts: Array, others: Array) -> dict[str, Array]:
    """Metrics of one clip's frames ``(F,)``, from maps and counts ``(F, 49, 49)`` and other clips' counts."""
    density = metrics.blur(counts, SIGMA)
    values = {
        "cc": metrics.correlation(maps, density),
        "sim_minmax": metrics.similarity(maps, density, minmax=True),
        "sim_sum": metrics.similarity(maps, density, minmax=False),
        "auc_judd": np.asarray(
            [metrics.auc_judd(m, c > 0) if c.any() else np.nan for m, c in zip(maps, counts, strict=True)]
        ),
        "auc_shuffled_all": np.asarray([_shuffled(m, c, others) for m, c in zip(maps, counts, strict=True)]),
    }
    seen = counts.any(axis=(1, 2))
    return {name: np.where(seen, value, np.nan) for name, value in values.items()}


def _shuffled(saliency: Array, counts: Array, others: Array) -> float:
    return metrics.auc_between(saliency, counts, others) if counts.any() and others.any() else float("nan")


def _frame_mean(sheet: ScoreSheet, weights: Array, values: Array) -> Array:
    """Mean of the finite ``values`` ``(n, F)`` in each draw."""
    seen = np.isfinite(values)
    total = weights @ cluster_sums(sheet, np.where(seen, values, 0.0).sum(axis=1))
    frames = weights @ cluster_sums(sheet, seen.sum(axis=1))
    return ratio(total, frames)


def _point(x: float, y: float) -> str:
    return f"({x:.2f}, {y:.2f})"
