"""A bench of predictions made elsewhere: nothing is trained; its score stages run and are recorded as any other's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reelbench.benchmarks import Benchmark, expand
from reelbench.errors import UsageError
from reelbench.external.reading import read_predictions, write_questions
from reelbench.plan import OpenDataset, plan_external

if TYPE_CHECKING:
    from reelbench.bench import Bench
    from reelbench.data import EvaluationSet
    from reelbench.executors import Surroundings
    from reelbench.registry import Registry
    from reelbench.task import Task

SPLIT = "test"


@dataclass(frozen=True)
class Asked:
    """A benchmark's questions."""

    registry: Registry
    open_dataset: OpenDataset
    benchmark: Benchmark
    task: Task
    evaluation: EvaluationSet

    def write(self, path: Path) -> None:
        """Write them as JSON lines."""
        write_questions(path, self.task.columns(self.benchmark.protocol), self.evaluation)


def ask(registry: Registry, open_dataset: OpenDataset, name: str) -> Asked:
    """The questions of one benchmark.

    Raises
    ------
    UsageError
        If the name stands for no benchmark, or for several.
    """
    found = expand(registry, name)
    if len(found) != 1:
        raise UsageError(
            f"{name!r} stands for {len(found)} benchmarks; name one of: {', '.join(map(str, found))}"
        )
    (benchmark,) = found
    task = registry.task(benchmark.task)
    evaluation = task.evaluation(open_dataset(benchmark.dataset), benchmark.protocol, SPLIT)
    return Asked(registry, open_dataset, benchmark, task, evaluation)


def external_bench(
    asked: Asked,
    files: Sequence[Path],
    label: str,
    seed: int,
    surroundings: Surroundings,
    store: str,
    say: Callable[[str], None] = print,
) -> Bench:
    """A bench that scores files, one a seed; what of it is recorded already is not scored again.

    Raises
    ------
    PredictionError
        If a file does not answer what is asked; nothing is recorded then.
    UsageError
        If the label is no name, or that of a registered method.
    """  # fmt: skip
    from reelbench.bench import Bench

    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", label):
        raise UsageError(
            f"label {label!r} may have lower-case letters, digits, dots, dashes and underscores only"
        )
    if label in asked.registry.methods:
        raise UsageError(f"label {label!r} is a registered method's name; take another")
    columns = asked.task.columns(asked.benchmark.protocol)
    kept: dict[int, tuple[Path, str]] = {}
    for number, path in enumerate(files, seed):
        predictions = read_predictions(path, columns, asked.evaluation)
        asked.task.validate(predictions, asked.evaluation)
        digest = predictions.digest()
        folder = surroundings.workspace / "external" / digest[:32]
        predictions.save(folder)
        kept[number] = (folder, digest)
    plan = plan_external(asked.registry, asked.open_dataset, asked.benchmark, label, kept)
    bench = Bench(
        plan.suite, asked.registry, surroundings, asked.open_dataset, store, executor="in-process", say=say
    )
    bench.adopt(plan)
    return bench
