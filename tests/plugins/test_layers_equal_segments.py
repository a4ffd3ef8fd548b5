"""Equal segments: means of parts, whatever a clip's length and its modalities' rates."""

from __future__ import annotations

import numpy as np

from reelbench import FeatureSpec
from reelbench.plugins.layers.equal_segments import equal_segments

SPECS = {"slow": FeatureSpec("slow", (1,), 2.0), "fast": FeatureSpec("fast", (2,), 4.0)}
VIDEO = {
    "slow": np.asarray([[0.0], [2.0], [4.0], [6.0]], np.float32),
    "fast": np.stack([np.arange(8.0), 10 - np.arange(8.0)], 1).astype(np.float32),
}


def test_parts_are_means_of_their_rows_in_every_modality():
    np.testing.assert_allclose(equal_segments(VIDEO, SPECS, 2), [[1.0, 1.5, 8.5], [5.0, 5.5, 4.5]])


def test_a_clip_of_one_row_has_as_many_parts():
    short = {"slow": VIDEO["slow"][:1], "fast": VIDEO["fast"][:1]}
    np.testing.assert_allclose(equal_segments(short, SPECS, 3), [[0.0, 0.0, 10.0]] * 3)
