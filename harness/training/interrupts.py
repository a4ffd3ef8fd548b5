"""Ctrl-C at a good moment: between two steps, after a checkpoint."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class DeferredInterrupts:
    """Holds back the first SIGINT or SIGTERM that has a handler until :meth:`raise_pending`; a second one acts at once."""

    def __init__(self) -> None:
        self._pending: tuple[Any, int] | None = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> DeferredInterrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._hold)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._hold:
                signal.signal(number, handler)
        if kind is None:
            self.raise_pending()

    def _hold(self, number: int, frame: FrameType | None) -> None:
        handler = self._handlers[number]
        if self._pending is not None:
            handler(number, frame)
        self._pending = (handler, number)

    @property
    def pending(self) -> bool:
        """Whether a signal waits."""
        return self._pending is not None

    def raise_pending(self) -> None:
        """Let the signal's own handler act."""
        if self._pending is not None:
            (handler, number), self._pending = self._pending, None
            handler(number, None)
