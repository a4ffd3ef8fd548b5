"""Pictures inside the page: frames, film strips, crops and spectrograms as data URIs."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reelbench.tasks.datasets.microworld.strips import side_by_side

QUALITY = 82
LOUDNESS_STOPS = ((0, (10, 10, 24)), (90, (86, 28, 120)), (170, (222, 84, 60)), (255, (252, 240, 160)))
"""Colours of the spectrogram from silent to loud, growing in lightness, so that it reads in grey as well."""


def strip_uri(frames: NDArray[np.uint8], count: int) -> str:
    """So many frames, the middles of equal parts, side by side: ``(T, H, W, 3)`` → a JPEG."""
    middles = ((np.arange(count) + 0.5) / count * len(frames)).astype(int)
    return picture_uri(side_by_side(frames[middles]))


def picture_uri(pixels: NDArray[np.uint8]) -> str:
    """One picture: ``(H, W, 3)`` → a JPEG."""
    return _uri(Image.fromarray(np.ascontiguousarray(pixels)), "jpeg", quality=QUALITY, subsampling=0)


def spectrogram_uri(loudness: NDArray[Any], loudest: float) -> str:
    """Bands over time, low ones at the bottom: ``(T, bands)`` → a PNG of ``(bands, T)`` pixels."""
    scaled = np.clip(loudness.astype(np.float32).T[::-1] / max(loudest, 1e-6), 0, 1)
    image = Image.fromarray(np.round(scaled * 255).astype(np.uint8), "L").convert("P")
    image.putpalette(_palette())
    return _uri(image, "png", optimize=True)


def _palette() -> list[int]:
    levels, colours = [stop for stop, _ in LOUDNESS_STOPS], np.array([colour for _, colour in LOUDNESS_STOPS])
    channels = [np.interp(np.arange(256), levels, channel) for channel in colours.T]
    return np.stack(channels, axis=1).astype(int).ravel().tolist()


def _uri(image: Image.Image, kind: str, **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind.upper(), **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
