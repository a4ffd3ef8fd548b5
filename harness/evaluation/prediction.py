"""The predict stage: rebuild each fit's module, predict under opaque ids, combine members, check, keep."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reelbench.data import EvaluationSet, Example
from reelbench.determinism import deterministic_algorithms, own_randomness
from reelbench.errors import PredictionError
from reelbench.evaluation.blinding import Blinded
from reelbench.evaluation.pairwise import Tiling
from reelbench.evaluation.predictor import Predictor
from reelbench.examples import FeatureReader
from reelbench.method import Context, Method
from reelbench.predictions import Predictions, check_ids
from reelbench.progress import Progress
from reelbench.stages import weight_files
from reelbench.training.assets import load_data
from reelbench.training.cost import peak_memory_bytes, reset_peak_memory
from reelbench.training.weights import load_weights

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.stages import Emit
    from reelbench.task import Task


def predict_stage(
    spec: Mapping[str, Any],
    method: Method | None,
    dataset: Dataset,
    task: Task,
    fits: Sequence[Path],
    folder: Path,
    emit: Emit,
) -> dict[str, Any]:
    """See :func:`reelbench.evaluation.run_predict`."""
    started = time.perf_counter()
    reset_peak_memory(spec["device"])
    evaluation = _evaluation(spec, dataset, task)
    if spec.get("ceiling"):
        predictions = task.ceilings(evaluation)[spec["ceiling"]]
    elif spec.get("external"):
        predictions = Predictions.load(Path(spec["external"]))
    else:
        assert method is not None
        predictions = _predict(spec, method, dataset, task, fits, evaluation, emit)
    _check(spec, task, predictions, evaluation)
    predictions.save(folder)
    seconds = time.perf_counter() - started
    return {
        "predict_seconds": seconds,
        "examples": len(predictions.ids),
        "examples_per_second": len(predictions.ids) / seconds,
        "peak_memory_bytes": peak_memory_bytes(spec["device"]),
        "rescorable": True,
        "digest": predictions.digest(),
    }


def _evaluation(spec: Mapping[str, Any], dataset: Dataset, task: Task) -> EvaluationSet:
    if spec.get("relation"):
        return relation_set(dataset, task, *spec["relation"])
    return task.evaluation(dataset, spec["protocol"], spec["split"])


def relation_set(dataset: Dataset, task: Task, relation: str, split: str) -> EvaluationSet:
    """A training relation's examples as something to predict: the task's inputs only, no answers.

    Raises
    ------
    PredictionError
        If the task matches pairs, or the relation has none of its inputs.
    """
    if task.pairwise:
        raise PredictionError(
            f"{task.name} matches pairs and cannot be predicted for the relation {relation!r}"
        )
    rows = dataset.relation(relation, split)
    examples = [Example(e.id, {k: v for k, v in e.fields.items() if k in task.inputs}) for e in rows]
    if not all(e.fields for e in examples):
        raise PredictionError(
            f"relation {relation!r} has none of the inputs of {task.name}: {sorted(task.inputs)}"
        )
    clusters = {e.id: e.id for e in examples}
    return EvaluationSet(
        f"{task.name}@{dataset.name}:{relation}", split, examples, {}, clusters, spaces=dataset.spaces
    )


def _check(spec: Mapping[str, Any], task: Task, predictions: Predictions, evaluation: EvaluationSet) -> None:
    """The task's own checks; for a relation, which has no answers to check against, ids and finiteness."""
    if not spec.get("relation"):
        task.validate(predictions, evaluation)
        return
    check_ids(predictions, evaluation.ids)
    for name, column in predictions.columns.items():
        if isinstance(column, np.ndarray) and not np.isfinite(column).all():
            raise PredictionError(f"column {name!r} is not finite")


def _predict(
    spec: Mapping[str, Any],
    method: Method,
    dataset: Dataset,
    task: Task,
    fits: Sequence[Path],
    evaluation: EvaluationSet,
    emit: Emit,
) -> Predictions:
    with deterministic_algorithms(spec.get("deterministic_algorithms", True)):
        predictor = _predictor(spec, method, dataset, task, evaluation, fits, emit)
        queries, gallery = predictor.blind(evaluation)
        combined = [_of_fit(predictor, fit, queries, gallery) for fit in fits]
        whole = _combined(predictor, combined)
        return predictor.reveal(whole, queries, gallery)


def _of_fit(predictor: Predictor, fit: Path, queries: Blinded, gallery: Blinded | None) -> Predictions:
    """One fit's predictions, its kept checkpoints combined."""
    predictor = replace(predictor, ctx=replace(predictor.ctx, data=load_data(fit)))
    members = [predictor.predict(module, queries, gallery) for module in _modules(predictor, fit)]
    return _combined(predictor, members)


def _combined(predictor: Predictor, members: Sequence[Predictions]) -> Predictions:
    """What the method makes of several members, for the same examples."""
    if len(members) == 1:
        return members[0]
    whole = predictor.method.combine(members, predictor.ctx)
    check_ids(whole, members[0].ids)
    if set(whole.gallery_ids or ()) != set(members[0].gallery_ids or ()):
        raise PredictionError(f"method {predictor.method.name!r}: combine changed the gallery")
    return whole


def _modules(predictor: Predictor, fit: Path) -> Iterator[torch.nn.Module | None]:
    """The fit's module with each of its kept weights in turn."""
    ctx = predictor.ctx
    with own_randomness(ctx.seed, "cpu"):
        module = predictor.method.build(ctx.data, ctx.config)
    if module is None:
        yield None
        return
    for path in weight_files(fit):
        load_weights(module, path)
        yield module.to(ctx.device)


def _predictor(
    spec: Mapping[str, Any],
    method: Method,
    dataset: Dataset,
    task: Task,
    evaluation: EvaluationSet,
    fits: Sequence[Path],
    emit: Emit,
) -> Predictor:
    passes = sum(max(1, len(weight_files(fit))) for fit in fits)
    progress = Progress(emit, passes * (len(evaluation.examples) + len(evaluation.gallery)), "examples")
    seen = [0]

    def advance(count: int) -> None:
        seen[0] += count
        progress.at(seen[0])

    ctx = Context(
        config=method.Config(**spec["config"]),
        data=load_data(fits[0]),
        recipe=spec["recipe"],
        seed=spec["seed"],
        training=False,
        settings=method.Predict(**spec["settings"]),
        task=task.name,
        protocol=spec["protocol"],
        benchmark=spec["benchmark"],
        device=spec["device"],
    )
    given = {**spec, **{k: v for k, v in (spec.get("limits") or {}).items() if v is not None}}
    limits = {k: given[k] for k in ("tile_bytes", "matrix_bytes") if k in given}
    reader = FeatureReader(dataset, spec["features"])
    return Predictor(
        method, task, reader, ctx, spec["precision"], spec.get("batch_size", 64), Tiling(**limits), advance
    )
