"""Checks a bundle without training: files against digests, scores against predictions, data against fingerprints."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.benchmarks import Benchmark
from reelbench.errors import ReelbenchError
from reelbench.predictions import Predictions
from reelbench.reports.bundles.opening import Bundle

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.registry import Registry

TOLERANCE = 1e-9
"""Scorers are exact arithmetic in a fixed order but for matrix products, which differ in the last digits between machines."""


@dataclass(frozen=True)
class Checked:
    """One trial of a bundle.

    Attributes
    ----------
    problems
        What differs; empty where every score is what its predictions give.
    unchecked
        Why it could not be scored again; empty where it was.
    """

    benchmark: str
    label: str
    seed: int
    problems: tuple[str, ...] = ()
    unchecked: str = ""


def verify(bundle: Bundle, registry: Registry, open_dataset: Callable[[str], Dataset]) -> Iterator[Checked]:
    """Score every trial's predictions again and compare."""
    for line in bundle.manifest["trials"]:
        benchmark, label, seed = str(line["benchmark"]), str(line["label"]), int(line["seed"])
        folder = bundle.folder / str(line["folder"])
        try:
            problems, unchecked = _check(folder, Benchmark.parse(benchmark), registry, open_dataset)
        except ReelbenchError as error:
            problems, unchecked = [], str(error)
        yield Checked(benchmark, label, seed, tuple(problems), unchecked)


def _check(
    folder: Path, benchmark: Benchmark, registry: Registry, open_dataset: Callable[[str], Dataset]
) -> tuple[list[str], str]:
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    predictions = Predictions.load(folder / "predictions")
    problems = []
    if predictions.digest() != record.get("predictions_digest"):
        problems.append("the predictions are not those that were scored")
    task, dataset = registry.task(benchmark.task), open_dataset(benchmark.dataset)
    told = record.get("data")
    if told and told != dataset.fingerprint:
        return (
            problems,
            f"the data here have fingerprint {dataset.fingerprint[:12]}, the bundle's {str(told)[:12]}",
        )
    evaluation = task.evaluation(dataset, benchmark.protocol, str(record.get("split", "test")))
    _, metrics = task.score(predictions, evaluation)
    return [*problems, *_differences(record.get("metrics", {}), metrics)], ""


def _differences(told: Mapping[str, Any], found: Mapping[str, float]) -> Iterator[str]:
    for name in sorted({*told, *found}):
        if name not in told or name not in found:
            yield f"{name} is {'not in the record' if name not in told else 'no longer a metric'}"
        elif not _equal(float(told[name]), found[name]):
            yield f"{name} is {found[name]:.6g}, the record says {float(told[name]):.6g}"


def _equal(told: float, found: float) -> bool:
    return math.isclose(told, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE) or (
        math.isnan(told) and math.isnan(found)
    )
