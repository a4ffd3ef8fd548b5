"""Validation inside a fit: the primary metric through the predict stage's own code, or the mean loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from reelbench.determinism import autocast, own_randomness
from reelbench.errors import TrainingError
from reelbench.evaluation.predictor import Predictor
from reelbench.seeding import derive_seed

if TYPE_CHECKING:
    from reelbench.data import EvaluationSet
    from reelbench.method import Method
    from reelbench.training.loader import Loader


@dataclass(frozen=True)
class Value:
    """One validation: the quantity's name, and its value."""

    name: str
    value: float
    higher_is_better: bool

    def beats(self, best: float | None) -> bool:
        """Whether it is better than the best so far; a NaN never is."""
        if math.isnan(self.value):
            return False
        return best is None or (self.value > best if self.higher_is_better else self.value < best)


class Validator(Protocol):
    """Values a module."""

    def __call__(self, module: torch.nn.Module) -> Value:
        """The value of the module as it is."""


class MetricValidator:
    """The primary metric on a benchmark's validation split."""

    def __init__(self, predictor: Predictor, evaluation: EvaluationSet) -> None:
        self.predictor, self.evaluation = predictor, evaluation
        self.queries, self.gallery = predictor.blind(evaluation)

    def __call__(self, module: torch.nn.Module) -> Value:
        """Predict the whole split and score it."""
        task = self.predictor.task
        predicted = self.predictor.predict(module, self.queries, self.gallery)
        _, metrics = task.score(self.predictor.reveal(predicted, self.queries, self.gallery), self.evaluation)
        primary = task.metrics(str(self.predictor.ctx.protocol))[0]
        return Value(primary.name, metrics[primary.name], primary.direction == "higher")


class LossValidator:
    """The mean loss on the relation's validation split, in evaluation mode."""

    def __init__(self, method: Method, loader: Loader, precision: str) -> None:
        self.method, self.loader, self.precision = method, loader, precision

    def __call__(self, module: torch.nn.Module) -> Value:
        """Run through the split once."""
        device, was_training = str(self.loader.ctx.device), module.training
        module.eval()
        seed = derive_seed(self.loader.ctx.seed, "validation")
        with own_randomness(seed, device) as generator, torch.no_grad(), autocast(self.precision, device):
            value = self._mean(module, generator)
        module.train(was_training)
        return Value("loss", value, higher_is_better=False)

    def _mean(self, module: torch.nn.Module, generator: torch.Generator) -> float:
        from dataclasses import replace

        ctx = replace(self.loader.ctx, generator=generator)
        total, count = 0.0, 0
        for batch in self.loader.epoch(0):
            losses = named_losses(self.method.training_step(module, batch, ctx), self.method.name)
            total, count = total + float(losses["loss"]) * len(batch), count + len(batch)
        return total / count


def named_losses(returned: Any, method: str) -> Mapping[str, torch.Tensor]:
    """What ``training_step`` returned, as losses by name.

    Raises
    ------
    TrainingError
        If it is neither a scalar tensor nor a mapping of such with ``loss``.
    """
    losses = returned if isinstance(returned, Mapping) else {"loss": returned}
    if not isinstance(losses.get("loss"), torch.Tensor) or losses["loss"].ndim:
        got = f"names {sorted(losses)}" if isinstance(returned, Mapping) else f"a {type(returned).__name__}"
        shape = (
            f" of shape {tuple(losses['loss'].shape)}" if isinstance(losses.get("loss"), torch.Tensor) else ""
        )
        raise TrainingError(
            f"method {method!r}: training_step must return a scalar tensor, or a mapping with 'loss'; got {got}{shape}"
        )
    return losses
