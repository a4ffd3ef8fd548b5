"""CIDEr-D (Vedantam et al., CVPR 2015, §5 and the appendix on gaming) of each caption.

The rarity of n-grams (idf) comes from all references of the test set and is fixed with them, so a resample weighs
captions' scores and changes no score. As in ``pycocoevalcap``: sentence lengths are counted in bigrams, and a test
set of one example scores 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.metrics.caption.ngrams import ORDERS, NgramCounts, count_ngrams

SIGMA = 6.0
SCALE = 10.0

Ngram = tuple[str, ...]
References = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Vector:
    """A sentence's tf-idf weights, their norm an order, and its number of bigrams."""

    weights: dict[Ngram, float]
    norms: list[float]
    bigrams: int


class Cider:
    """CIDEr-D against one set of references.

    Parameters
    ----------
    references
        Tokenized references of every example.
    """

    def __init__(self, references: References) -> None:
        counts = [[count_ngrams(reference) for reference in refs] for refs in references]
        self._documents = Counter(ngram for refs in counts for ngram in set().union(*refs))
        self._log_examples = math.log(len(references)) if references else 0.0
        self._references = [[self._vector(count) for count in refs] for refs in counts]

    def scores(self, captions: Sequence[str]) -> NDArray[np.float64]:
        """CIDEr-D of each tokenized caption against its references: ``(n,)``, from 0 to 10."""
        pairs = zip(captions, self._references, strict=True)
        return np.array([self._score(caption, refs) for caption, refs in pairs], dtype=np.float64)

    def _score(self, caption: str, references: list[_Vector]) -> float:
        vector = self._vector(count_ngrams(caption))
        total = sum(_similarity(vector, reference) for reference in references)
        return SCALE * total / (ORDERS * len(references))

    def _vector(self, counts: NgramCounts) -> _Vector:
        weights = {ngram: count * self._rarity(ngram) for ngram, count in counts.items()}
        squares = [0.0] * ORDERS
        for ngram, weight in weights.items():
            squares[len(ngram) - 1] += weight * weight
        bigrams = sum(count for ngram, count in counts.items() if len(ngram) == 2)
        return _Vector(weights, [math.sqrt(square) for square in squares], bigrams)

    def _rarity(self, ngram: Ngram) -> float:
        return self._log_examples - math.log(max(1, self._documents[ngram]))


@lru_cache(maxsize=4)
def cider(references: References) -> Cider:
    """The scorer of a set of references, kept for the next trial on it."""
    return Cider(references)


def _similarity(caption: _Vector, reference: _Vector) -> float:
    """Clipped cosine summed over orders, damped by the difference in length."""
    products = [0.0] * ORDERS
    for ngram, weight in caption.weights.items():
        other = reference.weights.get(ngram, 0.0)
        products[len(ngram) - 1] += min(weight, other) * other
    norms = [a * b for a, b in zip(caption.norms, reference.norms, strict=True)]
    cosine = sum(product / norm if norm else product for product, norm in zip(products, norms, strict=True))
    return cosine * math.exp(-((caption.bigrams - reference.bigrams) ** 2) / (2 * SIGMA**2))
