"""Clusters from probabilities that two items are one: the partition that agrees with most pairs, found greedily."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def agglomerate(probabilities: Sequence[Sequence[float]]) -> list[int]:
    """Labels of items, numbered by first appearance.

    Starting from items by themselves, the two clusters whose joining gains most expected right pairs, the sum of
    ``2 p - 1`` between them, are joined as long as there is any to gain: average linkage weighted by size, a greedy
    search for the partition of most expected right pairs.

    Parameters
    ----------
    probabilities
        ``M x M`` probabilities; both directions are averaged.
    """
    table = np.asarray(probabilities, dtype=np.float64).reshape(len(probabilities), len(probabilities))
    gain = table + table.T - 1.0  # between clusters; merged clusters' gains add
    np.fill_diagonal(gain, -np.inf)
    label = np.arange(len(table))
    while len(table) > 1:
        i, j = sorted(divmod(int(gain.argmax()), len(table)))
        if not gain[i, j] > 0:
            break
        gain[i] += gain[j]
        gain[:, i] = gain[i]
        gain[i, i] = -np.inf
        gain[j] = gain[:, j] = -np.inf
        label[label == j] = i
    first = {old: new for new, old in enumerate(dict.fromkeys(label.tolist()))}
    return [first[old] for old in label.tolist()]
