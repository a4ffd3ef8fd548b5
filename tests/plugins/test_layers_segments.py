"""Overlap and suppression of stretches of time."""

from __future__ import annotations

import numpy as np

from reelbench.plugins.layers.segments import suppress


def test_a_span_that_overlaps_a_better_one_by_more_than_the_threshold_is_dropped():
    spans = np.array([[0.0, 10.0], [1.0, 10.0], [0.0, 8.0], [5.0, 15.0], [20.0, 21.0]])
    assert suppress(spans, 0.85, 9) == [0, 2, 3, 4]
    assert suppress(spans, 0.8, 9) == [0, 2, 3, 4]
    assert suppress(spans, 0.79, 9) == [0, 3, 4]
    assert suppress(spans, 0.79, 2) == [0, 3]


def test_of_nothing_nothing_is_left():
    assert suppress(np.zeros((0, 2)), 0.5, 3) == []
