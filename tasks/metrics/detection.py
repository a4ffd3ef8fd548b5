"""Matching detections to true segments, as ActivityNet's evaluation does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.metrics.temporal import Array, segment_iou


def match_detections(detections: Array, truths: Array, thresholds: Array) -> NDArray[np.bool_]:
    """Which detections of one video and class are right, ``(d, thresholds)``.

    Parameters
    ----------
    detections
        ``(d, 2)`` seconds, by falling score. Each takes the true segment of highest overlap that is still free and
        overlaps by at least the threshold.
    truths
        ``(g, 2)`` seconds.

    Notes
    -----
    Source: Caba Heilbron et al., CVPR 2015; activitynet/ActivityNet ``Evaluation/eval_detection.py``,
    ``compute_average_precision_detection``.
    """
    right = np.zeros((len(detections), len(thresholds)), dtype=bool)
    free = np.ones((len(thresholds), len(truths)), dtype=bool)
    rows = np.arange(len(thresholds))
    for k, overlap in enumerate(segment_iou(detections, truths) if len(truths) else ()):
        fits = free & (overlap[None] >= thresholds[:, None])  # (thresholds, g)
        taken = np.where(fits, overlap[None], -1.0).argmax(axis=1)
        right[k] = fits[rows, taken]
        free[rows[right[k]], taken[right[k]]] = False
    return right
