"""Who is the same as whom: pairwise agreement within a set, and clusters compared with identities.

Sources: Rohrbach et al., LSMDC 2019 "fill in the characters", jamespark3922/lsmdc-fillin
``character_eval/eval_characters.py``; B-cubed: Bagga & Baldwin 1998, Amigó et al. 2009.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.metrics.division import ratio

Array = NDArray[np.float64]
THRESHOLD = 0.5


def equal_pairs(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which items have equal labels, ``(m, m)``."""
    return np.asarray(labels[:, None] == labels[None, :])


def linked_pairs(scores: Array) -> NDArray[np.bool_]:
    """Which items a matrix of scores ``(m, m)`` calls the same: the mean of both directions is at least 0.5."""
    return np.asarray((scores + scores.T) / 2 >= THRESHOLD)


def transitive_closure(same: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Cluster labels ``(m,)`` of items that a chain of links joins (single linkage)."""
    from scipy.sparse.csgraph import connected_components

    return np.asarray(connected_components(same, directed=False)[1], dtype=np.int64)


def pair_counts(same: NDArray[np.bool_], true: NDArray[np.bool_]) -> dict[str, int]:
    """Right and all pairs ``x < y`` of matrices ``(m, m)``, of those that are the same and of those that differ."""
    upper = np.triu_indices(len(true), k=1)
    said, is_same = same[upper], true[upper]
    return {
        "same_right": int((said & is_same).sum()),
        "same": int(is_same.sum()),
        "different_right": int((~said & ~is_same).sum()),
        "different": int((~is_same).sum()),
    }


def bcubed_sums(clusters: NDArray[Any], identities: NDArray[Any]) -> tuple[float, float]:
    """B-cubed precision and recall, each summed over items."""
    same, true = equal_pairs(clusters), equal_pairs(identities)
    both = (same & true).sum(axis=1)
    return float((both / same.sum(axis=1)).sum()), float((both / true.sum(axis=1)).sum())


def harmonic_mean(first: Array, second: Array) -> Array:
    """Harmonic mean of two rates; 0 where both are 0, NaN where either is."""
    total = first + second
    return ratio(2 * first * second, total, empty=np.where(np.isnan(total), np.nan, 0.0))
