"""Several differences at once: Holm's correction, and the ranks that are left possible after it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given; one that is undefined counts as 1. Source: Holm 1979."""
    p = [1.0 if math.isnan(value) else value for value in p]
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = largest
    return adjusted


def rank_intervals(rows: int, better: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """For each row ``(1 + rows surely better, rows - rows surely worse)``.

    Parameters
    ----------
    better
        Pairs ``(i, j)`` of which row ``i`` is surely better than row ``j``.
    """
    above, below = [0] * rows, [0] * rows
    for winner, loser in better:
        above[loser] += 1
        below[winner] += 1
    return [(1 + above[i], rows - below[i]) for i in range(rows)]
