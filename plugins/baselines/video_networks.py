"""The heads of the video-only baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.baselines.losses import vote_loss
from reelbench.plugins.baselines.networks import one_hidden
from reelbench.plugins.layers.pooling import masked_mean
from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import DataInfo


class WordWatcher(nn.Module):
    """Which word goes with a clip."""

    def __init__(self, data: DataInfo, width: int) -> None:
        super().__init__()
        self.standardise = Standardise(data.assets["moments"])
        self.head = one_hidden(data.dim(), width, len(data.spaces["answers"]))

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, V)``."""
        return self.head(self.standardise(batch["video"].data))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy over the answers' vocabulary."""
        assert batch.targets is not None
        return functional.cross_entropy(self(batch), batch.targets["answer"])


class MomentWatcher(nn.Module):
    """Which candidate strikes the eye."""

    def __init__(self, data: DataInfo, width: int) -> None:
        super().__init__()
        self.standardise = Standardise(data.assets["moments"])
        self.head = one_hidden(2 * data.dim() + 2, width, 1)

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, K)``."""
        features, place = batch["windows"].data[..., :-2], batch["windows"].data[..., -2:]
        own = self.standardise(features)
        whole = masked_mean(own, batch["windows"].mask).unsqueeze(1).expand_as(own)
        return self.head(torch.cat([own, whole, place], -1)).squeeze(-1)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy against the annotators' votes."""
        assert batch.targets is not None
        return vote_loss(self(batch), batch.targets["votes"].data)
