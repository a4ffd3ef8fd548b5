"""A benchmark's questions with their answers, on the training and the test split, without a pixel."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from reelbench.data import Example
from reelbench.tasks.datasets.microworld.examples import EVALUATION_BUILDERS, Takes
from reelbench.tasks.datasets.microworld.information.worlds import World

Asked = list[tuple[str, Example]]
"""(family, example with its answer)."""
Text = tuple[str, ...]


def questions(world: World, task: str, protocol: str) -> tuple[Asked, Asked]:
    """A benchmark's questions on the training and the test split."""
    return ask(world, "train", task, protocol), ask(world, "test", task, protocol)


@lru_cache(maxsize=16)
def ask(world: World, split: str, task: str, protocol: str) -> Asked:
    """A benchmark's questions on a split, each story in one rendering, in the benchmark's order."""
    records = world.train_records if split == "train" else world.test_records
    takes: Takes = [(record, record.shown) for record in records]
    return list(EVALUATION_BUILDERS[task, protocol](takes))


def target(example: Example, name: str) -> Any:
    """An answer of an example."""
    return (example.targets or {})[name]
