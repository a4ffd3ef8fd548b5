"""Whether a dataset has what a fit reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from reelbench.errors import SkippedPair

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.plan.choice import Choice
    from reelbench.plan.planner import Planner


def check_supported(planner: Planner, choice: Choice) -> None:
    """Raise :class:`SkippedPair` if the dataset lacks a feature, or a phase's relation or split."""
    method, resolved, dataset = choice.method, choice.resolved, planner.open_dataset(choice.dataset)
    if missing := [m for m in choice.features if m not in dataset.features]:
        raise SkippedPair(
            f"dataset {dataset.name} has no features {', '.join(missing)}",
            asked=missing,
            known=dataset.features,
        )
    names = {u.name for u in method.upstream(resolved.config, choice.recipe)}
    for phase in resolved.phases:
        source = planner.open_dataset(phase.dataset) if phase.dataset else dataset
        if phase.relation not in names and phase.split not in source.relations.get(phase.relation, ()):
            raise SkippedPair(
                f"dataset {source.name} has no relation {phase.relation!r} in split {phase.split!r}, which phase {phase.name!r} reads",
                **slip(phase.relation, phase.split, source, names),
            )


def slip(relation: str, split: str, dataset: Dataset, others: Iterable[str] = ()) -> dict[str, Any]:
    """Which name is at fault where a relation cannot be read, and what it may be a slip of: the split, if the relation is there."""
    if relation in dataset.relations:
        return {"asked": [split], "known": dataset.relations[relation]}
    return {"asked": [relation], "known": [*dataset.relations, *others]}
