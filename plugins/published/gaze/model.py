"""Networks that GEAN's gaze predictor is compared with. All give logits of 49 x 49 places at rows ``(B, F)`` of each clip.

Sizes in comments: ``B`` clips, ``T`` rows of a clip, ``F`` rows asked for, ``K`` units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from reelbench.plugins.gean.gaze_model import GRID, Projection, Upsampler
from reelbench.plugins.layers.standardise import Standardise


def at_rows(x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """``(B, T, ...)`` at rows ``(B, F)``: ``(B, F, ...)``."""
    return x[torch.arange(len(rows), device=rows.device)[:, None], rows]


class ConvOnly(nn.Module):
    """C3D+Conv: the gaze predictor without its GRU-RCN."""

    def __init__(self, moments: Mapping[str, Any], projection: int, upsampler: Sequence[int]) -> None:
        super().__init__()
        self.project = Projection(moments, projection)
        self.upsample = Upsampler(projection, upsampler)

    def rows(self, maps: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Maps ``(B, T, 7, 7, C)`` to logits ``(B, F, 49, 49)``."""
        return self.upsample(self.project(at_rows(maps, rows)))


class VectorGRU(nn.Module):
    """C3D+GRU: the projected maps as one vector through a plain GRU, and a dense layer to all places."""

    def __init__(self, moments: Mapping[str, Any], projection: int, hidden: int, cells: int = 49) -> None:
        super().__init__()
        self.project = Projection(moments, projection)
        self.recur = nn.GRU(cells * projection, hidden, batch_first=True)
        self.dense = nn.Linear(hidden, GRID * GRID)

    def rows(self, maps: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Maps ``(B, T, 7, 7, C)`` to logits ``(B, F, 49, 49)``."""
        states = self.recur(self.project(maps).flatten(2))[0]  # (B, T, K)
        return self.dense(at_rows(states, rows)).unflatten(-1, (GRID, GRID))


class Maxout(nn.Module):
    """A dense layer to two values a unit, of which the larger counts."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 2 * outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(..., inputs)`` to ``(..., outputs)``."""
        return self.linear(x).unflatten(-1, (2, -1)).amax(-2)


class ShallowNet(nn.Module):
    """Pan et al., CVPR 2016: three convolutions with pooling and two maxout layers, on single frames; or a GRU between these."""

    def __init__(
        self, moments: Mapping[str, Any], size: int, channels: Sequence[int], dense: int, *, recurrent: bool
    ) -> None:
        super().__init__()
        self.standardise = Standardise(moments)
        layers: list[nn.Module] = []
        inputs = len(self.standardise.mean)
        for outputs, kernel in zip(channels, (5, 3, 3), strict=True):
            layers += [
                nn.Conv2d(inputs, outputs, kernel, padding="same"),
                nn.ReLU(),
                nn.MaxPool2d(2, ceil_mode=True),
            ]
            inputs, size = outputs, -(-size // 2)
        self.convolve = nn.Sequential(*layers)
        self.first = Maxout(inputs * size * size, dense)
        self.recur = nn.GRU(dense, dense, batch_first=True) if recurrent else None
        self.last = Maxout(dense, GRID * GRID)

    def rows(self, frames: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Frames ``(B, T, S, S, 3)`` to logits ``(B, F, 49, 49)``."""
        if self.recur is None:
            units = self.describe(at_rows(frames, rows))
        else:
            units = at_rows(self.recur(self.describe(frames))[0], rows)
        return self.last(units).unflatten(-1, (GRID, GRID))

    def describe(self, frames: torch.Tensor) -> torch.Tensor:
        """Each frame ``(B, T, S, S, 3)`` as units ``(B, T, K)``."""
        pixels = self.standardise(frames).movedim(-1, -3)  # (B, T, 3, S, S)
        return self.first(self.convolve(pixels.flatten(0, 1)).flatten(1)).unflatten(0, frames.shape[:2])
