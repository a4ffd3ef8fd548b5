"""Tracks of people as arrays: rows of features, the representative row of each track, its body points, its metadata.

Numpy only: this runs while examples are prepared. Boxes are shares of the frame, ``(x, y, width, height)``, the centre
first. On microworld the box and the points of a body stand in ``person_body``; on other datasets each is a modality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.errors import FeatureError

if TYPE_CHECKING:
    from reelbench.data import FeatureSpec
    from reelbench.plugins.cisin.method import CiSINConfig

Floats = NDArray[np.float32]
GRID = "person_body"
GRID_ROWS, GRID_COLUMNS, BLOCK, FRAME = 6, 4, 4, 84
"""``person_body`` has the brightness of 6 by 4 blocks of 4 pixels, how each changes, and the corner over 84 pixels."""
POINTS = GRID_ROWS * GRID_COLUMNS
CORNER = slice(2 * POINTS, 2 * POINTS + 2)
GRID_WIDTH = 2 * POINTS + 5


@dataclass(frozen=True)
class Bodies:
    """What is known of bodies in each row.

    Attributes
    ----------
    points
        ``(R, P, D)`` a vector a body point.
    visible
        ``(R, P)`` bool.
    boxes
        ``(R, 4)`` of what is inside the frame.
    """

    points: Floats
    visible: NDArray[np.bool_]
    boxes: Floats


def rows_of(tracks: Sequence[Mapping[str, Any]], specs: Mapping[str, FeatureSpec]) -> dict[str, Floats]:
    """Rows of all tracks, one after the other: modality → ``(R, *shape)``."""
    empty = {name: np.zeros((0, *spec.shape), np.float32) for name, spec in specs.items()}
    return {name: np.concatenate([empty[name], *(track[name] for track in tracks)]) for name in specs}


def owners_of(tracks: Sequence[Mapping[str, Any]]) -> NDArray[np.int64]:
    """The track of each row: ``(R,)``."""
    lengths = [len(next(iter(track.values()))) for track in tracks]
    return np.repeat(np.arange(len(tracks)), np.asarray(lengths, dtype=np.int64))


def bodies_of(rows: Mapping[str, Floats], config: CiSINConfig) -> Bodies:
    """Points, their visibility and boxes of all rows, from the modalities that the configuration names.

    Raises
    ------
    FeatureError
        If the body's grid is asked for and ``person_body`` is not microworld's.
    """
    if not (config.keypoints and config.boxes):
        return grid_bodies(rows[GRID])
    keypoints, boxes = rows[config.keypoints], rows[config.boxes]
    return Bodies(keypoints[..., :-1], keypoints[..., -1] > config.confidence, boxes)


def grid_bodies(body: Floats) -> Bodies:
    """Microworld's: a block is visible if it is inside the frame; the box is what is left of the person there."""
    if body.shape[1] != GRID_WIDTH:
        raise FeatureError(
            f"{GRID!r} has {body.shape[1]} columns, not microworld's {GRID_WIDTH}; "
            "name this dataset's modalities in the settings keypoints and boxes of cisin"
        )
    first = np.rint(body[:, CORNER] * FRAME)  # (R, 2), pixels across and down
    inside = [_inside(first[:, axis], count) for axis, count in enumerate((GRID_COLUMNS, GRID_ROWS))]
    visible = inside[1][:, :, None] & inside[0][:, None, :]  # (R, rows, columns)
    last = first + np.array([GRID_COLUMNS * BLOCK, GRID_ROWS * BLOCK])
    low, high = first.clip(0, FRAME) / FRAME, last.clip(0, FRAME) / FRAME
    boxes = np.concatenate([(low + high) / 2, high - low], axis=1).astype(np.float32)
    return Bodies(body[:, :POINTS, None], visible.reshape(len(body), POINTS), boxes)


def _inside(first: NDArray[np.floating[Any]], count: int) -> NDArray[np.bool_]:
    """Which of ``count`` blocks from a pixel on are inside the frame: ``(R, count)``."""
    start = first[:, None] + BLOCK * np.arange(count)
    return (start >= 0) & (start + BLOCK <= FRAME)


def representatives(owners: NDArray[np.int64], boxes: Floats, tracks: int) -> NDArray[np.int64]:
    """The row with each track's largest box, ``h_m`` of the paper: ``(K,)``."""
    area = boxes[:, 2] * boxes[:, 3]
    order = np.lexsort((np.arange(len(owners)), -area, owners))  # by track, the largest and earliest first
    return order[np.searchsorted(owners[order], np.arange(tracks))]


def metadata(
    owners: NDArray[np.int64], boxes: Floats, chosen: NDArray[np.int64], clips: NDArray[np.int64]
) -> Floats:
    """``m_m``: the box's centre, the track's length over its clip's longest, the box's size: ``(K, 4)``."""
    lengths = np.bincount(owners, minlength=len(chosen)).astype(np.float32)
    longest = np.array([lengths[clips == clip].max() for clip in clips], np.float32).reshape(-1)
    box = boxes[chosen]
    return np.column_stack([box[:, :2], lengths / longest, box[:, 2] * box[:, 3]]).astype(np.float32)
