"""Medians of a score sheet's rows under many draws of cluster weights; means are in :mod:`.weighting`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.scoring import ScoreSheet

Array = NDArray[np.float64]

CELLS = 4_000_000
"""Cells of (draws, rows) held at once: 32 MB."""


def weighted_median_of(
    sheet: ScoreSheet, weights: Array, values: NDArray[Any], share: Array | None = None
) -> Array:
    """Median of ``values`` ``(n,)`` under cluster weights ``(draws, clusters)``: ``(draws,)``.

    The mean of the lower and the upper weighted median, so that whole weights give exactly the median of rows
    copied that many times. A draw without weight gives NaN.

    Parameters
    ----------
    share
        ``(n,)`` weight of each row inside its cluster, where rows do not count alike.
    """
    order = np.argsort(values, kind="stable")
    ranked = np.asarray(values, dtype=np.float64)[order]
    scale = np.ones(len(order)) if share is None else share[order]
    rows = sheet.clusters[order]
    return np.concatenate([_medians(ranked, part[:, rows] * scale) for part in _parts(weights, len(order))])


def _parts(weights: Array, rows: int) -> Iterator[Array]:
    step = max(1, CELLS // max(1, rows))
    return (weights[start : start + step] for start in range(0, len(weights), step))


def _medians(ranked: Array, row_weights: Array) -> Array:
    running = np.cumsum(row_weights, axis=1)  # (draws, n)
    total = running[:, -1:]
    slack = 1e-12 * total  # sums of thirds are not exact
    low = np.argmax(running >= total / 2 - slack, axis=1)
    high = np.argmax(running > total / 2 + slack, axis=1)
    return np.where(total[:, 0] > 0, (ranked[low] + ranked[high]) / 2, np.nan)
