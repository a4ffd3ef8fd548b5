"""A clip as a given number of equal segments, each the mean of its frames. Numpy only: this runs while examples are prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.layers.frames import segment_means

if TYPE_CHECKING:
    from reelbench.data import FeatureSpec


def equal_segments(
    video: Mapping[str, Any], specs: Mapping[str, FeatureSpec], count: int
) -> NDArray[np.float32]:
    """Means over ``count`` equal parts of a clip, modalities side by side: ``(count, D)``.

    A part has the rows that it touches, and at least one, so that short clips give as many parts as long ones.
    """
    duration_s = max(video[name].shape[0] / spec.rate_hz for name, spec in specs.items())
    edges = np.linspace(0.0, duration_s, count + 1)
    return segment_means(video, np.stack([edges[:-1], edges[1:]], 1), specs)
