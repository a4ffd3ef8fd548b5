"""Where methods' stages spend the processor: for each fit and prediction, its time a step and torch's heaviest operators.

Fits are cut to a few steps a phase; a stage's time includes what starts it (features, assets, first weights), which
operators' shares leave out.

    python benchmarks/profile_methods.py asst ct-san --dataset microworld/small --steps 60
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from reelbench.executors import Job, Surroundings
from reelbench.executors.work import Workbench, execute
from reelbench.plan import build_plan
from reelbench.suite import MethodEntry, Suite

HEAVIEST = 4


def main() -> None:
    """Plan the methods on a dataset, run their fits and predictions here, and print a line a stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", help="by default all that are no baselines")
    parser.add_argument("--dataset", default="microworld/small")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--steps", type=int, default=60, help="at most, of a phase")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "reelbench")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(Surroundings(Path(folder), asked.cache, None))
        suite = Suite(
            name="profile",
            benchmarks=(f"*@{asked.dataset}:*",),
            methods=tuple(MethodEntry(name=name) for name in asked.methods or _methods(bench)),
            seeds=(0,),
            preset=asked.preset,
            max_steps=asked.steps,
            ceilings=False,
        )
        plan = build_plan(suite, bench.registry, bench.open_dataset)
        folders = {stage.fingerprint: Path(folder) / stage.fingerprint for stage in plan.stages}
        for stage in plan.stages:
            if stage.kind == "score":
                continue
            needs = {role: [folders[f] for f in found] for role, found in stage.needs.items()}
            job = Job(stage.kind, stage.fingerprint, stage.spec, needs, folders[stage.fingerprint])
            with profile(activities=[ProfilerActivity.CPU]) as seen:
                record = execute(job, bench, lambda *_: None, "profile")
            print(_line(stage.title, record, seen), flush=True)


def _methods(bench: Workbench) -> list[str]:
    return sorted(name for name, method in bench.registry.methods.items() if method.role == "method")


def _line(title: str, record: dict, seen: profile) -> str:
    if record["status"] != "finished":
        return f"{title}: {record['error']}"
    operators = sorted(seen.key_averages(), key=lambda one: -one.self_cpu_time_total)
    whole = sum(one.self_cpu_time_total for one in operators) or 1
    shares = ", ".join(f"{one.key} {one.self_cpu_time_total / whole:.0%}" for one in operators[:HEAVIEST])
    if "steps" in record:
        pace = f"{1000 * record['train_seconds'] / max(1, record['steps']):.0f} ms a step"
    else:
        pace = f"{record['examples_per_second']:.0f} examples/s"
    return f"{title}: {pace}; {shares}"


if __name__ == "__main__":
    main()
