"""Features from sound: loudness in bands of frequency at the frames' rate, from the waveform alone."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reelbench.data import FeatureSpec
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND
from reelbench.tasks.datasets.microworld.sound import SAMPLES_PER_FRAME, SAMPLES_PER_SECOND

BANDS = 32
LOWEST_HZ, BAND_HZ = 20, 32
AUDIO_SPEC = FeatureSpec(
    "audio", (BANDS,), float(FRAMES_PER_SECOND), doc="loudness in bands of 32 Hz from 20 Hz"
)


@lru_cache(maxsize=1)
def waves() -> NDArray[np.float32]:
    """Cosines and sines of whole numbers up to 15: ``(SAMPLES_PER_FRAME, 2 * BANDS)``."""
    angles = [2 * math.pi * (LOWEST_HZ + BAND_HZ * band) / SAMPLES_PER_SECOND for band in range(BANDS)]
    columns = [
        [round(15 * wave(angle * sample)) for sample in range(SAMPLES_PER_FRAME)]
        for wave in (math.cos, math.sin)
        for angle in angles
    ]
    return np.array(columns, np.float32).T


def hear(waveform: NDArray[np.int8]) -> NDArray[np.float16]:
    """Band magnitudes a frame: ``(T * SAMPLES_PER_FRAME,)`` → ``(T, BANDS)``."""
    blocks = waveform.reshape(-1, SAMPLES_PER_FRAME).astype(np.float32)
    both = (blocks @ waves()).astype(np.float64)  # whole numbers below 2^20
    power = both[:, :BANDS] ** 2 + both[:, BANDS:] ** 2
    return (np.sqrt(np.sqrt(power)) / 64).astype(np.float16)
