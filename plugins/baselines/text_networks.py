"""The heads of the text-only baseline; each has its loss and its predictions beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.baselines.identities import REACH, as_labels, as_tables
from reelbench.plugins.baselines.losses import link_loss, vote_loss
from reelbench.plugins.baselines.moments import rank_batch
from reelbench.plugins.baselines.networks import BlankContext, PairScorer, WordAverage, one_hidden

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import DataInfo
    from reelbench.plugins.baselines.text_only import TextOnlyConfig

CLIPS = 16  # clips of a set that are told apart by number


class ChoiceReader(nn.Module):
    """Which choice sounds right."""

    def __init__(self, data: DataInfo, width: int) -> None:
        super().__init__()
        self.words = WordAverage(len(data.assets["vocabulary"]), width)
        self.head = one_hidden(width, width, 1)

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, C)``."""
        return self.head(self.words(batch["words"].data, batch["words"].mask)).squeeze(-1)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy over choices."""
        return functional.cross_entropy(self(batch), _targets(batch)["answer"])

    def predict(self, batch: Batch, protocol: str) -> dict[str, Any]:
        """A score a choice."""
        return {"scores": self(batch)}


class BlankReader(nn.Module):
    """Which word is missing."""

    def __init__(self, data: DataInfo, width: int) -> None:
        super().__init__()
        self.context = BlankContext(len(data.assets["vocabulary"]), width)
        self.head = one_hidden(self.context.width, 2 * width, len(data.spaces["answers"]))

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, V)``."""
        return self.head(self.context(batch["words"].data, batch["words"].mask, batch["blank"]))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy over the answers' vocabulary."""
        return functional.cross_entropy(self(batch), _targets(batch)["answer"])

    def predict(self, batch: Batch, protocol: str) -> dict[str, Any]:
        """A score an answer."""
        return {"scores": self(batch)}


class MomentReader(nn.Module):
    """Which candidate a sentence usually means."""

    def __init__(self, data: DataInfo, width: int) -> None:
        super().__init__()
        self.words = WordAverage(len(data.assets["vocabulary"]), width)
        self.head = one_hidden(width, width, data.assets["candidates"])

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, K)``."""
        return self.head(self.words(batch["words"].data, batch["words"].mask))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy against the annotators' votes."""
        votes = _targets(batch)["votes"].data
        return vote_loss(self(batch)[:, : votes.shape[1]], votes)

    def predict(self, batch: Batch, protocol: str) -> dict[str, Any]:
        """Candidates, best first."""
        return {"segments": rank_batch(batch["candidates"], self(batch))}


class MentionReader(nn.Module):
    """Which mentions are of one person, by the words round them."""

    def __init__(self, data: DataInfo, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(data.assets["vocabulary"]), width, padding_idx=0)
        self.clip = nn.Embedding(CLIPS, width)
        self.pairs = PairScorer(3 * width, width)

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, M, M)``."""
        words = self.embed(batch["windows"].data)  # (B, M, 2 REACH, width)
        clips = self.clip(batch["clips"].data.clamp_max(CLIPS - 1))
        return self.pairs(torch.cat([words[:, :, :REACH].mean(2), words[:, :, REACH:].mean(2), clips], -1))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy of pairs."""
        return link_loss(self(batch), _targets(batch)["identity"].data, batch["windows"].mask)

    def predict(self, batch: Batch, protocol: str) -> dict[str, Any]:
        """Tables of pairs, or labels made from them."""
        tables = as_tables(torch.sigmoid(self(batch)), batch["windows"].lengths)
        return {"labels": [as_labels(t) for t in tables]} if protocol == "characters" else {"same": tables}


_HEADS = {"choices": ChoiceReader, "blanks": BlankReader, "segments": MomentReader, "sets": MentionReader}


def build(data: DataInfo, config: TextOnlyConfig) -> nn.Module:
    """The network of a head."""
    return _HEADS[config.head](data, config.width)


def _targets(batch: Batch) -> Any:
    assert batch.targets is not None
    return batch.targets
