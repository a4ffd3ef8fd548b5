"""Recurrences over padded sequences, in which the backward direction starts at the last valid step."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class PaddedLSTM(nn.Module):
    """One layer of LSTM over ``(B, T, C)``, one-way or both ways, that never reads padding."""

    def __init__(self, inputs: int, hidden: int, *, both_ways: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, batch_first=True, bidirectional=both_ways)
        self.width = hidden * (2 if both_ways else 1)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """States of every step, zero at padding: ``(B, T, width)``. Each row needs a valid step."""
        lengths = mask.sum(-1).cpu()
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]
