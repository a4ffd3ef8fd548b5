"""Runs that say RUNNING though nobody runs them: their bench was killed."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from reelbench.tracking.runs import LEASE, RunWriter

STALE_MS = 10 * 60 * 1000


def reclaim_abandoned(writer: RunWriter) -> int:
    """Mark abandoned runs KILLED; returns how many."""
    running = writer.store.search(list(writer.store.experiments().values()), "attributes.status = 'RUNNING'")
    gone = [run for run in running if is_abandoned(run.data.tags, round(time.time() * 1000))]
    for run in gone:
        writer.end(run.info.run_id, "KILLED", "abandoned: the bench that ran it was killed")
    return len(gone)


def is_abandoned(tags: Mapping[str, str], now_ms: int) -> bool:
    """Whether the lease's process is dead, as far as this machine can tell.

    A process of another machine counts as dead when its heartbeat is ten minutes old.
    """
    lease = tags.get("rb.lease", "")
    if not lease or lease == LEASE:
        return False
    host, pid, _ = lease.rsplit(":", 2)
    if host == socket.gethostname() and not _alive(int(pid)):
        return True
    return now_ms - int(tags.get("rb.heartbeat_ms", "0")) > STALE_MS


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()  # the same number with another lease is an earlier process
