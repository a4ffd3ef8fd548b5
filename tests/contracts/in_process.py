"""Runs a suite from registry to scores in this process, without a tracking store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelbench import Predictions
from reelbench.executors import Surroundings
from reelbench.executors.in_process import InProcess
from reelbench.executors.work import open_dataset
from reelbench.plan import Plan, build_plan
from reelbench.registry import build_registry
from reelbench.running import Outcome, Runner
from reelbench.stages import Stage, StageFolder
from reelbench.suite import make_suite


class OpenLease:
    """Nobody else is there."""

    def acquire(self, fingerprint: str) -> bool:
        return True

    def release(self, fingerprint: str) -> None:
        """Nothing was taken."""


@dataclass(frozen=True)
class Ran:
    """What a suite left behind."""

    plan: Plan
    outcome: Outcome
    workspace: Path

    def stages(self, kind: str) -> list[Stage]:
        return [s for s in self.plan.stages if s.kind == kind]

    def folder(self, stage: Stage) -> Path:
        return StageFolder(self.workspace, stage.kind, stage.fingerprint).path

    def predictions(self, stage: Stage) -> Predictions:
        return Predictions.load(self.folder(stage))

    def metric(self, name: str, benchmark: str) -> float:
        (trial,) = [s for s in self.plan.trials() if s.spec["benchmark"] == benchmark]
        return float(self.outcome.records[trial.fingerprint]["metrics"][name])

    def weights(self, stage: Stage, index: int = 0) -> dict[str, Any]:
        from safetensors.torch import load_file

        return load_file(self.folder(stage) / f"weights-{index}.safetensors")


def run_suite(modules: Sequence[str], workspace: Path, **suite: Any) -> Ran:
    """Plan and run; every stage must finish."""
    registry = build_registry(modules)
    cache = Path(os.environ.get("REELBENCH_CACHE") or Path.home() / ".cache" / "reelbench")
    surroundings = Surroundings(workspace, cache, None, tuple(modules))
    opened: dict[str, Any] = {}

    def open_once(name: str) -> Any:
        return opened.setdefault(name, opened.get(name) or open_dataset(registry, name, surroundings))

    values = {"name": "contract", "seeds": [0], "ceilings": False} | suite
    plan = build_plan(make_suite(values, "test"), registry, open_once)
    outcome = Runner(plan, InProcess(surroundings), registry.manager.hook, workspace, {}, OpenLease()).run()
    bad = [
        f"{plan.by_fingerprint()[f].title}: {r.get('error')}\n{r.get('traceback', '')}"
        for f, r in outcome.records.items()
        if r["status"] != "finished"
    ]
    assert not bad, "\n".join(bad)
    return Ran(plan, outcome, workspace)
