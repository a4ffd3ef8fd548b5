"""Film strips: a few frames of a clip side by side, drawn again from its script."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reelbench.data import Clip
from reelbench.tasks.datasets.microworld.film import draw_frames
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND
from reelbench.tasks.datasets.microworld.sizes import Corpus

QUALITY = 85
GAP = 2


def strip(corpus: Corpus, key: str, rendering: str, clip: Clip, count: int) -> bytes:
    """A JPEG of so many frames, evenly spaced over the clip."""
    split, index = key.split("/")
    pixels = draw_frames(corpus, split, int(index), rendering)
    end_s = clip.end_s if clip.end_s is not None else len(pixels) / FRAMES_PER_SECOND
    middles = clip.start_s + (np.arange(count) + 0.5) / count * (end_s - clip.start_s)
    chosen = pixels[(middles * FRAMES_PER_SECOND).astype(int).clip(0, len(pixels) - 1)]
    buffer = io.BytesIO()
    Image.fromarray(side_by_side(chosen)).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def side_by_side(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frames ``(n, H, W, 3)`` as one picture, white between them."""
    padded = np.pad(frames, ((0, 0), (0, 0), (0, GAP), (0, 0)), constant_values=255)
    return np.concatenate(list(padded), axis=1)[:, :-GAP]
