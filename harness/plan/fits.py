"""Stages that train, and the predictions that another fit learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from reelbench.errors import SkippedPair, UsageError
from reelbench.fingerprints import SEMANTICS
from reelbench.method import Phase, Upstream
from reelbench.plan.choice import Choice
from reelbench.plan.planner import Planner, shown
from reelbench.plan.support import check_supported, slip
from reelbench.plan.validation import validations
from reelbench.resolution import FULL
from reelbench.stages import Stage


def add_fit(planner: Planner, choice: Choice, seed: int) -> Stage:
    """The fit stage, after everything it starts from.

    Raises
    ------
    SkippedPair
        If the dataset lacks a modality or relation that the fit reads.
    """
    method, resolved = choice.method, choice.resolved
    opened = planner.open_dataset(choice.dataset)
    check_supported(planner, choice)
    ups = [(u, _upstream(planner, u, choice, seed)) for u in method.upstream(resolved.config, choice.recipe)]
    phases = [asdict(p) for p in _capped(resolved.phases, planner.suite.max_steps)]
    training_sets = {
        p.dataset: planner.open_dataset(p.dataset).fingerprint for p in resolved.phases if p.dataset
    }
    cls = type(method)
    depends = {
        "semantics": SEMANTICS["fit"], "method": method.name, "source": planner.source(cls), "versions": planner.versions(cls),
        "recipe": choice.recipe, "config": resolved.config.model_dump(mode="json"), "phases": phases, "features": list(choice.features),
        "data": opened.fingerprint, "training_sets": training_sets, **planner.where, "upstream": [asdict(u) for u, _ in ups],
    }  # fmt: skip
    spec = choice.naming(seed) | {
        "config": depends["config"], "origins": dict(resolved.origins), "phases": phases, **planner.where,
        "upstream": [asdict(u) | {"fingerprint": s.fingerprint} for u, s in ups],
        "validation": validations(planner.registry, choice), "limits": planner.limits,
    }  # fmt: skip
    return planner.graph.add("fit", depends, spec, {"upstream": [s for _, s in ups]}, seed)


def _capped(phases: Sequence[Phase], cap: int | None) -> list[Phase]:
    """Phases no longer than the suite allows."""
    return [replace(p, max_steps=min(cap, p.max_steps or cap)) if cap else p for p in phases]


def _upstream(planner: Planner, up: Upstream, choice: Choice, seed: int) -> Stage:
    """The fit that ``up`` names, or the prediction made with it."""
    seed = 0 if up.shared else seed
    other = choice.method if up.method is None else planner.registry.method(up.method)
    own = other is choice.method
    chosen = Choice(
        other,
        up.recipe,
        up.variant or (choice.variant if own else FULL),
        up.preset or (choice.preset if own else next(iter(other.presets))),
        choice.dataset,
        choice.overrides if own else {},
    )
    fit = add_fit(planner, chosen, seed)
    if up.predicts is None:
        return fit
    if up.predicts[2] == "test":
        raise UsageError(
            f"method {choice.method.name!r}: upstream {up.name!r} may not predict the test split for a fit to learn from"
        )
    return _add_prediction(planner, up.name, up.predicts, chosen, fit, seed)


def _add_prediction(
    planner: Planner, name: str, predicts: tuple[str, str, str], choice: Choice, fit: Stage, seed: int
) -> Stage:
    """What a fit predicts for a relation, for another fit to learn from."""
    task, relation, split = predicts
    dataset = planner.open_dataset(choice.dataset)
    if split not in dataset.relations.get(relation, ()):
        raise SkippedPair(
            f"dataset {choice.dataset} has no relation {relation!r} in split {split!r}, which upstream {name!r} predicts",
            **slip(relation, split, dataset),
        )
    spec = choice.naming(seed) | {
        "task": task, "relation": [relation, split], "settings": choice.resolved.settings.model_dump(), "config": fit.spec["config"],
        "origins": fit.spec["origins"], "phases": fit.spec["phases"], **planner.where, "limits": planner.limits,
        "benchmark": f"{task}@{choice.dataset}:{relation}", "protocol": relation, "split": split,
    }  # fmt: skip
    depends: dict[str, Any] = {
        "semantics": SEMANTICS["predict"],
        "shown": shown(planner.registry.task(task)),
        "relation": [task, relation, split],
        "settings": spec["settings"],
        "data": dataset.fingerprint,
        **planner.where,
    }
    return planner.graph.add("predict", depends, spec, {"fits": [fit]}, seed)
