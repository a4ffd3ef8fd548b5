"""Features brought to zero mean and unit deviation by moments of the training set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


class Standardise(nn.Module):
    """``(x - mean) / scale`` over the last axis, with moments as :func:`~reelbench.plugins.layers.frames.feature_moments` gives them."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, moments: Mapping[str, Any]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(moments["mean"], dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(moments["scale"], dtype=torch.float32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Standardised features, of the same shape."""
        return (x - self.mean) / self.scale
