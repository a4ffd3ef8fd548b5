"""Where the right candidate stands in a ranking, with ties counted fairly.

A row's scores are reduced to three counts: wrong candidates that score higher than the best right one, wrong ones
that score the same, and right ones that score the same. From these follow recall and rank *in expectation over
random orders of the tied block* (McSherry & Najork, "Computing information retrieval performance measures
efficiently in the presence of tied scores", ECIR 2008), so that a constant scorer earns exactly chance, and the
value in the worst order. Optimistic ties, which give a constant scorer 100 %, are not offered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 1024


@dataclass(frozen=True, slots=True)
class RankCounts:
    """Counts around the best-ranked right candidate, each ``(n,)``.

    Attributes
    ----------
    greater
        Wrong candidates with a higher score.
    tied
        Wrong candidates with the same score.
    right
        Right candidates with that score (1 where a row has one right candidate).
    """

    greater: NDArray[np.int64]
    tied: NDArray[np.int64]
    right: NDArray[np.int64]

    def expected_hit(self, k: int) -> NDArray[np.float64]:
        """Probability that a right candidate is among the first ``k``, ties in random order: ``(n,)``."""
        places = k - self.greater  # of the tied block, inside the first k
        miss = np.where(places > self.tied, 0.0, 1.0)
        for place in range(min(k, int(self.tied.max(initial=0)))):
            wrong = np.maximum(self.tied - place, 0)
            miss = np.where(place < places, miss * wrong / (wrong + self.right), miss)
        hit: NDArray[np.float64] = 1.0 - miss
        return hit

    def worst_hit(self, k: int) -> NDArray[np.float64]:
        """1 where a right candidate is among the first ``k`` though every tied wrong one comes before: ``(n,)``."""
        return (self.greater + self.tied < k).astype(np.float64)

    def expected_rank(self) -> NDArray[np.float64]:
        """Expected 1-based rank of the first right candidate, ties in random order: ``(n,)``."""
        rank: NDArray[np.float64] = self.greater + (self.tied + self.right + 1) / (self.right + 1)
        return rank


def count_ranks(scores: NDArray[np.floating], right: NDArray[np.integer]) -> RankCounts:
    """Counts for rows with one right candidate each.

    Parameters
    ----------
    scores
        ``(n, candidates)``, without NaN.
    right
        ``(n,)`` column of the right candidate.
    """
    best = scores[np.arange(len(scores)), right]
    greater, equal = _count_against(scores, best)
    return RankCounts(greater, equal - 1, np.ones_like(equal))


def count_best_ranks(
    scores: NDArray[np.floating], row: NDArray[np.integer], column: NDArray[np.integer]
) -> RankCounts:
    """Counts for rows with one right candidate or several: the best-ranked of them stands for the row.

    Parameters
    ----------
    scores
        ``(n, candidates)``, without NaN.
    row, column
        ``(pairs,)`` each: candidate ``column[i]`` is right for row ``row[i]``; every row has at least one.
    """
    best = np.full(len(scores), -np.inf, dtype=scores.dtype)
    np.maximum.at(best, row, scores[row, column])
    greater, equal = _count_against(scores, best)
    right = np.bincount(row[scores[row, column] == best[row]], minlength=len(scores))
    return RankCounts(greater, equal - right, right)


def _count_against(
    scores: NDArray[np.floating], best: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    greater = np.zeros(len(scores), dtype=np.int64)
    equal = np.zeros(len(scores), dtype=np.int64)
    for start in range(0, len(scores), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        greater[block] = (scores[block] > best[block, None]).sum(axis=1)
        equal[block] = (scores[block] == best[block, None]).sum(axis=1)
    return greater, equal
