"""Counts of a sentence's n-grams of one to four tokens, which BLEU and CIDEr share."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

ORDERS = 4

NgramCounts = Counter[tuple[str, ...]]


@lru_cache(maxsize=8192)
def count_ngrams(sentence: str) -> NgramCounts:
    """How often each n-gram of one to four tokens occurs in a tokenized sentence; kept, so not to be changed."""
    tokens = sentence.split()
    return Counter(
        tuple(tokens[start : start + order])
        for order in range(1, ORDERS + 1)
        for start in range(len(tokens) - order + 1)
    )
