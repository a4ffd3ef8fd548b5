"""The module of the toy methods: a mean of frames and a mean of words, in one space."""

from __future__ import annotations

import torch
from torch import nn

from reelbench import Padded


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the next-to-last axis where the mask is true."""
    weights = mask.unsqueeze(-1).to(values.dtype)
    return (values * weights).sum(dim=-2) / weights.sum(dim=-2).clamp(min=1)


class Matcher(nn.Module):
    """Clips and sentences as vectors."""

    def __init__(self, frames: int, vocabulary: int, width: int = 16) -> None:
        super().__init__()
        self.video = nn.Linear(frames, width)
        self.words = nn.Embedding(vocabulary, width)
        self.next_word = nn.Linear(width, vocabulary)

    def watch(self, frames: Padded) -> torch.Tensor:
        """``(B, T, D)`` → ``(B, W)``."""
        return self.video(masked_mean(frames.data, frames.mask))  # (B, W)

    def read(self, words: Padded) -> torch.Tensor:
        """``(B, ..., T)`` → ``(B, ..., W)``."""
        return masked_mean(self.words(words.data), words.mask)  # (B, ..., W)
