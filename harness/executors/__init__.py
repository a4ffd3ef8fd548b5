"""Ways to run stages: in this process, or in persistent worker processes.

An executor takes jobs and gives back events; which job comes when is decided in :mod:`reelbench.running`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelbench.stages import StageKind


@dataclass(frozen=True)
class Job:
    """A stage as a worker gets it: what to do, where its inputs lie, and the folder to fill."""

    kind: StageKind
    fingerprint: str
    spec: Mapping[str, Any]
    needs: Mapping[str, tuple[Path, ...]]
    folder: Path


@dataclass(frozen=True)
class Event:
    """What a worker reports: ``progress``, ``phase``, ``finished`` or ``failed`` (with the record)."""

    kind: str
    fingerprint: str
    payload: Mapping[str, Any]
    worker: str


@dataclass(frozen=True)
class Surroundings:
    """What a worker needs to know beside its jobs."""

    workspace: Path
    cache_dir: Path
    data_dir: Path | None
    plugins: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


class Executor(ABC):
    """Runs jobs; registered through ``reelbench_executors`` by name."""

    def __init__(self, surroundings: Surroundings, workers: int) -> None:
        self.surroundings, self.workers = surroundings, workers

    @property
    @abstractmethod
    def idle(self) -> int:
        """How many jobs could start now."""

    @abstractmethod
    def submit(self, job: Job) -> str:
        """Start a job; returns the worker's name."""

    @abstractmethod
    def events(self, timeout_s: float) -> list[Event]:
        """What happened since the last call, waiting at most ``timeout_s`` for the first event."""

    @abstractmethod
    def interrupt(self) -> None:
        """Ask running jobs to save and stop; they end with a ``failed`` event of status ``interrupted``."""

    @abstractmethod
    def close(self, *, kill: bool = False) -> None:
        """End every process that was started."""


def default_workers(device: str) -> int:
    """One worker a core up to two on a CPU; one on a GPU."""
    import os

    return 1 if device == "cuda" else max(1, min(2, len(os.sched_getaffinity(0))))
