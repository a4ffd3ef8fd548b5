"""Gaze that nobody learnt, for the rows of Table 3.5: uniform, random, central and peripheral weights on a 7 x 7 grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from reelbench.batching import Batch

CELLS = 7
SIGMA = 1.0


def smoothed_cells() -> torch.Tensor:
    """Every one-hot map under a Gaussian of one cell, summing to one: ``(49, 7, 7)``, row by row."""
    place = torch.arange(CELLS, dtype=torch.float32)
    kernel = torch.exp(-0.5 * ((place[:, None] - place) / SIGMA) ** 2)  # (7, 7)
    maps = torch.einsum("yi,xj->yxij", kernel, kernel).flatten(0, 1)
    return maps / maps.sum((1, 2), keepdim=True)


def weights_of(kind: str) -> torch.Tensor:
    """What a kind chooses from: ``(49, 7, 7)`` for ``random``, one map ``(1, 7, 7)`` for the others."""
    cells = smoothed_cells()
    central = cells[len(cells) // 2, None]
    away = central.max() - central
    return {
        "uniform": torch.full_like(central, 1 / CELLS**2),
        "random": cells,
        "central": central,
        "peripheral": away / away.sum(),
    }[kind]


class FixedGaze(nn.Module):
    """Weights of one kind for every row of every clip; which cell a random one is at comes from ``batch["random_cells"]``."""

    weights: torch.Tensor

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.register_buffer("weights", weights_of(kind), persistent=False)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Weights ``(B, T, 7, 7)`` of each map row."""
        if len(self.weights) > 1:
            return self.weights[batch["random_cells"].data]
        return self.weights.expand(*batch["maps"].data.shape[:2], -1, -1)
