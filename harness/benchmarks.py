"""Names of benchmarks: ``task@dataset:protocol``, with the dataset's size, control and draw in its name."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reelbench.errors import UnknownNameError, UsageError, nearest

if TYPE_CHECKING:
    from reelbench.dataset import BenchmarkSpec
    from reelbench.registry import Registry


@dataclass(frozen=True, slots=True, order=True)
class Benchmark:
    """A task on a dataset under a protocol; ``str`` gives its canonical name."""

    task: str
    dataset: str
    protocol: str

    def __str__(self) -> str:
        return f"{self.task}@{self.dataset}:{self.protocol}"

    @classmethod
    def parse(cls, name: str) -> Benchmark:
        """Read a canonical name.

        Raises
        ------
        UsageError
            If a part is missing.
        """
        task, at, rest = name.partition("@")
        dataset, colon, protocol = rest.partition(":")
        if not (task and at and dataset and colon and protocol):
            raise UsageError(f"benchmark {name!r} is not of the form task@dataset:protocol")
        return cls(task, dataset, protocol)


def matches(pattern: str, benchmark: Benchmark) -> bool:
    """Whether ``retrieval``, ``retrieval:paragraph``, ``*@didemo`` or a full name covers a benchmark."""
    head, _, protocol = pattern.partition(":")
    task, _, dataset = head.partition("@")
    covers = (
        fnmatchcase(benchmark.dataset, dataset) or fnmatchcase(benchmark.dataset, f"{dataset}/*")
        if dataset
        else True
    )
    return (
        fnmatchcase(benchmark.task, task or "*")
        and covers
        and (not protocol or fnmatchcase(benchmark.protocol, protocol))
    )


def is_pattern(name: str) -> bool:
    """Whether a name may stand for several."""
    return any(c in name for c in "*?[")


def unknown_part(registry: Registry, pattern: str) -> UnknownNameError | None:
    """What of a pattern nothing registered has, its task, dataset, size or protocol; datasets are not opened.

    What follows a dataset's pattern (``*/no-gaze``) may be anything of its name, and is not looked at.
    """
    head, _, protocol = pattern.partition(":")
    task, _, dataset = head.partition("@")
    name, _, rest = dataset.partition("/")
    sizes = [] if is_pattern(name) or name not in registry.datasets else registry.datasets[name].sizes
    for kind, part, known in (
        ("task", task, registry.tasks),
        ("dataset", name, registry.datasets),
        (f"size of {name}", rest.partition("/")[0] if sizes else "", sizes),
        (f"protocol of {task or 'any task'}", protocol, _protocols(registry, task or "*")),
    ):
        if part and not any(fnmatchcase(k, part) for k in known):
            return UnknownNameError(kind, part, known)
    return None


def _protocols(registry: Registry, task: str) -> set[str]:
    """Protocols of the tasks that a pattern names: their own, and those that datasets list."""
    listed = {
        s.protocol
        for name in registry.datasets
        for s in specs_of(registry, name)
        if fnmatchcase(s.task, task)
    }
    return listed.union(*(t.protocols for n, t in registry.tasks.items() if fnmatchcase(n, task)))


def known_benchmarks(registry: Registry, dataset: str) -> list[Benchmark]:
    """Every benchmark of a dataset (with its size), without opening it; tasks brought by methods included."""
    return [Benchmark(spec.task, dataset, spec.protocol) for spec in specs_of(registry, dataset)]


def specs_of(registry: Registry, dataset: str) -> list[BenchmarkSpec]:
    """What a dataset says it supports, and what tasks outside it say they can build from it."""
    own = [s for s in registry.dataset_source(dataset).list_benchmarks() if s.task in registry.tasks]
    brought = [spec for task in registry.tasks.values() for spec in task.brings(dataset)]
    return own + brought


def canonical_dataset(registry: Registry, name: str) -> str:
    """The dataset's name with its size spelt out."""
    source = registry.dataset_source(name)
    head, slash, rest = name.partition("/")
    if not slash and source.sizes:
        return f"{head}/{source.default_size or source.sizes[0]}"
    if slash and source.sizes and rest.split("/")[0] not in source.sizes:
        raise UnknownNameError(f"size of {head}", rest.split("/")[0], source.sizes)
    return name


def expand(registry: Registry, pattern: str) -> list[Benchmark]:
    """Benchmarks that a suite's pattern names; at least one.

    A name without a protocol means the default one; ``*`` as a protocol means all.

    Raises
    ------
    UsageError
        If the pattern names no dataset, or a task, dataset or protocol that nobody supports.
    """
    head, _, protocol = pattern.partition(":")
    task, at, dataset = head.partition("@")
    if not (task and at and dataset):
        known = next((n for n in (task, nearest(task, registry.tasks)) if n in registry.tasks), "task")
        raise UsageError(
            f"benchmark {pattern!r} names no dataset; write task@dataset, {known}@microworld/small say"
        )
    dataset = canonical_dataset(registry, dataset)
    if "*" not in task:
        registry.task(task)
    found = [b for b in known_benchmarks(registry, dataset) if fnmatchcase(b.task, task)]
    if not found:
        supported = sorted({b.task for b in known_benchmarks(registry, dataset)})
        near = None if task in registry.tasks else nearest(task, supported)
        has = (
            f"did you mean {near!r}?"
            if near
            else f"dataset {dataset!r} has {', '.join(supported) or 'no benchmarks'}"
        )
        raise UsageError(f"nothing supports {pattern!r}: {has}")
    chosen = [b for b in found if fnmatchcase(b.protocol, protocol)] if protocol else _defaults(found)
    if not chosen:
        raise UnknownNameError(f"protocol of {task}@{dataset}", protocol, {b.protocol for b in found})
    return chosen


def _defaults(found: list[Benchmark]) -> list[Benchmark]:
    first: dict[str, Benchmark] = {}
    for benchmark in found:
        first.setdefault(benchmark.task, benchmark)
    return list(first.values())
