"""On which benchmark a phase is validated that asks for a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelbench.benchmarks import Benchmark, known_benchmarks, matches, specs_of

if TYPE_CHECKING:
    from reelbench.method import Phase
    from reelbench.plan.choice import Choice
    from reelbench.registry import Registry


def validations(registry: Registry, choice: Choice) -> list[dict[str, str]]:
    """What each phase with ``validate="metric"`` scores: the first benchmark it serves, whatever the suite runs."""
    found = (
        (p, _first_served(registry, choice, p)) for p in choice.resolved.phases if p.validate == "metric"
    )
    return [
        {"phase": phase.name, "benchmark": str(served), "task": served.task, "protocol": served.protocol}
        for phase, served in found
        if served
    ]


def _first_served(registry: Registry, choice: Choice, phase: Phase) -> Benchmark | None:
    dataset = choice.dataset
    validated = {(s.task, s.protocol) for s in specs_of(registry, dataset) if "validation" in s.splits}
    candidates = [b for b in known_benchmarks(registry, dataset) if (b.task, b.protocol) in validated]
    patterns = [phase.validate_on] if phase.validate_on else choice.method.recipes[choice.recipe].serves
    return next((b for p in patterns for b in candidates if matches(p, b)), None)
