"""Which validation a phase gets: its benchmark's primary metric, its loss, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reelbench.training.loader import Loader
from reelbench.training.validation import LossValidator, MetricValidator, Validator

if TYPE_CHECKING:
    from reelbench.method import Context, Phase
    from reelbench.training.fit import Fit


def build_validator(fit: Fit, phase: Phase, ctx: Context) -> Validator | None:
    """The phase's validator.

    A phase that asks for a metric but has no benchmark to score (a recipe that serves none) is validated on its loss
    where its relation has a validation split, and not at all elsewhere.
    """
    if phase.validate is None:
        return None
    entry = next((v for v in fit.spec.get("validation", ()) if v["phase"] == phase.name), None)
    if phase.validate == "metric" and entry is not None:
        return _metric(fit, ctx, entry)
    return _loss(fit, phase, ctx)


def _metric(fit: Fit, ctx: Context, entry: dict[str, Any]) -> MetricValidator:
    from reelbench.evaluation.predictor import Predictor

    task = fit.task_of(entry["task"])
    evaluation = task.evaluation(fit.dataset, entry["protocol"], "validation")
    settings = fit.method.Predict(**fit.spec.get("settings", {}))
    seen = replace(
        ctx,
        training=False,
        settings=settings,
        task=task.name,
        protocol=entry["protocol"],
        benchmark=entry["benchmark"],
    )
    return MetricValidator(
        Predictor(fit.method, task, fit.reader, seen, fit.spec["precision"], kept={}), evaluation
    )


def _loss(fit: Fit, phase: Phase, ctx: Context) -> LossValidator | None:
    dataset = fit.open_dataset(phase.dataset) if phase.dataset else fit.dataset
    if "validation" not in dataset.relations.get(phase.relation, ()):
        return None
    loader = Loader(
        fit.relation_of(phase, "validation"), fit.reader_of(phase), fit.method, replace(ctx, training=False)
    )
    return LossValidator(fit.method, loader, fit.spec["precision"])
