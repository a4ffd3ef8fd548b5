"""Leases: what keeps two benches on one workspace off each other's stages.

File locks of the operating system, so that a killed bench leaves nothing behind to clear.
"""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout


class StageLease:
    """One bench's claims on stages, by fingerprint."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / "leases"
        self._held: dict[str, FileLock] = {}

    def acquire(self, fingerprint: str) -> bool:
        """Whether the stage is ours to run now."""
        if fingerprint in self._held:
            return True
        lock = try_lock(self.folder / f"{fingerprint}.lock")
        if lock is None:
            return False
        self._held[fingerprint] = lock
        return True

    def release(self, fingerprint: str) -> None:
        """Let others have it."""
        lock = self._held.pop(fingerprint, None)
        if lock is not None:
            lock.release()


class Presence:
    """Says that this process uses a workspace, for as long as it lives."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / "benches"
        self._lock = try_lock(self.folder / f"{os.getpid()}.lock")

    def alone(self) -> bool:
        """Whether no other process uses the workspace; forgets those that died."""
        others = [p for p in self.folder.glob("*.lock") if p.stem != str(os.getpid())]
        return all(_forget(path) for path in others)


_PRESENT: dict[Path, Presence] = {}


def presence(workspace: Path) -> Presence:
    """This process's presence in a workspace, announced once."""
    key = workspace.absolute()
    if key not in _PRESENT:
        _PRESENT[key] = Presence(key)
    return _PRESENT[key]


def try_lock(path: Path) -> FileLock | None:
    """The lock if nobody holds it, else ``None``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


def _forget(path: Path) -> bool:
    lock = try_lock(path)
    if lock is None:
        return False
    path.unlink(missing_ok=True)
    lock.release()
    return True
