"""Feature maps ``(T, H, W, C)``: the moments of their cells, and which rows stand for which moments of a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.layers.frames import MOMENT_CLIPS, moments_of

if TYPE_CHECKING:
    from reelbench.training.source import TrainingSource

MOMENT_ROWS = 4


def map_moments(source: TrainingSource, relation: str, modality: str) -> dict[str, Any]:
    """Mean and deviation of each channel over cells of some training clips: ``{"mean": (C,), "scale": (C,)}``."""
    clips = [e["video"] for e in source.relation(relation)]
    chosen = source.rng.permutation(len(clips))[:MOMENT_CLIPS]
    maps = [source.read(clips[i])[modality] for i in chosen]
    rows = [m[middle_rows(len(m), MOMENT_ROWS)].reshape(-1, m.shape[-1]) for m in maps]
    return moments_of(np.concatenate(rows))


def middle_rows(rows: int, parts: int) -> NDArray[np.int64]:
    """The row in the middle of each of ``parts`` equal parts of a clip of ``rows`` rows: ``(parts,)``."""
    return (2 * np.arange(parts) + 1) * rows // (2 * parts)
