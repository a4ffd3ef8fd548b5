"""Every hook of reelbench: the reference manual of what a plugin can add or watch.

Registration hooks return lists and are called once, when the registry is built; keep their modules free of numpy
and torch. Life-cycle hooks are called in the process that runs the plan, never in a worker; an exception in one is
reported and does not stop the bench. Sub-commands of ``reelbench`` are entry points of the group
``reelbench.commands`` instead of a hook, so that ``reelbench --help`` loads no plugin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from reelbench.dataset import DatasetSource
    from reelbench.executors import Executor
    from reelbench.method import Method
    from reelbench.plan import Plan
    from reelbench.registry import Registry
    from reelbench.stages import Stage
    from reelbench.task import Task

PROJECT = "reelbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# --- registration -----------------------------------------------------------------------------------------------


@hookspec
def reelbench_methods() -> Sequence[type[Method]]:
    """Methods: sub-classes of :class:`reelbench.Method`."""
    return ()


@hookspec
def reelbench_tasks() -> Sequence[Task]:
    """Tasks: instances of :class:`reelbench.Task`."""
    return ()


@hookspec
def reelbench_datasets() -> Sequence[DatasetSource]:
    """Datasets: instances of :class:`reelbench.DatasetSource`, which open the dataset when asked."""
    return ()


@hookspec
def reelbench_executors() -> Mapping[str, type[Executor]]:
    """Ways to run a plan's stages: name → executor class."""
    return {}


@hookspec
def reelbench_formats() -> Mapping[str, Any]:
    """Report formats: name → ``write(board, folder)``, which writes one leaderboard and returns its file's path."""
    return {}


@hookspec
def reelbench_plan_notes(plan: Plan, store: str, registry: Registry) -> Sequence[str]:
    """Lines that ``reelbench plan`` prints under the plan (what the suite will be able to resolve, say)."""
    return ()


# --- life cycle -------------------------------------------------------------------------------------------------


@hookspec
def reelbench_plan_ready(plan: Plan, run: Mapping[str, Any]) -> None:
    """The plan is resolved and is about to run. ``run`` says suite name, store, site, executor."""


@hookspec
def reelbench_stage_started(stage: Stage, worker: str) -> None:
    """A stage began (not called for cached stages)."""


@hookspec
def reelbench_phase_started(stage: Stage, phase: str, steps: int) -> None:
    """A fit entered a phase of at most ``steps`` steps."""


@hookspec
def reelbench_progress(stage: Stage, progress: Mapping[str, Any]) -> None:
    """A stage moved on: ``done`` and ``total``, ``unit``, ``rate``, and for fits ``loss`` or a validation metric."""


@hookspec
def reelbench_stage_finished(stage: Stage, record: Mapping[str, Any]) -> None:
    """A stage ended well; ``record`` is its stage record (``docs/record.md``)."""


@hookspec
def reelbench_stage_failed(stage: Stage, record: Mapping[str, Any]) -> None:
    """A stage failed, was skipped because of one that did, or was interrupted; ``record["error"]`` says why."""


@hookspec
def reelbench_plan_finished(plan: Plan, outcome: Mapping[str, Any]) -> None:
    """Everything that could run has; ``outcome`` counts stages by status."""
