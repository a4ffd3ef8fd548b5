"""Small networks of the baselines: averages of words, averages of frames, one hidden layer, products of embeddings."""

from __future__ import annotations

import torch
from torch import nn

from reelbench.plugins.layers.pooling import masked_mean


class WordAverage(nn.Module):
    """The mean of a text's word vectors: ids ``(..., M)`` with a mask to ``(..., width)``."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(..., width)``."""
        return masked_mean(self.embed(ids), mask)


class BlankContext(nn.Module):
    """What stands round a blank: means of all words and of both sides, and the two neighbours, ``(B, 5 width)``."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.embed, self.width = nn.Embedding(words, width), 5 * width

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, blank: torch.Tensor) -> torch.Tensor:
        """Ids ``(B, M)``, mask, and the blank's position ``(B,)``."""
        words, place = self.embed(ids), torch.arange(ids.shape[1], device=ids.device)[None]
        before, after = mask & (place < blank[:, None]), mask & (place > blank[:, None])
        near = [mask & (place == blank[:, None] + step) for step in (-1, 1)]
        return torch.cat([masked_mean(words, m) for m in (mask, before, after, *near)], dim=1)


class PairScorer(nn.Module):
    """A score for each pair of rows of a set: ``(B, K, C)`` to symmetric logits ``(B, K, K)``."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.inner = nn.Linear(inputs, hidden)
        self.outer = one_hidden(2 * hidden, hidden, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """``(B, K, K)``."""
        x = torch.tanh(self.inner(rows))
        a, b = x.unsqueeze(2), x.unsqueeze(1)
        return self.outer(torch.cat([(a - b).abs(), a * b], dim=-1)).squeeze(-1)


def one_hidden(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Linear, ReLU, linear, over the last axis."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
