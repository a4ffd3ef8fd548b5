"""The frames of a video's segments. Numpy only: this runs while examples are prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.layers.frames import sample_frames

if TYPE_CHECKING:
    from reelbench.data import FeatureSpec


def segment_frames(
    video: Mapping[str, Any], segments: NDArray[Any], specs: Mapping[str, FeatureSpec], limit: int
) -> list[NDArray[np.float32]]:
    """At most ``limit`` equidistant frames of each segment ``(n, 2)`` in seconds, modalities side by side: n of ``(N, D)``.

    A segment has the rows that it touches, and at least one; beyond the video's end that is the last.
    """
    return [
        sample_frames({name: _rows(video[name], span, specs[name].rate_hz) for name in specs}, tuple(specs), limit)
        for span in segments
    ]


def _rows(rows: NDArray[Any], span: NDArray[Any], rate_hz: float) -> NDArray[Any]:
    first = int(np.clip(np.floor(span[0] * rate_hz), 0, len(rows) - 1))
    return rows[first : max(int(np.ceil(span[1] * rate_hz)), first + 1)]
