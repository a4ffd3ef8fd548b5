"""A thread that works off calls in order, so that whoever makes them never waits."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

Call = tuple[Callable[..., None], tuple[Any, ...]]


class Background:
    """Works off calls one after another, and calls ``tick`` every ``every_s`` seconds in between.

    The thread is a daemon: a bench that is killed does not hang on a slow server.
    """

    def __init__(
        self, tick: Callable[[], None], on_error: Callable[[Exception], None], every_s: float
    ) -> None:
        self.tick, self.on_error, self.every_s = tick, on_error, every_s
        self._calls: queue.Queue[Call | None] = queue.Queue()
        self._ticked = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="reelbench-recorder", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[..., None], *args: Any) -> None:
        """Have ``function(*args)`` called on the thread; returns at once."""
        self._calls.put((function, args))

    def drain(self) -> None:
        """Wait until every call made so far has been worked off."""
        done = threading.Event()
        self.submit(done.set)
        while not done.wait(0.2):
            if not self._thread.is_alive():
                return

    def close(self) -> None:
        """Work off what is left, then end."""
        self._calls.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            self._tick_if_due()
            try:
                call = self._calls.get(timeout=self.every_s)
            except queue.Empty:
                continue
            if call is None:
                return
            self._guarded(*call)

    def _tick_if_due(self) -> None:
        if time.monotonic() - self._ticked >= self.every_s:
            self._ticked = time.monotonic()
            self._guarded(self.tick, ())

    def _guarded(self, function: Callable[..., None], args: tuple[Any, ...]) -> None:
        try:
            function(*args)
        except Exception as error:
            self.on_error(error)
