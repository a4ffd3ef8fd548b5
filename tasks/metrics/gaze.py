"""Agreement of predicted gaze maps with fixations.

Maps are ``(frames, height, width)``, indexed row (y) first. Where official codes differ, a function is one variant
and says which. A constant map has no preference: CC 0, AUC 0.5, and it is compared as the uniform map.

Sources: Bylinskii et al., TPAMI 2019; cvzoya/saliency ``code_forMetrics``; pysaliency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.metrics.division import ratio

Array = NDArray[np.float64]


def fixation_counts(fixations: Any, size: int) -> Array:
    """Fixations ``(n, 2)`` of (x, y) in [0, 1) counted on a grid: ``(size, size)``."""
    points = np.asarray(fixations, dtype=np.float64).reshape(-1, 2)
    column, row = np.clip((points * size).astype(np.int64), 0, size - 1).T
    return np.bincount(row * size + column, minlength=size * size).reshape(size, size).astype(np.float64)


def blur(counts: Array, sigma: float) -> Array:
    """Gaussian blur of each map, in cells, cut at 4 sigma, with nothing beyond the border: ``(F, H, W)``."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(counts, sigma=(0.0, sigma, sigma), mode="constant", truncate=4.0))


def correlation(maps: Array, truths: Array) -> Array:
    """Pearson's correlation over pixels, ``(F,)``; 0 where either map is constant."""
    first, second = (_rows(m) - _rows(m).mean(axis=1, keepdims=True) for m in (maps, truths))
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    flat = np.logical_or(*(np.ptp(_rows(m), axis=1) == 0 for m in (maps, truths)))
    return ratio((first * second).sum(axis=1), np.where(flat, 0.0, scale), empty=0.0)


def similarity(maps: Array, truths: Array, *, minmax: bool) -> Array:
    """Histogram intersection of two maps that each sum to one, ``(F,)``.

    ``minmax`` first stretches each to [0, 1] (cvzoya's ``similarity.m``); without it maps are only divided by their
    sums (pysaliency).
    """
    first, second = (_distribution(_stretched(_rows(m)) if minmax else _rows(m)) for m in (maps, truths))
    return np.asarray(np.minimum(first, second).sum(axis=1))


def auc_judd(saliency: Array, fixated: NDArray[np.bool_]) -> float:
    """Area under the curve through the fixated pixels' values; negatives are all other pixels.

    cvzoya's ``AUC_Judd.m`` without its random jitter; pixels of equal value enter together.
    """
    inside, everything = np.sort(saliency[fixated]), np.sort(saliency, axis=None)
    cuts = np.unique(inside)[::-1]
    hits = len(inside) - np.searchsorted(inside, cuts)
    others = len(everything) - np.searchsorted(everything, cuts) - hits
    rate = np.concatenate([[0.0], hits / len(inside), [1.0]])
    false = np.concatenate([[0.0], others / max(1, len(everything) - len(inside)), [1.0]])
    return float(np.sum(np.diff(false) * (rate[1:] + rate[:-1]) / 2))


def auc_between(saliency: Array, positives: Array, negatives: Array) -> float:
    """Chance that a positive pixel outranks a negative one, ties half; both are counts ``(H, W)``.

    With all fixations of other images as negatives this is the shuffled AUC without sampling (pysaliency).
    """
    _, level = np.unique(saliency, return_inverse=True)
    up, down = (np.bincount(level.ravel(), weights=counts.ravel()) for counts in (positives, negatives))
    below = np.cumsum(down) - down / 2
    return float(up @ below / (up.sum() * down.sum()))


def _rows(maps: Array) -> Array:
    """Pixels of each map in a row: ``(F, pixels)``."""
    return np.asarray(maps, dtype=np.float64).reshape(len(maps), -1)


def _stretched(rows: Array) -> Array:
    """Each row's values moved to [0, 1]; a constant row becomes all ones."""
    low, width = rows.min(axis=1, keepdims=True), np.ptp(rows, axis=1)[:, None]
    return ratio(rows - low, width, empty=1.0)


def _distribution(rows: Array) -> Array:
    """Each row divided by its sum; a row of zeros becomes uniform."""
    total = rows.sum(axis=1, keepdims=True)
    return ratio(rows, total, empty=1 / rows.shape[1])
