"""The features of a video's segments. Numpy only: this runs while examples are prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from reelbench.data import FeatureSpec


def cut(
    video: Mapping[str, Any], segments: NDArray[Any], specs: Mapping[str, FeatureSpec]
) -> list[dict[str, NDArray[np.float32]]]:
    """Each segment ``(n, 2)`` in seconds as a clip of its own: n times ``{modality: (T, ...)}``.

    A segment has the rows that it touches, and at least one; beyond the video's end that is the last.
    """
    return [{name: _rows(video[name], span, specs[name].rate_hz) for name in specs} for span in segments]


def _rows(rows: NDArray[Any], span: NDArray[Any], rate_hz: float) -> NDArray[Any]:
    first = int(np.clip(np.floor(span[0] * rate_hz), 0, len(rows) - 1))
    return rows[first : max(int(np.ceil(span[1] * rate_hz)), first + 1)]
