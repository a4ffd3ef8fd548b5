"""The linear baselines' layer and losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.baselines.losses import many_hot
from reelbench.plugins.layers.experts import MixtureOfExperts
from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import DataInfo


class Classifier(nn.Module):
    """Standardised features to logits, by one layer or a mixture of experts: ``(..., D)`` to ``(..., L)``."""

    def __init__(self, data: DataInfo, labels: int, experts: int) -> None:
        super().__init__()
        self.standardise = Standardise(data.assets["moments"])
        self.layer = (
            MixtureOfExperts(data.dim(), labels, experts) if experts else nn.Linear(data.dim(), labels)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        return self.layer(self.standardise(x))


def tag_loss(module: nn.Module, batch: Batch) -> torch.Tensor:
    """Binary cross-entropy, summed over tags."""
    logits, labels = module(batch["video"].data), _targets(batch)["labels"]
    hot = many_hot(labels.data, labels.mask, logits.shape[1])
    return functional.binary_cross_entropy_with_logits(logits, hot, reduction="none").sum(1).mean()


def class_loss(module: nn.Module, batch: Batch) -> torch.Tensor:
    """Cross-entropy over classes."""
    return functional.cross_entropy(module(batch["video"].data), _targets(batch)["label"])


def window_loss(module: nn.Module, batch: Batch) -> torch.Tensor:
    """Cross-entropy over classes and the background, of every valid window."""
    windows, labels = batch["windows"], _targets(batch)["labels"].data
    logits = module(windows.data)  # (B, W, L + 1)
    return functional.cross_entropy(logits[windows.mask], labels[windows.mask])


def _targets(batch: Batch) -> Any:
    assert batch.targets is not None
    return batch.targets
