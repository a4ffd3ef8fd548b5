"""Fixations as a density on the 49 x 49 grid of gaze prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

GRID, BLUR = 49, 2.0


def density(fixations: NDArray[Any]) -> NDArray[np.float32]:
    """Points ``(n, 2)`` of (x, y) in [0, 1) as a blurred map that sums to one: ``(49, 49)``, row (y) first."""
    cells = np.clip((np.asarray(fixations).reshape(-1, 2) * GRID).astype(int), 0, GRID - 1)
    counts = np.zeros((GRID, GRID), np.float32)
    np.add.at(counts, (cells[:, 1], cells[:, 0]), 1.0)
    blurred = gaussian_filter(counts, BLUR, mode="constant") + 1e-8
    return blurred / blurred.sum()
