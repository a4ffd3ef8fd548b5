"""Examples of gaze as a predictor reads them: maps, the rows to predict, fixations as counts. Numpy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Example
from reelbench.plugins.layers.maps import middle_rows

if TYPE_CHECKING:
    from reelbench.method import Context

GRID = 49


def prepare_gaze(
    example: Example, ctx: Context, shown: NDArray[np.float32], mirrored: NDArray[np.float32] | None
) -> Example:
    """What is shown, the rows of the frames asked for, and fixations; half of the visits in training are mirrored.

    Parameters
    ----------
    shown, mirrored
        What a network reads of the clip, row by row ``(T, ...)``, and the same of the mirrored pixels, if there is that.
    """
    flip = ctx.training and mirrored is not None and ctx.rng is not None and bool(ctx.rng.random() < 0.5)
    seen = mirrored if flip and mirrored is not None else shown
    fields = {"maps": seen, "rows": middle_rows(len(seen), int(example["frames"]))}
    if example.targets is None:
        return Example(example.id, fields, None)
    return Example(example.id, fields, {"fixations": counts(example.targets["fixations"], mirrored=flip)})


def counts(fixations: list[NDArray[Any]], *, mirrored: bool = False) -> NDArray[np.float32]:
    """Fixations ``(n, 2)`` of (x, y) in [0, 1) of each frame, as counts in cells ``(F, 49, 49)``, row (y) first."""
    frames = np.repeat(np.arange(len(fixations)), [len(f) for f in fixations])
    points = np.concatenate([np.asarray(f, float).reshape(-1, 2) for f in fixations])
    x, y = np.clip((points * GRID).astype(int), 0, GRID - 1).T
    cells = np.zeros((len(fixations), GRID, GRID), np.float32)
    np.add.at(cells, (frames, y, GRID - 1 - x if mirrored else x), 1.0)
    return cells
