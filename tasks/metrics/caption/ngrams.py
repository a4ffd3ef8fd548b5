"""Counts of a sentence's n-grams of one to four tokens, which BLEU and CIDEr share."""

from __future__ import annotations

from collections import Counter

ORDERS = 4

NgramCounts = Counter[tuple[str, ...]]


def count_ngrams(tokens: list[str]) -> NgramCounts:
    """How often each n-gram of one to four tokens occurs."""
    return Counter(
        tuple(tokens[start : start + order])
        for order in range(1, ORDERS + 1)
        for start in range(len(tokens) - order + 1)
    )
