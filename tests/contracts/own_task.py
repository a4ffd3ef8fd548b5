"""A plugin whose method brings a task of its own: give back the mean frame of a clip, on any dataset with clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import reelbench
from reelbench import (
    BenchmarkSpec,
    Column,
    EvaluationSet,
    Example,
    Field,
    Metric,
    Phase,
    Recipe,
    ScoreSheet,
    hookimpl,
)

if TYPE_CHECKING:
    from reelbench import Batch, Context, DataInfo, Dataset, Predictions


class Averaging(reelbench.Task):
    """Mean frames."""

    name, title, summary = "averaging", "Averaging", "Give back a clip's mean frame."
    inputs = {"video": Field("video", "the clip")}
    prediction = {"frame": Column("array", "(D,) the mean frame")}
    protocols = {"mean": "the mean over the clip's frames"}

    def brings(self, dataset: str) -> Sequence[BenchmarkSpec]:
        return (
            (BenchmarkSpec("averaging", "mean", "built from clips"),) if dataset.startswith("toybox/") else ()
        )

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        return (Metric("mse", "MSE", direction="lower", high=float("inf"), percent=False),)

    def evaluation(self, dataset: Dataset, protocol: str, split: str) -> EvaluationSet:
        rows = dataset.relation("clips", split)
        targets = {e.id: {"frame": dataset.read("frames", e["video"]).mean(axis=0)} for e in rows}
        examples = [Example(e.id, {"video": e["video"]}) for e in rows]
        return EvaluationSet(
            f"averaging@{dataset.name}:{protocol}", split, examples, targets, {e.id: e.id for e in rows}
        )

    def validate(self, predictions: Predictions, evaluation: EvaluationSet) -> None:
        from reelbench.predictions import as_array, check_ids

        check_ids(predictions, evaluation.ids)
        as_array(predictions, "frame", (8,))

    def measure(self, predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
        at = {name: k for k, name in enumerate(predictions.ids)}
        errors = [
            float(((predictions.columns["frame"][at[i]] - evaluation.targets[i]["frame"]) ** 2).mean())
            for i in evaluation.ids
        ]
        return ScoreSheet.build(evaluation.ids, evaluation.clusters, {"error": errors})

    def aggregate(self, sheet: ScoreSheet, weights: Any) -> dict[str, Any]:
        from reelbench.scoring import weighted_mean

        return {"mse": weighted_mean(sheet.columns["error"], sheet.row_weights(weights))}


class Autoencoder(reelbench.Method):
    """A linear bottleneck over the mean frame."""

    name = "autoencoder"
    modalities = ("frames",)
    recipes = {
        "rebuild": Recipe(
            serves=("averaging",),
            phases=(Phase(name="rebuild", relation="clips", epochs=15, batch_size=12, learning_rate=0.02),),
        )
    }

    def build(self, data: DataInfo, config: Any) -> Any:
        from torch import nn

        return nn.Sequential(nn.Linear(data.dim("frames"), 4), nn.Linear(4, data.dim("frames")))

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Any:
        frame = self._mean(batch)
        return ((module(frame) - frame) ** 2).mean()

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        return {"frame": module(self._mean(batch))}

    def _mean(self, batch: Batch) -> Any:
        from toybox_model import masked_mean

        frames = batch["video"]["frames"]
        return masked_mean(frames.data, frames.mask)


@hookimpl
def reelbench_tasks() -> list[reelbench.Task]:
    return [Averaging()]


@hookimpl
def reelbench_methods() -> list[type[reelbench.Method]]:
    return [Autoencoder]
