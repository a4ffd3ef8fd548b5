"""A clip's modalities as one sequence of feature vectors, and the moments by which models standardise them.

Modalities may come at different rates; they are read at the same equidistant moments, so that a row describes one
moment. Maps are averaged over their positions. Numpy only: this runs while examples are prepared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Clip

if TYPE_CHECKING:
    from reelbench.data import FeatureSpec
    from reelbench.training.source import TrainingSource

MOMENT_CLIPS = 400


def sample_frames(video: Mapping[str, Any], modalities: Sequence[str], limit: int) -> NDArray[np.float32]:
    """At most ``limit`` equidistant frames, modalities side by side: ``(N, D)``."""
    return even_frames(video, modalities, min(limit, max(video[m].shape[0] for m in modalities)))


def even_frames(video: Mapping[str, Any], modalities: Sequence[str], count: int) -> NDArray[np.float32]:
    """Exactly ``count`` equidistant frames, repeated where there are fewer, modalities side by side: ``(count, D)``."""
    moments = np.arange(count)
    return _beside([over_positions(video[m])[moments * video[m].shape[0] // count] for m in modalities])


def mean_frame(video: Mapping[str, Any], modalities: Sequence[str]) -> NDArray[np.float32]:
    """The mean over time of each modality, side by side: ``(D,)``."""
    return np.concatenate([over_positions(video[m]).mean(0) for m in modalities])


def over_positions(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows ``(T, ..., D)`` averaged over a map's positions: ``(T, D)``; vectors as they are."""
    return rows if rows.ndim == 2 else rows.mean(axis=tuple(range(1, rows.ndim - 1)))


def segment_means(
    video: Mapping[str, Any], segments: NDArray[Any], specs: Mapping[str, FeatureSpec]
) -> NDArray[np.float32]:
    """The mean of each modality over each segment ``(n, 2)`` in seconds, side by side: ``(n, D)``.

    A segment has the rows that it touches, and at least one; beyond the video's end that is the last.
    """
    return _beside(
        [_means(over_positions(video[name]), segments * spec.rate_hz) for name, spec in specs.items()]
    )


def feature_moments(
    source: TrainingSource, relation: str, field: str = "video", *, track: bool = False
) -> dict[str, Any]:
    """Mean and deviation of each feature over some training clips (or tracks): ``{"mean": (D,), "scale": (D,)}``."""
    clips = [c for e in source.relation(relation) for c in _listed(e[field])]
    chosen = source.rng.permutation(len(clips))[:MOMENT_CLIPS]
    modalities = tuple(source.features)
    return moments_of(
        np.concatenate([sample_frames(source.read(clips[i], track=track), modalities, 8) for i in chosen])
    )


def moments_of(rows: NDArray[np.float32]) -> dict[str, Any]:
    """Mean and deviation of columns; a column that never changes is not blown up."""
    return {"mean": rows.mean(0), "scale": np.maximum(rows.std(0), 1e-3 * np.abs(rows).max() + 1e-6)}


def _means(rows: NDArray[np.float32], bounds: NDArray[Any]) -> NDArray[np.float32]:
    """Means of rows ``(T, D)`` between bounds ``(n, 2)`` in rows: ``(n, D)``."""
    first = np.clip(np.floor(bounds[:, 0]).astype(int), 0, len(rows) - 1)
    last = np.clip(np.ceil(bounds[:, 1]).astype(int), first + 1, len(rows))
    sums = np.concatenate([np.zeros_like(rows[:1], np.float64), np.cumsum(rows, 0, np.float64)])
    return ((sums[last] - sums[first]) / (last - first)[:, None]).astype(np.float32)


def _beside(columns: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate(columns, axis=1)


def _listed(value: Any) -> list[Clip]:
    return value if isinstance(value, list) else [value]
