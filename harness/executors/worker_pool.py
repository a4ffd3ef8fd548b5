"""Persistent worker processes, one stage at a time each, so that torch is imported once a worker and not once a trial.

A worker that dies (killed, out of memory) fails its stage and is replaced. Workers ignore Ctrl-C, which the parent
turns into SIGTERM for them, and end when their parent does.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any

from reelbench.errors import ExecutorError
from reelbench.executors import Event, Executor, Job, Surroundings
from reelbench.training.interrupts import DeferredInterrupts

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_SPAWN = multiprocessing.get_context("spawn")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class WorkerPool(Executor):
    """``workers`` processes of one compute thread each."""

    def __init__(self, surroundings: Surroundings, workers: int) -> None:
        super().__init__(surroundings, workers)
        self._workers: list[_Worker] = []
        atexit.register(self.close, kill=True)  # Ctrl-C may come before anybody can close it
        for i in range(workers):
            self._workers.append(_Worker(f"worker-{i}", surroundings))

    @property
    def idle(self) -> int:
        """Workers without a job."""
        return sum(w.job is None for w in self._workers)

    def submit(self, job: Job) -> str:
        """Hand the job to an idle worker."""
        worker = next(w for w in self._workers if w.job is None)
        worker.start(job)
        return worker.name

    def events(self, timeout_s: float) -> list[Event]:
        """Messages of all workers; a dead worker's job fails."""
        handles = {w.connection: w for w in self._workers} | {w.process.sentinel: w for w in self._workers}
        ready = {handles[h].name: handles[h] for h in wait(list(handles), timeout_s)}  # type: ignore[index]
        return [event for worker in ready.values() for event in worker.drain()]

    def interrupt(self) -> None:
        """SIGTERM to every busy worker, whose stage then saves and stops."""
        for worker in self._workers:
            if worker.job is not None:
                worker.process.terminate()

    def close(self, *, kill: bool = False) -> None:
        """Let idle workers leave; kill what does not within two seconds (at once with ``kill``)."""
        for worker in self._workers:
            worker.stop(kill)
        for worker in self._workers:
            worker.join()
        atexit.unregister(self.close)


class _Worker:
    def __init__(self, name: str, surroundings: Surroundings) -> None:
        self.name, self.surroundings = name, surroundings
        self.job: Job | None = None
        self._spawn()

    def _spawn(self) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.ready = False
        with _one_thread(), _no_main(), _signals_held():
            self.process = _SPAWN.Process(
                target=_serve, args=(theirs, self.surroundings, self.name, os.getpid()), name=self.name
            )
            self.process.start()
        theirs.close()

    def start(self, job: Job) -> None:
        self.job = job
        self.connection.send(job)

    def drain(self) -> list[Event]:
        events: list[Event] = []
        try:
            while self.connection.poll():
                event: Event = self.connection.recv()
                if event.kind == "ready":
                    self.ready = True
                    continue
                events.append(event)
                if event.kind in ("finished", "failed"):
                    self.job = None
        except (EOFError, OSError):
            return events + self._replace()
        return events if self.process.is_alive() else events + self._replace()

    def _replace(self) -> list[Event]:
        """Report the lost job, if any, and start a fresh process.

        Raises
        ------
        ExecutorError
            If the worker died before it could take a job: a fresh one would, too.
        """
        self.process.join()
        if not self.ready:
            raise ExecutorError(
                f"{self.name} could not start (exit status {self.process.exitcode}); the lines above say why. Try --executor in-process"
            )
        job, self.job = self.job, None
        self._spawn()
        if job is None:
            return []
        from reelbench.executors.work import lost_worker

        return [Event("failed", job.fingerprint, lost_worker(job, self.name), self.name)]

    def stop(self, kill: bool) -> None:
        if kill or self.job is not None:
            self.process.kill()
        else:
            self.connection.close()

    def join(self) -> None:
        self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Environment for a child: compute libraries read it when they load, so it must be set before the spawn."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


@contextmanager
def _no_main() -> Iterator[None]:
    """Hide the main module, which a spawned child would otherwise run again before its own work."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back: a child starts with what is held here, so none hits it before it has handlers.

    The mask is this thread's and the child's; a signal that another thread takes is deferred as well.
    """
    resource_tracker.ensure_running()  # starting it with the first child would let the signals through again
    with DeferredInterrupts():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, surroundings: Surroundings, name: str, parent: int) -> None:
    """A worker's life: load plugins once, then one job after the other until the pipe closes."""
    early: list[int] = []  # a SIGTERM that came before the stage it was meant for began
    remember = lambda *_: early.append(1)  # noqa: E731
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, remember)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    from reelbench.executors.work import Workbench, execute, interrupted_job

    bench = Workbench(surroundings)
    try:
        connection.send(Event("ready", "", {}, name))
    except OSError:
        return  # the pool was closed meanwhile, by a Ctrl-C while workers start
    lock = threading.Lock()
    while True:
        try:
            job: Job = connection.recv()
        except (EOFError, OSError):
            return

        def send(kind: str, payload: Mapping[str, Any], job: Job = job) -> None:
            try:
                with lock:
                    connection.send(Event(kind, job.fingerprint, payload, name))
            except OSError:
                os._exit(1)  # the parent is gone; the stage goes on in the next bench

        signal.signal(signal.SIGTERM, _interrupted)
        record = interrupted_job(job, name) if early else execute(job, bench, send, name)
        signal.signal(signal.SIGTERM, remember)
        early.clear()
        send("finished" if record["status"] == "finished" else "failed", record)


def _interrupted(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _leave_with(parent: int) -> None:
    """End this process when its parent is gone, even in the middle of a stage (which then resumes next time)."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
