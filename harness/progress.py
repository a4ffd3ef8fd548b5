"""How a running stage says how far it is: at most four times a second, so that no step waits on the display."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelbench.stages import Emit

INTERVAL_S = 0.25


class Progress:
    """Emits ``progress`` events of ``done`` out of ``total`` units, with their rate a second."""

    def __init__(self, emit: Emit, total: int, unit: str, done: int = 0) -> None:
        self.emit, self.total, self.unit = emit, total, unit
        self._first, self._started = done, time.monotonic()
        self._next = self._started + INTERVAL_S

    def at(self, done: int, **values: Any) -> None:
        """Say where the stage is, unless it said so a moment ago."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + INTERVAL_S
            rate = (done - self._first) / (now - self._started)
            self.emit(
                "progress", {"done": done, "total": self.total, "unit": self.unit, "rate": rate, **values}
            )

    @property
    def due(self) -> bool:
        """Whether :meth:`at` would emit now; lets a caller compute its values only then."""
        return time.monotonic() >= self._next
