"""A clip's modalities as one sequence of feature vectors, and the moments by which models standardise them.

Modalities may come at different rates; they are read at the same equidistant moments, so that a row describes one
moment. Numpy only: this runs while examples are prepared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Clip

if TYPE_CHECKING:
    from reelbench.training.source import TrainingSource

MOMENT_CLIPS = 400


def sample_frames(video: Mapping[str, Any], modalities: Sequence[str], limit: int) -> NDArray[np.float32]:
    """At most ``limit`` equidistant frames, modalities side by side: ``(N, D)``; maps are averaged over positions."""
    count = min(limit, max(video[m].shape[0] for m in modalities))
    moments = np.arange(count)
    columns = [_vectors(video[m])[moments * video[m].shape[0] // count] for m in modalities]
    return np.concatenate(columns, axis=1) if len(columns) > 1 else columns[0]


def mean_frame(video: Mapping[str, Any], modalities: Sequence[str]) -> NDArray[np.float32]:
    """The mean over time of each modality, side by side: ``(D,)``."""
    return np.concatenate([_vectors(video[m]).mean(0) for m in modalities])


def feature_moments(source: TrainingSource, relation: str, field: str = "video") -> dict[str, Any]:
    """Mean and deviation of each feature over some training clips: ``{"mean": (D,), "scale": (D,)}``."""
    clips = [c for e in source.relation(relation) for c in _listed(e[field])]
    chosen = source.rng.permutation(len(clips))[:MOMENT_CLIPS]
    modalities = tuple(source.features)
    rows = np.concatenate([sample_frames(source.read(clips[i]), modalities, 8) for i in chosen])
    return {"mean": rows.mean(0), "scale": np.maximum(rows.std(0), 1e-3 * np.abs(rows).max() + 1e-6)}


def _vectors(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows if rows.ndim == 2 else rows.mean(axis=tuple(range(1, rows.ndim - 1)))


def _listed(value: Any) -> list[Clip]:
    return value if isinstance(value, list) else [value]
