"""Random streams named by what they are for, so that one story's numbers depend on nothing but its name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
POOL = 64


class Stream:
    """Draws from a bit generator that is seeded by a name's SHA-256; integers only, so that no float is rounded."""

    def __init__(self, *names: object) -> None:
        digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
        self.generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
        self._pool: list[int] = []

    def below(self, bound: int) -> int:
        """An integer in [0, bound), for bounds far below 2^32."""
        if not self._pool:
            self._pool = self.generator.integers(1 << 32, size=POOL, dtype=np.int64).tolist()
        return self._pool.pop() * bound >> 32

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high], both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred draws."""
        return self.below(100) < percent

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely."""
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[Item], weights: Sequence[int]) -> Item:
        """One of the items, as likely as its weight."""
        left = self.below(sum(weights))
        for item, weight in zip(items, weights, strict=True):
            left -= weight
            if left < 0:
                return item
        raise ValueError("weights do not add up")

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """All items in another order."""
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.below(last + 1)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed


def short_hash(*names: object, length: int = 7) -> str:
    """Hex digits that stand for a name without giving it away."""
    return hashlib.sha256("/".join(map(str, names)).encode()).hexdigest()[:length]
