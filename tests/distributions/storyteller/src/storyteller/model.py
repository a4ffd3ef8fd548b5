"""An eye that sees in the words of a language model."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from reelbench import Padded


class Teller(nn.Module):
    """``tongue`` is a GRU language model; ``eye`` turns a clip into its first state; ``back`` rebuilds the clip."""

    def __init__(self, frames: int, words: int, width: int) -> None:
        super().__init__()
        self.eye = nn.Linear(frames, width)
        self.back = nn.Linear(width, frames)
        self.tongue = Tongue(words, width)

    def look(self, frames: Padded) -> torch.Tensor:
        """Clips ``(..., T, D)`` to states ``(..., W)``."""
        return torch.tanh(self.eye(masked_mean(frames)))  # (..., W)

    def rebuilding_loss(self, frames: Padded) -> torch.Tensor:
        """What is left of a clip that must pass through a mixture of the (frozen) words."""
        attention = (self.look(frames) @ self.tongue.words.weight.T).softmax(dim=-1)  # (B, V)
        return ((self.back(attention @ self.tongue.words.weight) - masked_mean(frames)) ** 2).mean()

    def telling_loss(self, sentences: Padded, sights: torch.Tensor | None) -> torch.Tensor:
        """Cross-entropy of next words of ``(B, S, L)`` sentences, with or without a clip behind each."""
        text, valid = sentences.data.flatten(0, 1), sentences.mask.flatten(0, 1)  # (B S, L)
        state = None if sights is None else sights.flatten(0, 1).unsqueeze(0)  # (1, B S, W)
        logits, _ = self.tongue(text[:, :-1], state)
        return cross_entropy(logits[valid[:, 1:]], text[:, 1:][valid[:, 1:]])

    def tell(self, sights: torch.Tensor, longest: int, start: int) -> torch.Tensor:
        """The likeliest words of ``(B, N, W)`` states, one after the other: ``(B, N, L)``."""
        state = sights.flatten(0, 1).unsqueeze(0)  # (1, B N, W)
        word, told = torch.full((state.shape[1], 1), start, device=sights.device), []
        for _ in range(longest):
            logits, state = self.tongue(word, state)
            word = logits.argmax(dim=-1)  # (B N, 1)
            told.append(word)
        return torch.cat(told, dim=1).view(*sights.shape[:2], longest)


class Tongue(nn.Module):
    """A language model of one GRU."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.next = nn.Linear(width, words)

    def forward(self, words: torch.Tensor, state: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits ``(B, L, V)`` of next words, and the last state."""
        states, last = self.gru(self.words(words), state)
        return self.next(states), last


def masked_mean(frames: Padded) -> torch.Tensor:
    """Mean of ``(..., T, D)`` over valid frames."""
    weights = frames.mask.unsqueeze(-1).to(frames.data.dtype)
    return (frames.data * weights).sum(dim=-2) / weights.sum(dim=-2).clamp(min=1)  # (..., D)
