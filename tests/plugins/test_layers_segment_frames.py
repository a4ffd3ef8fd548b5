"""Segments as clips: the rows that each touches, and at least one."""

from __future__ import annotations

import numpy as np

from reelbench import FeatureSpec
from reelbench.plugins.layers.segment_frames import cut

SPECS = {"a": FeatureSpec("a", (1,), 4.0), "b": FeatureSpec("b", (1,), 2.0)}
VIDEO = {"a": np.arange(40, dtype=np.float32)[:, None], "b": 100 + np.arange(20, dtype=np.float32)[:, None]}


def rows(clip, name):
    return clip[name][:, 0].tolist()


def test_a_segment_has_the_rows_that_it_touches_at_each_rate():
    first, second = cut(VIDEO, np.array([[0.0, 1.0], [9.1, 10.0]]), SPECS)
    assert (rows(first, "a"), rows(first, "b")) == ([0, 1, 2, 3], [100, 101])
    assert (rows(second, "a"), rows(second, "b")) == ([36, 37, 38, 39], [118, 119])


def test_beyond_the_end_is_the_last_row_and_no_length_is_one_row():
    beyond, point = cut(VIDEO, np.array([[50.0, 60.0], [2.0, 2.0]]), SPECS)
    assert rows(beyond, "a") == [39]
    assert rows(point, "a") == [8]
