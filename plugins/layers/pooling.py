"""Means over the valid steps of padded sequences."""

from __future__ import annotations

import torch


def masked_mean(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the last but one axis: ``(..., T, C)`` under a mask ``(..., T)`` to ``(..., C)``; zero where none is valid."""
    weights = mask.to(x.dtype).unsqueeze(-1)
    return (x * weights).sum(-2) / weights.sum(-2).clamp_min(1.0)
