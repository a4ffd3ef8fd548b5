"""The toy method's module, imported only when it is built."""

from __future__ import annotations

import torch
from torch import nn

from reelbench.batching import Padded


class PainterModel(nn.Module):
    """Means of looks and of words, in one space; a head over colours."""

    def __init__(self, width: int, words: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.look = nn.Linear(width, hidden)
        self.words = nn.Embedding(words, hidden)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, 4))

    def watch(self, look: Padded) -> torch.Tensor:
        """Clips ``(B, hidden)``."""
        return mean(torch.relu(self.look(look.data)), look.mask)

    def read(self, words: Padded) -> torch.Tensor:
        """Sentences ``(B, hidden)``."""
        return mean(self.words(words.data), words.mask)

    def scores(self, look: Padded) -> torch.Tensor:
        """Colours ``(B, 4)``."""
        return self.head(self.watch(look))

    def loss(self, look: Padded, words: Padded, label: torch.Tensor) -> dict[str, torch.Tensor]:
        """Naming and matching."""
        naming = nn.functional.cross_entropy(self.scores(look), label)
        matching = nn.functional.mse_loss(self.watch(look), self.read(words))
        return {"loss": naming + 0.1 * matching, "naming": naming, "matching": matching}


def mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over valid entries: ``(B, T, D)`` to ``(B, D)``."""
    weights = mask.unsqueeze(-1).to(values.dtype)  # (B, T, 1)
    return (values * weights).sum(dim=1) / weights.sum(dim=1)
