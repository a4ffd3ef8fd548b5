"""What of a record steers a table's statistics and no predictions can show, held against what is installed here.

``deterministic`` takes a row's seeds out of its error, ``floor`` and ``role`` its rank, a metric's ``direction`` turns the table
round. A forger would change these and leave the predictions alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from reelbench.benchmarks import Benchmark
from reelbench.reports.bundles.agreement import Told

if TYPE_CHECKING:
    from reelbench.method import Method
    from reelbench.registry import Registry
    from reelbench.task import Task

NAMES = ("method", "title", "variant", "recipe", "preset", "task", "dataset", "protocol", "family", "section")
OF_A_METRIC = ("direction", "percent", "low", "high", "interval_only", "primary")
NO_METHOD = ("external", "ceiling")
Row = tuple[str, str]


def steering(told: Told, registry: Registry) -> Iterator[str]:
    """A line for each thing that a record says otherwise than its tags, its task or its method."""
    yield from _naming(told)
    benchmark = Benchmark.parse(told.listed.benchmark)
    task = registry.tasks.get(benchmark.task)
    source = registry.datasets.get(benchmark.dataset.partition("/")[0])
    if source is not None and told.record.get("generated", source.generated) != source.generated:
        yield f"generated is {told.record['generated']!r} in the record, the dataset says {source.generated}"
    if task is not None and benchmark.protocol in task.protocols:
        yield from _metrics(told.record.get("metric_specs"), task, benchmark.protocol)
        if told.listed.role == "ceiling" and told.record.get("method") not in task.ceiling_names(
            benchmark.protocol
        ):
            yield f"the task has no ceiling {told.record.get('method')!r}"
    yield from _method(told, registry)


def _naming(told: Told) -> Iterator[str]:
    """Tables take names from tags, everything else from the record."""
    record = told.record
    wanted = {name: str(record[name]) for name in NAMES if name in record}
    if isinstance(features := record.get("features"), list):
        wanted["features"] = "+".join(map(str, features))
    for name in (*NAMES, "features"):
        if (tag := told.tags.get(f"rb.{name}")) != wanted.get(name):
            yield f"its tag rb.{name} is {tag!r}, the record says {wanted.get(name)!r}"


def _metrics(specs: Any, task: Task, protocol: str) -> Iterator[str]:
    if not isinstance(specs, list) or not all(isinstance(spec, dict) for spec in specs):
        yield "metric_specs of the record is no list of metrics"
        return
    own = task.metrics(protocol)
    told, names = [spec.get("name") for spec in specs], [metric.name for metric in own]
    if told != names:
        yield f"the record's metrics are {told}, the task's {names}"
        return
    for i, (spec, metric) in enumerate(zip(specs, own, strict=True)):
        for name in OF_A_METRIC:
            wanted = i == 0 if name == "primary" else getattr(metric, name)
            if spec.get(name) != wanted:
                yield f"{name} of the metric {metric.name!r} is {spec.get(name)!r} in the record, the task says {wanted!r}"


def _method(told: Told, registry: Registry) -> Iterator[str]:
    """Nothing where the method is not installed: nobody here knows."""
    role, name = told.listed.role, told.record.get("method")
    method = registry.methods.get(name) if isinstance(name, str) else None
    wanted: dict[str, object]
    if role in NO_METHOD:
        if method is not None:
            yield f"its role is {role!r}, but {name!r} is a registered {method.role}"
        wanted = {"deterministic": role == "ceiling", "floor": False}
    elif method is not None:
        wanted = {"role": method.role, "deterministic": method.deterministic, "floor": method.floor}
        yield from _upstream(told, method)
    else:
        return
    for field, value in wanted.items():
        if told.record.get(field, False) != value:
            yield f"{field} is {told.record.get(field, False)!r} in the record, the method {name!r} says {value!r}"


def _upstream(told: Told, method: Method) -> Iterator[str]:
    """Which fits a row's fits start from is not in a bundle; that they start from some is known."""
    try:
        config = method.Config(**told.record["config"])
        starts = bool(method.upstream(config, str(told.record.get("recipe"))))
    except (KeyError, TypeError, ValueError):
        return  # a configuration of another version of the method
    if starts != bool(told.record.get("upstream")):
        yield (
            f"the record names {'no' if starts else 'some'} upstream fits, "
            f"the method {method.name!r} has {'some' if starts else 'none'}"
        )


def not_deterministic(several: Iterable[Told]) -> set[Row]:
    """Rows (benchmark, label) that a record calls deterministic though two of their seeds have different predictions."""
    digests: dict[Row, set[str]] = {}
    called: set[Row] = set()
    for told in several:
        row = told.listed.benchmark, told.listed.label
        digests.setdefault(row, set()).add(str(told.record.get("predictions_digest")))
        if told.record.get("deterministic"):
            called.add(row)
    return {row for row in called if len(digests[row]) > 1}
