"""Stretches of time ``[start, end]``: how far two overlap, and which of several are left where many overlap. Numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def overlaps(segments: NDArray[Any], candidates: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of ``(A, 2)`` and ``(K, 2)``: ``(A, K)``."""
    first = np.maximum(segments[:, None, 0], candidates[None, :, 0])
    last = np.minimum(segments[:, None, 1], candidates[None, :, 1])
    shared = np.maximum(last - first, 0.0)
    union = np.ptp(segments, axis=1)[:, None] + np.ptp(candidates, axis=1)[None] - shared
    return shared / np.maximum(union, 1e-9)


def suppress(segments: NDArray[Any], threshold: float, keep: int) -> list[int]:
    """Greedy suppression of segments ``(n, 2)``, best first: at most ``keep`` indices.

    A segment is dropped if it overlaps a kept one by more than ``threshold``.
    """
    alive = np.ones(len(segments), dtype=bool)
    kept: list[int] = []
    while alive.any() and len(kept) < keep:
        best = int(alive.argmax())
        kept.append(best)
        alive &= overlaps(segments[best : best + 1], segments)[0] <= threshold
        alive[best] = False
    return kept
