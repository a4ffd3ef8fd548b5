"""A benchmark's questions with their answers, on the training and the test split, without a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from reelbench.data import Example
from reelbench.tasks.datasets.microworld.examples import EVALUATION_BUILDERS, Takes
from reelbench.tasks.datasets.microworld.information.worlds import World
from reelbench.tasks.datasets.microworld.records import StoryRecord

Asked = list[tuple[str, Example]]
"""(family, example with its answer)."""
Text = tuple[str, ...]


@lru_cache(maxsize=8)
def questions(world: World, task: str, protocol: str) -> tuple[Asked, Asked]:
    """A benchmark's questions on the training and the test split, each story in one rendering."""

    def build(records: Sequence[StoryRecord]) -> Asked:
        takes: Takes = [(record, record.shown) for record in records]
        return list(EVALUATION_BUILDERS[task, protocol](takes))

    return build(world.train_records), build(world.test_records)


def target(example: Example, name: str) -> Any:
    """An answer of an example."""
    return (example.targets or {})[name]
