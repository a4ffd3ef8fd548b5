"""The concept word detector (§4.2.1, §4.2.2): a grid of regions, L traces over frames, a probability a candidate word.

Sizes in comments: ``N`` frames, ``P`` regions of the grid (as many as traces, ``L``), ``D`` channels, ``V`` candidates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import DataInfo
    from reelbench.plugins.ctsan.method import CTSANConfig

KERNEL = 3


class FrameGrid(nn.Module):
    """``v_n``: maps are max-pooled 2 x 2 and convolved 3 x 3 (§4.2.1); vectors of a frame are added to all its regions."""

    def __init__(self, data: DataInfo, config: CTSANConfig) -> None:
        super().__init__()
        spec = data.features[config.map]
        self.side = (-(-spec.shape[0] // 2), -(-spec.shape[1] // 2))
        self.regions = self.side[0] * self.side[1]
        self.standardise_map = Standardise(data.assets["map_moments"])
        self.conv = nn.Conv2d(spec.dim, config.grid, KERNEL, padding=1)
        self.standardise_vectors, self.add = None, None
        if config.vectors:
            self.standardise_vectors = Standardise(data.assets["moments"])
            self.add = nn.Linear(data.dim(*config.vectors), config.grid, bias=False)

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, N, P, D)`` of a batch's ``maps`` ``(B, N, H, W, C)`` and ``vectors`` ``(B, N, C')``."""
        maps = self.standardise_map(batch["maps"].data)
        rows = functional.max_pool2d(maps.flatten(0, 1).movedim(-1, 1), 2, ceil_mode=True)  # (B N, C, h, w)
        grid = self.conv(rows).flatten(2).transpose(1, 2).unflatten(0, maps.shape[:2])  # (B, N, P, D)
        if self.add is None or self.standardise_vectors is None:
            return grid
        return grid + self.add(self.standardise_vectors(batch["vectors"].data)).unsqueeze(2)


class SpatialAttention(nn.Module):
    """Where each trace looks next: ``softmax(Conv(v_n * h_{n-1}))`` (Eq. 4.3 and 4.4), ``Conv`` being two convolutions."""

    def __init__(self, channels: int, hidden: int, side: tuple[int, int]) -> None:
        super().__init__()
        self.side = side
        self.first = nn.Conv2d(channels, hidden, KERNEL, padding=1)
        self.second = nn.Conv2d(hidden, 1, KERNEL, padding=1)

    def forward(self, regions: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """Regions ``(B, P, D)`` and traces ``(B, L, D)`` to weights ``(B, L, P)``."""
        few = self.first.out_channels < h.shape[1]
        hidden = self.of_factors(regions, h) if few else self.of_products(regions, h)  # (B L, A, h, w)
        return self.second(hidden.relu()).flatten(1).softmax(-1).view(*h.shape[:2], -1)

    def of_products(self, regions: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """The first convolution of Eq. 4.3 as it stands: ``(B L, A, h, w)``."""
        products = regions.unsqueeze(1) * h.unsqueeze(2)  # (B, L, P, D)
        return self.first(products.flatten(0, 1).transpose(1, 2).unflatten(2, self.side))

    def of_factors(self, regions: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """The same as a linear map of ``h`` that ``v_n`` sets: shorter where it has fewer outputs than there are traces."""
        maps = regions.transpose(1, 2).unflatten(2, self.side)
        patches = functional.unfold(maps, KERNEL, padding=1).unflatten(1, (maps.shape[1], -1))  # (B, D, 9, P)
        factors = torch.einsum("bdkp,adk->bapd", patches, self.first.weight.flatten(2))  # (B, A, P, D)
        sums = factors.flatten(1, 2) @ h.transpose(1, 2)  # (B, A P, L)
        hidden = sums.transpose(1, 2).reshape(-1, self.first.out_channels, *self.side)  # (B L, A, h, w)
        return hidden + self.first.bias[:, None, None]  # type: ignore[index]


class ConceptDetector(nn.Module):
    """Tracing LSTMs of shared weights, one starting at each region, and a logistic layer on all their last states."""

    def __init__(self, config: CTSANConfig, side: tuple[int, int], candidates: int) -> None:
        super().__init__()
        self.regions = side[0] * side[1]
        self.attend = SpatialAttention(config.grid, config.attention, side)
        self.trace = nn.LSTMCell(config.grid, config.grid)
        self.read = nn.Linear(self.regions * config.grid, candidates)

    def forward(self, grid: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``v_n`` ``(B, N, P, D)`` under a mask ``(B, N)`` to logits of the candidates ``(B, V)`` (Eq. 4.5 before its sigmoid)."""
        return self.read(self.last_states(grid, mask).flatten(1))

    def last_states(self, grid: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``h_N`` of every trace, N being the last valid frame (Eq. 4.1 and 4.2): ``(B, L, D)``."""
        start = torch.eye(self.regions, device=grid.device).expand(len(grid), -1, -1)  # alpha_0: (B, L, P)
        h, c = grid.new_zeros(2, *grid.shape[:1], *grid.shape[2:]).unbind()  # (B, L, D)
        for number, (regions, valid) in enumerate(zip(grid.unbind(1), mask.unbind(1), strict=True)):
            weights = self.attend(regions, h) if number else start
            context = (weights @ regions).flatten(0, 1)  # (B L, D)
            following = self.trace(context, (h.flatten(0, 1), c.flatten(0, 1)))
            h, c = (
                torch.where(valid[:, None, None], new.view_as(old), old)
                for new, old in zip(following, (h, c), strict=True)
            )
        return h
