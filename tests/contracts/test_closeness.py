"""Predictions are compared by their own size, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest

from reelbench.conformance.closeness import TOLERANCE, difference

MAP = np.array([[4e-4, 5e-4], [3e-4, 4e-4]])


def test_a_gap_in_a_map_of_tiny_numbers_is_seen() -> None:
    assert difference(MAP, MAP + 1e-6 * np.eye(2)) > TOLERANCE


def test_rounding_of_numbers_that_hardly_spread_is_not() -> None:
    far = np.array([1000.0, 1000.01], dtype=np.float32)
    assert difference(far, np.nextafter(far, np.float32(2000))) < TOLERANCE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a cat"], ["a dog"]),
        ([[1.0, 2.0]], [[1.0]]),
        ([[900, 1]], [[901, 1]]),
        ([{"start": 1.0}], [{"end": 1.0}]),
        (np.zeros(3), np.zeros(4)),
        (np.zeros(3), np.full(3, 1e-9)),
        ([[0.0, 30.0, 2e-4], [5.0, 9.0, 1e-4]], [[0.0, 30.0, 2.1e-4], [5.0, 9.0, 1e-4]]),
    ],
    ids=["words", "lengths", "indices", "names", "shapes", "noise-for-zeros", "scores-beside-seconds"],
)
def test_what_differs_is_told(one: object, other: object) -> None:
    assert difference(one, one) == 0.0
    assert difference(one, other) > TOLERANCE
