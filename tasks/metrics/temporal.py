"""Overlap of stretches of time, and the rules by which several annotators' stretches become one number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.metrics.division import ratio

Array = NDArray[np.float64]
AGREEING = 3


def segment_iou(first: Array, second: Array) -> Array:
    """Intersection over union of ``(n, 2)`` and ``(m, 2)`` segments ``[start_s, end_s)``: ``(n, m)``.

    Disjoint segments give 0. (LocalizingMoments and TALL divide by the hull, which is the union wherever segments
    meet; TALL's value for disjoint ones is negative.)
    """
    start = np.maximum(first[:, None, 0], second[None, :, 0])
    end = np.minimum(first[:, None, 1], second[None, :, 1])
    shared = np.maximum(end - start, 0.0)  # (n, m)
    union = (first[:, 1] - first[:, 0])[:, None] + (second[:, 1] - second[:, 0])[None] - shared
    return ratio(shared, union, empty=0.0)


def best_three_iou(iou: Array) -> Array:
    """Mean of the three highest overlaps over the last axis, which is annotators (all, where there are fewer).

    Source: Hendricks et al., ICCV 2017, §4; LisaAnne/LocalizingMoments ``utils/eval.py``.
    """
    return np.asarray(np.sort(iou, axis=-1)[..., -AGREEING:].mean(axis=-1))


def best_three_rank(ranks: NDArray[np.int64]) -> float:
    """Mean of the three best 1-based ranks that annotators' segments got; source as :func:`best_three_iou`."""
    return float(np.sort(ranks)[:AGREEING].mean())


def suppress(segments: Array, threshold: float, keep: int) -> list[int]:
    """Greedy temporal non-maximum suppression of segments ``(n, 2)``, best first: at most ``keep`` indices.

    A segment is dropped if it overlaps a kept one by more than ``threshold``. Source: Gao et al., ICCV 2017,
    jiyanggao/TALL ``main.py``.
    """
    alive = np.ones(len(segments), dtype=bool)
    kept: list[int] = []
    while alive.any() and len(kept) < keep:
        best = int(alive.argmax())
        kept.append(best)
        alive &= segment_iou(segments[best : best + 1], segments)[0] <= threshold
        alive[best] = False
    return kept
