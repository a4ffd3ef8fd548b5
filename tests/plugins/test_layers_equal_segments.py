"""Equal segments: means of parts, whatever a clip's length and its modalities' rates."""

from __future__ import annotations

import numpy as np

from reelbench import Clip, FeatureSpec
from reelbench.plugins.layers.equal_segments import equal_segments, segment_moments

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


class Source:
    """Two clips, one the other in reverse."""

    features = SPECS
    rng = np.random.default_rng(0)

    def relation(self, name):
        return [{"videos": [Clip("onward"), Clip("back")]}]

    def read(self, clip):
        return {name: rows[:: 1 if clip.video == "onward" else -1] for name, rows in VIDEO.items()}


def test_moments_are_of_segments_and_not_of_frames():
    moments = segment_moments(Source(), "stories", "videos", 2)
    np.testing.assert_allclose(moments["mean"], [3.0, 3.5, 6.5])
    np.testing.assert_allclose(moments["scale"], [2.0, 2.0, 2.0])
