"""BLEU-1 to BLEU-4 (Papineni et al., ACL 2002) of a whole test set, from counts that can be summed.

Reference length is the closest, ties to the shorter; the two tiny constants are those of ``pycocoevalcap``, which
keep a test set without any match from dividing by zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.metrics.caption.ngrams import ORDERS, NgramCounts, count_ngrams

TINY, SMALL = 1e-15, 1e-9

STATISTICS = 2 * ORDERS + 2
"""Matched n-grams (4), n-grams (4), caption length, closest reference length."""


def match_statistics(captions: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Counts for each tokenized caption: ``(n, 10)``."""
    rows = [_statistics(c, tuple(refs)) for c, refs in zip(captions, references, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(-1, STATISTICS)


def bleu(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """BLEU-1 to BLEU-4 of summed statistics ``(..., 10)``: ``(..., 4)``."""
    matched, total = sums[..., :ORDERS], sums[..., ORDERS : 2 * ORDERS]
    precision = np.cumprod((matched + TINY) / (total + SMALL), axis=-1)
    mean = precision ** (1 / np.arange(1, ORDERS + 1))  # geometric
    ratio = (sums[..., -2] + TINY) / (sums[..., -1] + SMALL)
    brevity = np.exp(np.minimum(0.0, 1 - 1 / ratio))
    scores: NDArray[np.float64] = mean * brevity[..., None]
    return scores


def _statistics(caption: str, references: tuple[str, ...]) -> list[int]:
    length, lengths = len(caption.split()), [len(r.split()) for r in references]
    closest = min((abs(n - length), n) for n in lengths)[1]
    totals = [max(0, length - order) for order in range(ORDERS)]
    return [*_matches(count_ngrams(caption), references), *totals, length, closest]


def _matches(counts: NgramCounts, references: tuple[str, ...]) -> list[int]:
    """N-grams of the caption found in the reference that has most of them."""
    most = _most(references)
    matched = [0] * ORDERS
    for ngram, count in counts.items():
        matched[len(ngram) - 1] += min(count, most[ngram])
    return matched


@lru_cache(maxsize=8192)
def _most(references: tuple[str, ...]) -> NgramCounts:
    """Of each n-gram the count in the reference that has most of it; kept for the next trial."""
    most: NgramCounts = NgramCounts()
    for reference in references:
        most |= count_ngrams(reference)
    return most
