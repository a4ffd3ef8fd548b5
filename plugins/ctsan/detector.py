"""The concept word detector (§4.2.1, §4.2.2): a grid of regions, L traces over frames, a probability a candidate word.

Sizes in comments: ``N`` frames, ``P`` regions of the grid (as many as traces, ``L``), ``D`` channels, ``V`` candidates.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.ctsan.recurrence import advance
from reelbench.plugins.layers.recurrence import last_step
from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.method import DataInfo
    from reelbench.plugins.ctsan.method import CTSANConfig

KERNEL = 3
Reader: TypeAlias = Callable[[torch.Tensor], torch.Tensor]


class FrameGrid(nn.Module):
    """``v_n``: maps are max-pooled 2 x 2 and convolved 3 x 3 (§4.2.1); a frame's vectors are added to all its regions."""

    def __init__(self, data: DataInfo, config: CTSANConfig) -> None:
        super().__init__()
        spec = data.features[config.map]
        self.side = (-(-spec.shape[0] // 2), -(-spec.shape[1] // 2))
        self.standardise = Standardise(data.assets["map_moments"])
        self.conv = nn.Conv2d(spec.dim, config.grid, KERNEL, padding=1)
        self.add = nn.Linear(data.dim(*config.vectors), config.grid, bias=False) if config.vectors else None

    def forward(self, maps: torch.Tensor, vectors: torch.Tensor | None) -> torch.Tensor:
        """``(B, N, H, W, C)`` and standardised ``(B, N, C')`` to ``(B, N, P, D)``."""
        rows = self.standardise(maps).flatten(0, 1).movedim(-1, 1)  # (B N, C, H, W)
        pooled = self.conv(functional.max_pool2d(rows, 2, ceil_mode=True))  # (B N, D, h, w)
        grid = pooled.flatten(2).transpose(1, 2).reshape(*maps.shape[:2], -1, pooled.shape[1])  # (B, N, P, D)
        return grid if self.add is None or vectors is None else grid + self.add(vectors).unsqueeze(2)


class SpatialAttention(nn.Module):
    """Where each trace looks next: ``softmax(Conv(v_n * h_{n-1}))`` (Eq. 4.3 and 4.4), ``Conv`` being two convolutions."""

    def __init__(self, channels: int, hidden: int, side: tuple[int, int]) -> None:
        super().__init__()
        self.side = side
        self.first = nn.Conv2d(channels, hidden, KERNEL, padding=1)
        self.second = nn.Conv2d(hidden, 1, KERNEL, padding=1, bias=False)  # softmax would undo a bias

    def of_frames(self, grid: torch.Tensor) -> list[Reader]:
        """For each frame of ``v`` ``(B, N, P, D)`` a function from the traces ``(B, L, D)`` to weights ``(B, L, P)``."""
        if self.first.out_channels >= grid.shape[2]:
            return [partial(self.of_products, regions) for regions in grid.unbind(1)]
        second = self.second_as_matrix()
        return [partial(self.of_factors, factors, second) for factors in self.factors(grid).unbind(1)]

    def of_products(self, regions: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """Eq. 4.3 and 4.4 as they stand, for regions ``(B, P, D)``."""
        products = regions.unsqueeze(1) * h.unsqueeze(2)  # (B, L, P, D)
        maps = products.flatten(0, 1).transpose(1, 2).reshape(-1, h.shape[2], *self.side)  # (B L, D, h, w)
        return self.second(self.first(maps).relu()).flatten(1).softmax(-1).view(*h.shape[:2], -1)

    def of_factors(self, factors: torch.Tensor, second: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """The same from :meth:`factors` of the frame ``(B, D + 1, A P)`` and :meth:`second_as_matrix`."""
        hidden = torch.baddbmm(factors[:, -1:], h, factors[:, :-1]).relu()  # (B, L, A P)
        return (hidden @ second).softmax(-1)

    def factors(self, grid: torch.Tensor) -> torch.Tensor:
        """The first convolution of ``v_n * h`` as a linear map of ``h``, its bias in the last row: ``(B, N, D + 1, A P)``.

        Made of all frames at once, and by itself no larger than the products where it has fewer outputs than there
        are traces.
        """
        channels = grid.flatten(0, 1).permute(2, 0, 1)  # (D, B N, P)
        rows = (channels @ self.first_as_matrices()).transpose(0, 1)  # (B N, D, A P)
        bias = cast("torch.Tensor", self.first.bias).repeat_interleave(grid.shape[2])  # (A P,)
        return torch.cat([rows, bias.expand(len(rows), 1, -1)], 1).view(*grid.shape[:2], -1, len(bias))

    def first_as_matrices(self) -> torch.Tensor:
        """The first convolution as a matrix for each channel: ``(D, P, A P)``."""
        kernels = self.first.weight.transpose(0, 1).flatten(0, 1).unsqueeze(1)  # (D A, 1, 3, 3)
        places = self.side[0] * self.side[1]
        units = torch.eye(places, device=kernels.device).view(places, 1, *self.side)
        maps = functional.conv2d(units, kernels, padding=1).flatten(1)  # (P, D A P)
        return maps.view(places, self.first.in_channels, -1).transpose(0, 1)

    def second_as_matrix(self) -> torch.Tensor:
        """The second convolution as a matrix ``(A P, P)``."""
        inputs = self.second.in_channels * self.side[0] * self.side[1]
        units = torch.eye(inputs, device=self.second.weight.device).view(inputs, -1, *self.side)
        return self.second(units).flatten(1)


class ConceptDetector(nn.Module):
    """Tracing LSTMs of shared weights, one starting at each region, and a logistic layer on all their last states."""

    def __init__(self, config: CTSANConfig, side: tuple[int, int], candidates: int) -> None:
        super().__init__()
        self.regions = side[0] * side[1]
        self.attend = SpatialAttention(config.grid, config.attention, side)
        self.w, self.u = (nn.Linear(config.grid, 4 * config.grid, bias=biased) for biased in (True, False))
        self.read = nn.Linear(self.regions * config.grid, candidates)

    def forward(self, grid: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``v`` ``(B, N, P, D)`` under a mask ``(B, N)`` to logits of the candidates ``(B, V)`` (Eq. 4.5 before its sigmoid)."""
        return self.read(self.last_states(grid, mask).flatten(1))

    def last_states(self, grid: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``h_N`` of every trace, N being the last valid frame (Eq. 4.1 and 4.2): ``(B, L, D)``.

        The LSTM reads ``W (alpha v)`` as ``alpha (W v)``, so that the regions of all frames pass its input map at once.
        """
        weights = torch.eye(self.regions, device=grid.device).expand(len(grid), -1, -1)  # alpha_0: (B, L, P)
        h = c = grid.new_zeros(len(grid), *grid.shape[2:])  # (B, L, D)
        states: list[torch.Tensor] = []
        for read, inputs in zip(self.attend.of_frames(grid), self.w(grid).unbind(1), strict=True):
            if states:
                weights = read(h)
            h, c = advance(torch.baddbmm(self.u(h), weights, inputs), c)
            states.append(h)
        return last_step(torch.stack(states, 1), mask.sum(1))
