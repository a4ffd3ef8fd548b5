"""Batch norm over rows that also bears the odd batch of one row, of which there is no variance."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class RowNorm(nn.BatchNorm1d):
    """Batch norm of ``(R, C)``; a single row is normalised by the population statistics, as at inference."""

    def __init__(self, channels: int, momentum: float = 0.1, *, affine: bool = True) -> None:
        super().__init__(channels, momentum=momentum, affine=affine)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """``(R, C)``."""
        if len(rows) > 1:
            return super().forward(rows)
        return functional.batch_norm(
            rows, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )
