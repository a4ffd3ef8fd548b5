"""Methods, tasks and datasets that differ from the real ones in one thing, for the checks that ask what that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reelbench.conformance.excerpt import Excerpt

if TYPE_CHECKING:
    import torch

    from reelbench.data import EvaluationSet, Relation
    from reelbench.method import Method
    from reelbench.task import Task


class Killed(Exception):
    """Stands for a killed process."""


def cut_off(method: Method, after: int) -> Method:
    """The method, dying at the step after ``after`` steps."""
    steps = [0]

    def training_step(self: Any, module: Any, batch: Any, ctx: Any) -> Any:
        steps[0] += 1
        if steps[0] > after:
            raise Killed
        return super(type(self), self).training_step(module, batch, ctx)

    return _with(method, training_step=training_step)


def holding(method: Method, held: list[torch.nn.Module]) -> Method:
    """The method, whose modules stay in ``held``."""

    def build(self: Any, data: Any, config: Any) -> Any:
        module = super(type(self), self).build(data, config)
        held.append(module)
        return module

    return _with(method, build=build)


def serving(method: Method, module: torch.nn.Module) -> Method:
    """The method, which builds nothing but takes this module as it is."""
    return _with(method, build=lambda self, data, config: module)


def asking(task: Task, asked: EvaluationSet) -> Task:
    """The task, with these examples."""
    return _with(task, evaluation=lambda self, dataset, protocol, split: asked)


def accepting(task: Task) -> Task:
    """The task, which takes any predictions: answers that belong to other examples are no measure of them."""
    return _with(task, validate=lambda self, predictions, evaluation: None)


def _with(thing: Any, **changes: Any) -> Any:
    """The thing with other functions; what either keeps on itself, both have."""
    kind = type(type(thing).__name__, (type(thing),), changes)
    altered: Any = object.__new__(kind)
    altered.__dict__ = thing.__dict__
    return altered


class Scrambled(Excerpt):
    """An excerpt whose test answers stand at other examples."""

    def __init__(self, excerpt: Excerpt) -> None:
        super().__init__(excerpt.whole, excerpt.examples, excerpt.rows)

    def relation(self, name: str, split: str = "train") -> Relation:
        """As it is, unless it is of the test split."""
        relation = super().relation(name, split)
        if split != "test":
            return relation
        targets = _moved_on([e.targets for e in relation.examples])
        rows = [replace(e, targets=t) for e, t in zip(relation.examples, targets, strict=True)]
        return replace(relation, examples=rows)

    def evaluation(self, task: str, protocol: str, split: str) -> EvaluationSet:
        """As it is, unless it is of the test split."""
        evaluation = super().evaluation(task, protocol, split)
        return scrambled(evaluation) if split == "test" else evaluation


def scrambled(evaluation: EvaluationSet) -> EvaluationSet:
    """The same examples, each with the next one's answers."""
    answers: Mapping[str, Any] = evaluation.targets
    moved = _moved_on(list(answers.values()))
    return replace(evaluation, targets=dict(zip(answers, moved, strict=True)))


def _moved_on(items: list[Any]) -> list[Any]:
    return [*items[1:], *items[:1]]
