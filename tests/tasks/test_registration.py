"""Tasks are listed without numpy, and a bench's workers are offered one METEOR while it runs."""

from __future__ import annotations

import os
import subprocess
import sys

from reelbench.tasks import registration
from reelbench.tasks.metrics.caption.sharing import SOCKET


def test_every_task_declares_what_the_contract_asks() -> None:
    tasks = registration.reelbench_tasks()
    assert len({task.name for task in tasks}) == len(tasks) == 12
    for task in tasks:
        assert task.title
        assert task.summary
        assert task.inputs
        assert task.prediction
        for protocol in task.protocols:
            names = [metric.name for metric in task.metrics(protocol)]
            assert len(set(names)) == len(names) > 0


def test_listing_tasks_imports_neither_numpy_nor_torch() -> None:
    code = (
        "import sys; from reelbench.tasks.registration import reelbench_tasks;"
        "[task.metrics(p) for task in reelbench_tasks() for p in task.protocols];"
        "sys.exit(bool({'numpy', 'torch', 'pycocoevalcap'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_workers_are_offered_a_shared_meteor_only_while_a_plan_runs() -> None:
    registration.reelbench_plan_ready(run={"executor": "workers", "waiting": 3})
    assert os.path.exists(os.environ[SOCKET])
    registration.reelbench_plan_finished()
    assert SOCKET not in os.environ
    for run in ({"executor": "in-process", "waiting": 3}, {"executor": "workers", "waiting": 0}):
        registration.reelbench_plan_ready(run=run)
        assert SOCKET not in os.environ
