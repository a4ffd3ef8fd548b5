"""Padded sequences: a recurrence whose backward direction starts at the last valid step, and that step."""

from __future__ import annotations

import torch
from torch import nn


class PaddedLSTM(nn.Module):
    """One layer of LSTM over ``(B, T, C)``, one-way or both ways, of which no valid step reads padding.

    Sequences are not packed: on a CPU torch steps through packed sequences of unequal length one by one, four times as
    slow as its layer kernel. Padding stands at the end, where the forward direction has no use for it; the backward
    direction is a second LSTM over each sequence's valid steps in reverse.
    """

    def __init__(self, inputs: int, hidden: int, *, both_ways: bool) -> None:
        super().__init__()
        self.onward = nn.LSTM(inputs, hidden, batch_first=True)
        self.back = nn.LSTM(inputs, hidden, batch_first=True) if both_ways else None
        self.width = hidden * (2 if both_ways else 1)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """States of every step, zero at padding: ``(B, T, width)``; of no step where every sequence is empty."""
        if not x.shape[1]:
            return x.new_zeros(len(x), 0, self.width)
        states = self.onward(x)[0]
        if self.back is not None:
            backward = reverse_valid(self.back(reverse_valid(x, mask))[0], mask)
            states = torch.cat([states, backward], dim=-1)
        return states.masked_fill(~mask.unsqueeze(-1), 0.0)


def last_step(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The last of the first ``lengths`` ``(B,)`` steps of each row of ``(B, T, ...)``: ``(B, ...)``, zero where T is 0."""
    if not x.shape[1]:
        return x.new_zeros(len(x), *x.shape[2:])
    return x[torch.arange(len(x), device=x.device), lengths - 1]


def reverse_valid(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """``(B, T, C)`` with each row's valid steps in reverse order, and padding where it was; its own inverse."""
    place = torch.arange(x.shape[1], device=x.device)
    place = torch.where(mask, mask.sum(1, keepdim=True) - 1 - place, place)  # (B, T)
    return x.gather(1, place.unsqueeze(-1).expand_as(x))
