"""The executors that come with reelbench."""

from __future__ import annotations

from reelbench.executors import Executor
from reelbench.executors.in_process import InProcess
from reelbench.executors.worker_pool import WorkerPool
from reelbench.hookspecs import hookimpl


@hookimpl
def reelbench_executors() -> dict[str, type[Executor]]:
    """``workers`` (persistent processes) and ``in-process``."""
    return {"workers": WorkerPool, "in-process": InProcess}
