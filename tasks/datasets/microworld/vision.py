"""Features from pixels: appearance, spatial maps, motion, and regions of people; real code that sees no script.

Everything that is rounded or compared is a whole number: products are taken in float32, which is exact below 2^24
in any order of summation, so that neither the number of threads nor the machine changes a byte.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reelbench.data import FeatureSpec
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND
from reelbench.tasks.datasets.microworld.staging import FRAME_SIZE
from reelbench.tasks.datasets.microworld.streams import Stream

GRID = 7
HALF = FRAME_SIZE // 2  # pixels are averaged two by two
CELL = HALF // GRID
COLOURS = 64
FILTERS = 32
MAP_FILTERS = 8
MAP_STRIDE = 2
PERSON_STRIDE = 4
SHIFTS = (1, 2)
CHANGE_THRESHOLD = 24
"""A half-resolution pixel has changed when its red, green and blue together differ by more than this."""

FRAME_HZ = float(FRAMES_PER_SECOND)
VISION_SPECS = {
    "appearance": FeatureSpec(
        "appearance", (COLOURS + 2 * FILTERS,), FRAME_HZ, doc="colours, filter means and maxima of a frame"
    ),
    "spatial": FeatureSpec(
        "spatial",
        (GRID, GRID, MAP_FILTERS + 8),
        FRAME_HZ / MAP_STRIDE,
        "uint8",
        "filters, mean and spread of colour, change, and movement sideways and upwards of a cell",
    ),
    "motion": FeatureSpec(
        "motion",
        (COLOURS + 4 * len(SHIFTS) + 2 * GRID + 2,),
        FRAME_HZ,
        doc="colours of what moves, which way, and where",
    ),
}


@lru_cache(maxsize=1)
def filter_bank() -> NDArray[np.float32]:
    """Small whole numbers, of zero sum a filter: ``(CELL * CELL * 3, FILTERS)``."""
    bank = Stream("microworld/v0/filters").generator.integers(-4, 5, size=(CELL * CELL * 3, FILTERS))
    bank[-1] -= bank.sum(axis=0)
    return bank.astype(np.float32)


def see(frames: NDArray[np.uint8]) -> dict[str, NDArray[np.generic]]:
    """Appearance, spatial and motion features of a video's frames ``(T, 84, 84, 4)``."""
    small = halve(frames)
    colours = colour_numbers(small)
    cells = _cells(small)
    responses = _responses(cells)
    change, changed = _change(small)
    moved = _movement(small)
    return {
        "appearance": _appearance(colours, responses),
        "spatial": _maps(cells, responses, change, moved)[::MAP_STRIDE],
        "motion": _motion(colours, change, changed, moved),
    }


def halve(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Averages of two by two pixels: ``(T, 84, 84, 4)`` → ``(T, 42, 42, 3)``."""
    wide = frames.view(np.uint32)[..., 0]
    sums = np.empty((len(frames), HALF, HALF, 3), np.uint8)
    for channel in range(3):
        values = (wide >> np.uint32(8 * channel)).astype(np.uint8).astype(np.uint16)
        rows = values[:, ::2] + values[:, 1::2]
        sums[..., channel] = (rows[..., ::2] + rows[..., 1::2]) >> 2
    return sums


def colour_numbers(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Four levels a channel: ``(T, 42, 42, 3)`` → ``(T, 42, 42)`` below 64."""
    level = small >> 6
    return (level[..., 0] << 4) | (level[..., 1] << 2) | level[..., 2]


def _cells(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    grid = small.reshape(len(small), GRID, CELL, GRID, CELL, 3).transpose(0, 1, 3, 2, 4, 5)
    return grid.reshape(len(small), GRID * GRID, CELL * CELL * 3).astype(np.float32)


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
    """Summed change a cell ``(T, 7, 7)``, and which pixels changed ``(T, 42, 42)``; the first frame changes nothing."""
    difference = np.zeros(small.shape[:3], np.uint16)
    later, earlier = small[1:], small[:-1]
    difference[1:] = (np.maximum(later, earlier) - np.minimum(later, earlier)).sum(axis=-1, dtype=np.uint16)
    changed = difference > CHANGE_THRESHOLD
    return _by_cell(np.where(changed, difference, 0)), changed


def _by_cell(values: NDArray[np.generic]) -> NDArray[np.int32]:
    grid = values.reshape(len(values), GRID, CELL, GRID, CELL)
    return grid.sum(axis=(2, 4), dtype=np.int32)


def _movement(small: NDArray[np.uint8]) -> NDArray[np.int32]:
    """How much better each frame matches the last one shifted one way than the other: ``(T, 2 * SHIFTS, 7, 7)``."""
    grey = small.sum(axis=-1, dtype=np.int16)
    moved = np.zeros((len(grey), 2 * len(SHIFTS), GRID, GRID), np.int32)
    for k, shift in enumerate(SHIFTS):
        for axis in (2, 1):
            forth = _mismatch(grey, shift, axis)
            back = _mismatch(grey, -shift, axis)
            moved[1:, 2 * k + (axis == 1)] = _by_cell(back - forth)
    return moved


def _mismatch(grey: NDArray[np.int16], shift: int, axis: int) -> NDArray[np.int16]:
    return np.abs(grey[1:] - np.roll(grey[:-1], shift, axis=axis))


def _motion(
    colours: NDArray[np.uint8], change: NDArray[np.int32], changed: NDArray[np.bool_], moved: NDArray[np.int32]
) -> NDArray[np.float16]:
    rows = len(colours)
    whole = moved.sum(axis=(2, 3))  # (T, 4): right, down, at each shift
    ways = np.concatenate([np.maximum(whole, 0), np.maximum(-whole, 0)], axis=1)
    after = histogram(colours.reshape(rows, -1), changed.reshape(rows, -1))
    energy = change.sum(axis=(1, 2))[:, None]
    where = np.concatenate([change.sum(axis=1), change.sum(axis=2)], axis=1)
    count = changed.sum(axis=(1, 2))[:, None]
    parts = [after / 4, ways / 4096, where / 4096, energy / 8192, count / 64]
    return np.sqrt(np.concatenate(parts, axis=1, dtype=np.float32)).astype(np.float16)


def _maps(
    cells: NDArray[np.float32], responses: NDArray[np.int32], change: NDArray[np.int32], moved: NDArray[np.int32]
) -> NDArray[np.uint8]:
    rows = len(cells)
    pixels = cells.reshape(rows, GRID * GRID, CELL * CELL, 3)
    mean = pixels.sum(axis=2) // (CELL * CELL)
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    signed = moved[:, 2 - 2 : 2].reshape(rows, 2, -1).transpose(0, 2, 1) // 64 + 128
    energy = change.reshape(rows, -1, 1) // 32
    parts = [responses[..., :MAP_FILTERS] // 32, mean, spread[..., :2], energy, signed]
    return np.concatenate(parts, axis=2).clip(0, 255).astype(np.uint8).reshape(rows, GRID, GRID, -1)
