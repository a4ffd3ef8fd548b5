"""Features from pixels: appearance, spatial maps, motion and thumbnails; real code that sees no script.

Everything that is rounded or compared is a whole number: products are taken in float32, which is exact below 2^24
in any order of summation, so that neither the number of threads nor the machine changes a byte.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import FeatureSpec
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND
from reelbench.tasks.datasets.microworld.sprites import FRAME_SIZE
from reelbench.tasks.datasets.microworld.streams import Stream

GRID = 7
HALF = FRAME_SIZE // 2  # pixels are averaged two by two
CELL = HALF // GRID
COLOURS = 64
FILTERS = 32
MAP_FILTERS = 4
LEVELS = 4
QUARTERS = 4
MAP_CHANNELS = MAP_FILTERS + 3 + QUARTERS + 2 + 3 * LEVELS
MAP_STRIDE = 2
PERSON_STRIDE = 4
SHIFTS = (1, 2, 3)
SHAPE = (8, 6)  # the moving region is seen as so many squares around its middle
SQUARE = 2
LAGS = (1, 2, 4)
AGO = (2, 4)
"""Frames back to one that is compared with what is seen now, to tell slow from quick."""
DRIFT_FRAMES = 4
THUMBNAIL = 14
FRAMES_AT_ONCE = 20  # what fits a processor's cache
NEAR = 3
"""Half-resolution pixels around a change whose colours count as those of what moves."""
CHANGE_THRESHOLD = 24
"""A half-resolution pixel has changed when its red, green and blue together differ by more than this."""
MIRRORED_WAYS = np.array((-1, 1), np.int32)[:, None, None]
"""Of movement rightwards and downwards, the first is turned round in a mirror."""

FRAME_HZ = float(FRAMES_PER_SECOND)
VISION_SPECS = {
    "appearance": FeatureSpec(
        "appearance", (COLOURS + 2 * FILTERS,), FRAME_HZ, doc="colours, filter means and maxima of a frame"
    ),
    "spatial": FeatureSpec(
        "spatial",
        (GRID, GRID, MAP_CHANNELS),
        FRAME_HZ / MAP_STRIDE,
        "uint8",
        "of a cell: filters, mean colour, change of its quarters and movement rightwards and downwards since the last "
        "row, levels of red, green and blue near what changed",
    ),
    "spatial_mirrored": FeatureSpec(
        "spatial_mirrored",
        (GRID, GRID, MAP_CHANNELS),
        FRAME_HZ / MAP_STRIDE,
        "uint8",
        "the same of the mirrored pixels",
    ),
    "thumbnail": FeatureSpec(
        "thumbnail",
        (THUMBNAIL, THUMBNAIL, 3),
        FRAME_HZ / MAP_STRIDE,
        "uint8",
        "red, green and blue of every second frame, averaged over six by six pixels",
    ),
    "motion": FeatureSpec(
        "motion",
        (2 * COLOURS + 4 * len(SHIFTS) + 2 * GRID + SHAPE[0] * SHAPE[1] + 6 + len(LAGS) + len(AGO),),
        FRAME_HZ,
        doc="colours of what changes and of what is around, which way, where, in what shape, how much, how steadily, how unlike what was, and how far its middle went",
    ),
}


@lru_cache(maxsize=1)
def filter_bank() -> NDArray[np.float32]:
    """Small whole numbers, of zero sum a filter: ``(3 * CELL * CELL, FILTERS)``."""
    bank = Stream("microworld/v1/filters").generator.integers(-4, 5, size=(3 * CELL * CELL, FILTERS))
    bank[-1] -= bank.sum(axis=0)
    return bank.astype(np.float32)


@lru_cache(maxsize=1)
def mirrored_bank() -> NDArray[np.float32]:
    """The filters of the spatial maps, each from right to left."""
    bank = filter_bank()[:, :MAP_FILTERS].reshape(3, CELL, CELL, MAP_FILTERS)
    return np.ascontiguousarray(bank[:, :, ::-1].reshape(3 * CELL * CELL, MAP_FILTERS))


def see(frames: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Features of a video's frames ``(T, 84, 84, 4)``: modality → rows."""
    small = halve(frames)
    colours = colour_numbers(*small)
    cells = _cells(small)
    responses = _responses(cells)
    quarters, changed = _change(small)
    moved = _movement(small)
    around = _around(changed)
    kept = slice(None, None, MAP_STRIDE)
    ways, still = _since_kept(moved[:, :2]), cells[kept]
    change, near = _since_kept(quarters), _since_kept(around.astype(np.uint8)) > 0
    levels = _levels(small[:, kept], near)
    swapped = change.reshape(*change.shape[:2], GRID, 2)[..., ::-1].reshape(change.shape)
    flipped = _maps(still, still @ mirrored_bank(), swapped, ways * MIRRORED_WAYS, levels)
    return {
        "appearance": _appearance(colours, responses),
        "spatial": _maps(still, responses[kept, :, :MAP_FILTERS], change, ways, levels),
        "spatial_mirrored": mirror(flipped),
        "thumbnail": _thumbnail(small[:, kept]),
        "motion": _motion(colours, _by_square(quarters, 2), (changed, around), moved, _unlike(small)),
    }


