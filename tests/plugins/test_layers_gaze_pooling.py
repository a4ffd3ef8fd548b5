"""Maps of gaze as attention over cells, and maps of features at moments of a clip."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reelbench.plugins.layers.gaze_pooling import (
    gaze_attention,
    spatial_pool,
    uniform_attention,
    with_uniform,
)
from reelbench.plugins.layers.maps import middle_rows


def test_attention_is_the_pooled_map_plus_a_uniform_part():
    gaze = torch.zeros(49, 49)
    gaze[7:14, 21:28] = 1.0  # all of it in the cell of row 1, column 3
    attention = gaze_attention(gaze / gaze.sum(), 0.6)
    expected = torch.full((7, 7), 0.6 / 49 / 1.6)
    expected[1, 3] += 1 / 1.6
    torch.testing.assert_close(attention, expected)


def test_attention_sums_to_one_for_every_frame_whatever_the_scale_of_the_map():
    gaze = torch.rand(2, 5, 49, 49)
    attention = gaze_attention(gaze)
    torch.testing.assert_close(attention.sum((-2, -1)), torch.ones(2, 5))
    torch.testing.assert_close(gaze_attention(3 * gaze), attention)


def test_a_map_of_nothing_becomes_uniform_and_not_nan():
    attention = with_uniform(torch.zeros(7, 7))
    assert (attention == attention[0, 0]).all()
    assert attention[0, 0] > 0


def test_pooling_is_a_weighted_sum_of_cells():
    maps, attention = torch.randn(2, 3, 7, 7, 4), torch.rand(2, 3, 7, 7)
    pooled = spatial_pool(maps, attention)
    for b, t, k in np.ndindex(2, 3, 4):
        by_hand = sum(attention[b, t, i, j] * maps[b, t, i, j, k] for i in range(7) for j in range(7))
        torch.testing.assert_close(pooled[b, t, k], by_hand, atol=1e-5, rtol=1e-4)


def test_uniform_attention_is_the_mean_over_cells():
    maps = torch.randn(2, 3, 7, 7, 4)
    torch.testing.assert_close(spatial_pool(maps, uniform_attention(maps)), maps.mean((2, 3)))


@pytest.mark.parametrize(
    ("rows", "parts", "expected"), [(16, 8, [1, 3, 5, 7, 9, 11, 13, 15]), (1, 3, [0, 0, 0]), (3, 2, [0, 2])]
)
def test_rows_are_in_the_middle_of_equal_parts(rows, parts, expected):
    assert middle_rows(rows, parts).tolist() == expected
