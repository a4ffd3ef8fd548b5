"""What every part of planning shares: what is registered, where stages will run, and the graph that grows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from reelbench.fingerprints import Reuse, imported_versions, source_digest
from reelbench.plan.graph import StageGraph
from reelbench.plan.outcome import Skipped
from reelbench.task import Task

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.registry import Registry
    from reelbench.suite import Suite

OpenDataset = Callable[[str], "Dataset"]


class Planner:
    """A suite being planned."""

    def __init__(
        self,
        registry: Registry,
        open_dataset: OpenDataset,
        suite: Suite,
        device: str = "cpu",
        precision: str = "32-true",
        reuse: Reuse = "exact",
    ) -> None:
        self.registry, self.open_dataset, self.suite = registry, open_dataset, suite
        self.where = {"device": device, "precision": precision}
        self.graph = StageGraph(reuse)
        self.skipped: list[Skipped] = []
        self.source: Callable[[type], str] = cache(source_digest)
        self.versions: Callable[[type], dict[str, str]] = cache(imported_versions)

    @property
    def limits(self) -> dict[str, Any]:
        """The suite's, for a spec."""
        return self.suite.limits.model_dump()


def shown(task: Task) -> list[list[str]]:
    """What of a task's examples a method sees: fields, and modalities that it does not."""
    return [sorted(task.inputs), sorted(task.withheld)]
