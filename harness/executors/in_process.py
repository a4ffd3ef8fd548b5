"""One job after the other in this process: for debugging, and where starting processes is not wanted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from reelbench.executors import Event, Executor, Job, Surroundings
from reelbench.executors.work import Workbench, execute, interrupted_job


class InProcess(Executor):
    """Runs a job when its events are asked for."""

    def __init__(self, surroundings: Surroundings, workers: int = 1) -> None:
        super().__init__(surroundings, 1)
        self._bench = Workbench(surroundings)
        self._waiting: list[Job] = []
        self._running = self._stopping = False

    @property
    def idle(self) -> int:
        """One, unless a job waits."""
        return 1 - len(self._waiting)

    def submit(self, job: Job) -> str:
        """Keep the job for the next call of :meth:`events`."""
        self._waiting.append(job)
        return "main"

    def events(self, timeout_s: float) -> list[Event]:
        """Run the waiting job to its end."""
        if not self._waiting:
            time.sleep(timeout_s)
            return []
        job = self._waiting.pop()
        seen: list[Event] = []

        def emit(kind: str, payload: Mapping[str, Any]) -> None:
            seen.append(Event(kind, job.fingerprint, payload, "main"))

        self._running = True
        try:
            record = (
                interrupted_job(job, "main") if self._stopping else execute(job, self._bench, emit, "main")
            )
        finally:
            self._running = False
        kind = "finished" if record["status"] == "finished" else "failed"
        return [*seen, Event(kind, job.fingerprint, record, "main")]

    def interrupt(self) -> None:
        """Stop the running stage; called by a signal's handler, so in the middle of it. A waiting one will not start."""
        self._stopping = True
        if self._running:
            raise KeyboardInterrupt

    def close(self, *, kill: bool = False) -> None:
        """Nothing was started."""
