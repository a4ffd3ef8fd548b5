"""What one trial made of a dataset and the next one needs again: evaluation sets, film strips."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any


class Shelf:
    """Keeps the last ``size`` things made of objects, which need not be hashable, while the process lives."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._things: dict[tuple[int, Hashable], tuple[object, Any]] = {}

    def get(self, owner: object, key: Hashable, make: Callable[[], Any]) -> Any:
        """What was made of ``owner`` under ``key``, or what ``make`` gives now; the owner is kept too, so its id is its own."""
        place = (id(owner), key)
        if place not in self._things:
            made = make()
            while len(self._things) >= self.size:
                del self._things[next(iter(self._things))]
            self._things[place] = (owner, made)
        return self._things[place][1]
