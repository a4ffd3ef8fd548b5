"""A clip as a given number of equal segments, each the mean of its frames. Numpy only: this runs while examples are prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Clip
from reelbench.plugins.layers.frames import MOMENT_CLIPS, moments_of, segment_means

if TYPE_CHECKING:
    from reelbench.data import FeatureSpec
    from reelbench.training.source import TrainingSource


def equal_segments(
    video: Mapping[str, Any], specs: Mapping[str, FeatureSpec], count: int
) -> NDArray[np.float32]:
    """Means over ``count`` equal parts of a clip, modalities side by side: ``(count, D)``.

    A part has the rows that it touches, and at least one, so that short clips give as many parts as long ones.
    """
    duration_s = max(video[name].shape[0] / spec.rate_hz for name, spec in specs.items())
    edges = np.linspace(0.0, duration_s, count + 1)
    return segment_means(video, np.stack([edges[:-1], edges[1:]], 1), specs)


def segment_moments(source: TrainingSource, relation: str, field: str, count: int) -> dict[str, Any]:
    """Mean and deviation of each feature over the segments of some training clips: ``{"mean": (D,), "scale": (D,)}``.

    Not those of frames: what moves for an instant deviates up to four times as much in a frame as in a segment's mean.
    """
    fields = (example[field] for example in source.relation(relation))
    clips: list[Clip] = [c for value in fields for c in (value if isinstance(value, list) else [value])]
    chosen = source.rng.permutation(len(clips))[:MOMENT_CLIPS]
    return moments_of(
        np.concatenate([equal_segments(source.read(clips[i]), source.features, count) for i in chosen])
    )
