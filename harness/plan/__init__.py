"""From a suite to a graph of stages: which fits, predictions and scores, each with its fingerprint.

Nothing is trained here. Datasets are opened for their fingerprints, so a generated one is made on first use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reelbench.benchmarks import expand
from reelbench.errors import UsageError
from reelbench.plan.choice import Choice, check_preset, rows_of
from reelbench.plan.fits import add_fit
from reelbench.plan.outcome import Plan, Skipped
from reelbench.plan.planner import OpenDataset, Planner
from reelbench.plan.trials import add_ceilings, add_external, add_trial
from reelbench.suite import MethodEntry, Suite

if TYPE_CHECKING:
    from pathlib import Path

    from reelbench.benchmarks import Benchmark
    from reelbench.fingerprints import Reuse
    from reelbench.registry import Registry
    from reelbench.stages import Stage

__all__ = ["Choice", "OpenDataset", "Plan", "Skipped", "build_plan", "plan_external", "plan_fit"]


def build_plan(
    suite: Suite,
    registry: Registry,
    open_dataset: OpenDataset,
    *,
    device: str = "cpu",
    reuse: Reuse = "exact",
) -> Plan:
    """Resolve a suite.

    Parameters
    ----------
    reuse
        ``compatible`` leaves versions, device and precision out of every fingerprint.

    Raises
    ------
    UsageError
        If it names something unknown, or nothing in it can run.
    """
    precision = suite.precision or ("bf16-mixed" if device == "cuda" else "32-true")
    planner = Planner(registry, open_dataset, suite, device, precision, reuse)
    benchmarks = list(dict.fromkeys(b for pattern in suite.benchmarks for b in expand(registry, pattern)))
    check_preset(registry, suite)
    rows = [
        row for entry in suite.methods for row in rows_of(registry, suite, entry, benchmarks, planner.skipped)
    ]
    for seed in suite.seeds:
        for row in rows:
            add_trial(planner, row, seed)
    if not planner.graph.stages:
        reasons = "; ".join(f"{s.method} on {s.benchmark}: {s.reason}" for s in planner.skipped[:3])
        raise UsageError(f"suite {suite.name!r} has nothing to run{': ' + reasons if reasons else ''}")
    if suite.ceilings:
        for benchmark in benchmarks:
            add_ceilings(planner, benchmark)
    return Plan(suite, tuple(planner.graph.stages.values()), tuple(planner.skipped))


def plan_fit(
    registry: Registry, open_dataset: OpenDataset, choice: Choice, *, seed: int = 0
) -> tuple[Stage, ...]:
    """One fit after the stages that it needs, whether or not a benchmark is served.

    Raises
    ------
    SkippedPair
        If the dataset lacks a modality or relation that the fit reads.
    """
    suite = Suite(name="fit", benchmarks=(), methods=(MethodEntry(name=choice.method.name),), seeds=(seed,))
    planner = Planner(registry, open_dataset, suite)
    add_fit(planner, choice, seed)
    return tuple(planner.graph.stages.values())


def plan_external(
    registry: Registry,
    open_dataset: OpenDataset,
    benchmark: Benchmark,
    label: str,
    predictions: Mapping[int, tuple[Path, str]],
) -> Plan:
    """A trial for each seed's predictions that were made elsewhere.

    Parameters
    ----------
    label
        What the row is called.
    predictions
        Seed → the folder that holds them, and their digest.
    """
    suite = Suite(
        name="external",
        benchmarks=(str(benchmark),),
        methods=(MethodEntry(name=label),),
        seeds=tuple(predictions),
        ceilings=False,
    )
    planner = Planner(registry, open_dataset, suite)
    for seed, (folder, digest) in predictions.items():
        add_external(planner, benchmark, label, seed, folder, digest)
    return Plan(suite, tuple(planner.graph.stages.values()), ())