def halve(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Averages of two by two pixels: ``(T, 84, 84, 4)`` → ``(3, T, 42, 42)``."""
    small = np.empty((3, len(frames), HALF, HALF), np.uint8)
    for first in range(0, len(frames), FRAMES_AT_ONCE):
        some = slice(first, first + FRAMES_AT_ONCE)
        wide = frames[some].view(np.uint32)[..., 0]
        for channels, pixels in (((0, 2), wide), ((1,), wide >> np.uint32(8))):
            pairs = pixels & np.uint32(0x00FF00FF)  # two channels, each with room for a sum of four
            rows = pairs[:, ::2] + pairs[:, 1::2]
            sums = (rows[..., ::2] + rows[..., 1::2]) >> np.uint32(2)
            for channel in channels:
                small[channel, some] = (sums >> np.uint32(16 * (channel // 2))) & np.uint32(0xFF)
    return small


def colour_numbers(red: NDArray[np.uint8], green: NDArray[np.uint8], blue: NDArray[np.uint8]) -> NDArray[Any]:
    """Four levels a channel: a number below 64 for each pixel."""
    return (red >> 6 << 4) | (green >> 6 << 2) | (blue >> 6)


def _cells(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows = small.shape[1]
    grid = small.reshape(3, rows, GRID, CELL, GRID, CELL).transpose(1, 2, 4, 0, 3, 5)
    return grid.reshape(rows, GRID * GRID, 3 * CELL * CELL).astype(np.float32)


def _responses(cells: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.maximum(cells @ filter_bank(), 0).astype(np.int32)  # (T, 49, FILTERS)


def _appearance(colours: NDArray[np.uint8], responses: NDArray[np.int32]) -> NDArray[np.float16]:
    counts = histogram(colours.reshape(len(colours), -1))
    parts = [counts / 8, responses.sum(axis=1) / 4096 / 4, responses.max(axis=1) / 256 / 4]
    return np.sqrt(np.concatenate(parts, axis=1, dtype=np.float32)).astype(np.float16)


def histogram(colours: NDArray[np.uint8], weights: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """How often each colour occurs in each row: ``(T, n)`` → ``(T, 64)``; only where ``weights``, if given."""
    numbers = colours.astype(np.int64) + COLOURS * np.arange(len(colours))[:, None]
    chosen = numbers.ravel() if weights is None else numbers[weights]
    return np.bincount(chosen, minlength=COLOURS * len(colours)).reshape(-1, COLOURS)


def _change(small: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Summed change a quarter of a cell ``(T, 14, 14)``, and which pixels changed ``(T, 42, 42)``; none at first."""
    difference = np.zeros(small.shape[1:], np.uint16)
    for plane in small:
        later, earlier = plane[1:], plane[:-1]
        difference[1:] += np.maximum(later, earlier) - np.minimum(later, earlier)
    changed = difference > CHANGE_THRESHOLD
    return _by_square(difference * changed, CELL // 2), changed


def _by_square(values: NDArray[Any], side: int = CELL) -> NDArray[np.int32]:
    """Sums over squares of pixels: ``(T, H, W)`` → ``(T, H / side, W / side)``."""
    frames, height, width = values.shape
    rows = values.reshape(frames, height // side, side, width).sum(axis=2, dtype=np.int32)
    return rows.reshape(frames, height // side, width // side, side).sum(axis=3)


def _levels(small: NDArray[np.uint8], near: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many pixels that are near a change have which level of red, green and blue: ``(T, 7, 7, 12)``."""
    t, y, x = np.nonzero(near)
    cell = (t * GRID + y // CELL) * GRID + x // CELL
    size = len(near) * GRID * GRID * LEVELS
    counts = [np.bincount(cell * LEVELS + (plane[near] >> 6), minlength=size) for plane in small]
    return np.stack([count.reshape(-1, GRID, GRID, LEVELS) for count in counts], axis=3).reshape(
        len(near), GRID, GRID, 3 * LEVELS
    )


def _movement(small: NDArray[np.uint8]) -> NDArray[np.int32]:
    """How much better each frame matches the last one shifted one way than the other: ``(T, 2 * SHIFTS, 7, 7)``."""
    grey = small.sum(axis=0, dtype=np.int16)
    moved = np.zeros((len(grey), 2 * len(SHIFTS), GRID, GRID), np.int32)
    for k, shift in enumerate(SHIFTS):
        moved[1:, 2 * k] = _by_square(_shifted(grey, shift, 2))
        moved[1:, 2 * k + 1] = _by_square(_shifted(grey, shift, 1))
    return moved


def _shifted(grey: NDArray[np.int16], shift: int, axis: int) -> NDArray[np.int16]:
    """Mismatch when the last frame is shifted back, less that when it is shifted forth; 0 at the edges."""
    ahead, behind, inner = (
        tuple(span if a == axis else slice(None) for a in range(3))
        for span in (slice(2 * shift, None), slice(None, -2 * shift), slice(shift, -shift))
    )
    now, last = grey[1:][inner], grey[:-1]
    score = np.zeros_like(grey[1:])
    np.subtract(np.abs(now - last[ahead]), np.abs(now - last[behind]), out=score[inner])
    return score


def _motion(
    colours: NDArray[np.uint8],
    change: NDArray[np.int32],
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    moved: NDArray[np.int32],
    unlike: NDArray[np.int64],
) -> NDArray[np.float16]:
    rows = len(colours)
    whole = moved.sum(axis=(2, 3))  # (T, 2 * SHIFTS): right, down, at each shift
    ways = np.concatenate([np.maximum(whole, 0), np.maximum(-whole, 0)], axis=1)
    flat, changed = colours.reshape(rows, -1), masks[0]
    after, near = (histogram(flat, mask.reshape(rows, -1)) for mask in masks)
    energy = change.sum(axis=(1, 2))[:, None]
    where = np.concatenate([change.sum(axis=1), change.sum(axis=2)], axis=1)
    count = changed.sum(axis=(1, 2))[:, None]
    middle = _middle(changed)
    parts = [
        after / 4,
        near / 8,
        ways / 4096,
        where / 4096,
        _shape(changed, middle) / 2,
        energy / 8192,
        count / 64,
        _steadiness(count),
        unlike / 64,
        _drift(middle, count[:, 0] > 0) / 4,
    ]
    return np.sqrt(np.concatenate(parts, axis=1, dtype=np.float32)).astype(np.float16)


def _around(changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels that are ``NEAR`` to one that changed."""
    near = changed.copy()
    for axis in (1, 2):
        source = np.moveaxis(near.copy(), axis, 0)
        target = np.moveaxis(near, axis, 0)
        for shift in range(1, NEAR + 1):
            target[shift:] |= source[:-shift]
            target[:-shift] |= source[shift:]
    return near


def _middle(changed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Row and column of the middle of what changed ``(T, 2)``, or where it was last."""
    count = np.maximum(changed.sum(axis=(1, 2)), 1)
    sums = [(changed.sum(axis=axis) * np.arange(HALF)).sum(axis=1) for axis in (2, 1)]
    frames = np.where(changed.any(axis=(1, 2)), np.arange(len(changed)), 0)
    return np.stack([total // count for total in sums], axis=1)[np.maximum.accumulate(frames)]


def _drift(middle: NDArray[np.int64], moves: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How far the middle of what changes went while something changed all along: ``(T, 4)``, each way at least 0."""
    went = np.zeros_like(middle)
    went[DRIFT_FRAMES:] = middle[DRIFT_FRAMES:] - middle[:-DRIFT_FRAMES]
    steady = np.ones(len(moves), bool)
    for lag in range(DRIFT_FRAMES + 1):
        steady[lag:] &= moves[: len(moves) - lag]
    went[~steady | (np.abs(went).max(axis=1) > HALF // 3)] = 0
    return np.concatenate([np.maximum(went, 0), np.maximum(-went, 0)], axis=1)


def _shape(changed: NDArray[np.bool_], middle: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many pixels changed in each square around the middle of the change: ``(T, 48)``."""
    t, y, x = np.nonzero(changed)
    row, column = (
        ((v - middle[t, axis]) // SQUARE + side // 2).clip(0, side - 1)
        for axis, (v, side) in enumerate(zip((y, x), SHAPE, strict=True))
    )
    square = (t * SHAPE[0] + row) * SHAPE[1] + column
    return np.bincount(square, minlength=len(changed) * SHAPE[0] * SHAPE[1]).reshape(len(changed), -1)


def _unlike(small: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many pixels are not as they were so many frames ago: ``(T, AGO)``."""
    grey = small.sum(axis=0, dtype=np.int16)
    counts = np.zeros((len(grey), len(AGO)), np.int64)
    for k, lag in enumerate(AGO):
        counts[lag:, k] = (np.abs(grey[lag:] - grey[:-lag]) > CHANGE_THRESHOLD).sum(axis=(1, 2))
    return counts


def _steadiness(count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Whether as much changed some frames ago as now: ``(T, LAGS)``."""
    before = [np.concatenate([np.zeros((lag, 1), np.int64), count[:-lag]]) for lag in LAGS]
    return np.concatenate([np.minimum(count, earlier) for earlier in before], axis=1) / 64


def _since_kept(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """For each frame that maps keep, the sum over it and the frames since the one kept before it."""
    total = rows[::MAP_STRIDE].copy()
    for back in range(1, MAP_STRIDE):
        total[1:] += rows[MAP_STRIDE - back :: MAP_STRIDE][: len(total) - 1]
    return total


def _maps(
    cells: NDArray[np.float32],
    responses: NDArray[Any],
    change: NDArray[np.int32],
    moved: NDArray[np.int32],
    levels: NDArray[np.int64],
) -> NDArray[np.uint8]:
    grid = (len(cells), GRID, GRID, -1)
    quarters = change.reshape(len(cells), GRID, 2, GRID, 2).transpose(0, 1, 3, 2, 4)
    parts = [
        np.maximum(responses, 0).astype(np.int32) // 32,
        (cells @ _colour_sums()).astype(np.int32) // (CELL * CELL),
        quarters // 16,
        moved.transpose(0, 2, 3, 1) // 64 + 128,
        levels * 6,
    ]
    whole = np.concatenate([part.reshape(grid) for part in parts], axis=3, dtype=np.int32)
    return whole.clip(0, 255).astype(np.uint8)


def mirror(maps: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The cells from right to left."""
    return np.ascontiguousarray(maps[:, :, ::-1])


def _thumbnail(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Averages of three by three half-resolution pixels: ``(3, T, 42, 42)`` → ``(T, 14, 14, 3)``."""
    side = HALF // THUMBNAIL
    rows = small.reshape(3, -1, THUMBNAIL, side, HALF).sum(axis=3, dtype=np.uint16)
    sums = rows.reshape(3, -1, THUMBNAIL, THUMBNAIL, side).sum(axis=4, dtype=np.uint16)
    return np.ascontiguousarray(np.moveaxis(sums // (side * side), 0, -1).astype(np.uint8))


@lru_cache(maxsize=1)
def _colour_sums() -> NDArray[np.float32]:
    """Sums red, green and blue of a cell: ``(3 * CELL * CELL, 3)``."""
    return np.repeat(np.eye(3, dtype=np.float32), CELL * CELL, axis=0)
