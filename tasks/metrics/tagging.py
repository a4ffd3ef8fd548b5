"""Multi-label tagging as YouTube-8M scores it, with ties shared instead of drawn.

The official code cuts a video's list at ``k`` by an unstable partition and shuffles equal scores; here labels tied
at the cut each enter by an equal share, which is the expectation of that lottery.

Source: Abu-El-Haija et al., arXiv 1609.08675, §4; google/youtube-8m ``eval_util.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.resampling import positives_by_draw
from reelbench.tasks.metrics.division import ratio
from reelbench.tasks.metrics.ranked import (
    Array,
    average_precision,
    by_cluster,
    mean_over_classes,
)

Labels = NDArray[np.bool_]


def share_of_top(scores: NDArray[Any], k: int | NDArray[np.int64]) -> Array:
    """By how much each label is among its row's ``k`` best, ``(n, labels)`` in [0, 1].

    1 above the k-th score, 0 below it, an equal share of what is left for labels tied with it. ``k`` may differ by
    row, ``(n,)``, and may be 0.
    """
    count = np.minimum(np.broadcast_to(k, len(scores)), scores.shape[1])  # (n,)
    falling = -np.sort(-scores, axis=1)
    cut = falling[np.arange(len(scores)), np.maximum(count - 1, 0)][:, None]
    above, tied = scores > cut, scores == cut  # (n, labels)
    left = (count - above.sum(axis=1)) / tied.sum(axis=1)
    return np.where(count[:, None] > 0, above + tied * left[:, None], 0.0)


def hit_at_1(scores: NDArray[Any], labels: Labels) -> Array:
    """Whether each row's best label is right, ``(n,)``."""
    return np.asarray((share_of_top(scores, 1) * labels).sum(axis=1))


def perr(scores: NDArray[Any], labels: Labels) -> Array:
    """Precision at equal recall rate: precision among as many labels as the row has, ``(n,)``; 0 where it has none.

    The official code also asks for a score above 0, which probabilities have; here scores may be any real numbers.
    """
    count = labels.sum(axis=1)
    found = (share_of_top(scores, count) * labels).sum(axis=1)
    return ratio(found, count, empty=0.0)


def gap(
    scores: NDArray[Any], labels: Labels, clusters: NDArray[np.int64], weights: Array, k: int = 20
) -> Array:
    """Global average precision over every row's ``k`` best labels, pooled: ``(draws,)``.

    Recall is of all true labels, those outside the lists too.
    """
    share = share_of_top(scores, k)
    row, label = np.nonzero(share)
    positives = positives_by_draw(labels, clusters, weights).sum(axis=0)
    items = (scores[row, label], clusters[row], labels[row, label])
    return average_precision(*items, by_cluster(weights), positives, amount=share[row, label])


def mean_average_precision(
    scores: NDArray[Any], labels: Labels, clusters: NDArray[np.int64], weights: Array, k: int | None = None
) -> Array:
    """Mean over labels of average precision, ``(draws,)``, over full lists or each row's ``k`` best labels.

    Labels without a positive in the split are left out; one without a positive in a draw is left out of that draw.
    """
    share = np.ones(scores.shape) if k is None else share_of_top(scores, k)
    positives = positives_by_draw(labels, clusters, weights)
    found, draws = [], by_cluster(weights)
    for label in np.flatnonzero(labels.any(axis=0)):
        ranked = share[:, label] > 0
        items = (scores[ranked, label], clusters[ranked], labels[ranked, label])
        found.append(average_precision(*items, draws, positives[label], amount=share[ranked, label]))
    return mean_over_classes(found, len(weights))
