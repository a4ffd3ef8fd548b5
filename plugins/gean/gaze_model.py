"""The recurrent gaze prediction model (RGP): from motion maps to a distribution over 49 x 49 places, frame by frame.

Equations are those of thesis §3.3.2. Sizes in comments: ``B`` clips, ``T`` frames, ``C`` channels of the maps, ``P``
projected channels, ``H`` channels of the state. Grids are 7 x 7 until the upsampler. The parts are also those of the
paper's ablations ``C3D+Conv`` and ``C3D+GRU``, which stand among the published baselines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.standardise import Standardise

GRID = 49
BLUR = 2.0


class ConvGRU(nn.Module):
    """GRU-RCN, Eq. 3.1 to 3.4: a GRU whose products are 3 x 3 convolutions; no biases, as printed."""

    def __init__(self, inputs: int, state: int, kernel: int = 3) -> None:
        super().__init__()
        self.state = state
        self.w = nn.Conv2d(inputs, 3 * state, kernel, padding="same", bias=False)  # W_z, W_r, W
        self.u_gates = nn.Conv2d(state, 2 * state, kernel, padding="same", bias=False)  # U_z, U_r
        self.u = nn.Conv2d(state, state, kernel, padding="same", bias=False)  # U

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs ``(B, T, P, 7, 7)`` to states of every frame ``(B, T, H, 7, 7)``."""
        driven = self.w(x.flatten(0, 1)).unflatten(0, x.shape[:2])  # (B, T, 3H, 7, 7), all frames at once
        h = driven.new_zeros(len(x), self.state, *x.shape[-2:])
        states = []
        for step in driven.unbind(1):
            h = self.step(step, h)
            states.append(h)
        return torch.stack(states, 1)

    def step(self, driven: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """One frame: ``W`` times its input ``(B, 3H, 7, 7)`` and the last state ``(B, H, 7, 7)``."""
        gates, candidate = torch.split(driven, [2 * self.state, self.state], dim=1)
        z, r = torch.sigmoid(gates + self.u_gates(h)).chunk(2, dim=1)  # Eq. 3.1, 3.2
        candidate = torch.tanh(candidate + self.u(r * h))  # Eq. 3.3
        return (1 - z) * h + z * candidate  # Eq. 3.4


class Upsampler(nn.Module):
    """Three transposed convolutions and a 1 x 1 convolution, 7 -> 23 -> 49 -> 49, to logits of the map.

    Nothing stands between the four layers, so that they are one transposed convolution of stride 6, whose kernel is what
    they make of a single cell. Each of its 36 phases (places of a pixel in a block of 6 x 6) is a plain convolution of the
    cells, and all are done at once: a map costs an eighth (tiny) to a fortieth (paper) of the four layers one by one.
    """

    stride, padding = 6, 3

    def __init__(self, inputs: int, channels: Sequence[int]) -> None:
        super().__init__()
        first, second, third = channels
        self.layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(inputs, first, 5, stride=3, bias=False),
                nn.ConvTranspose2d(first, second, 5, stride=2, bias=False),
                nn.ConvTranspose2d(second, third, 7, bias=False),  # its padding of 3 is left to the whole
                nn.Conv2d(third, 1, 1, bias=False),  # a bias would vanish in the softmax
            ]
        )
        self.inputs = inputs

    def phases(self) -> torch.Tensor:
        """The kernel of the whole ``(H, 1, 19, 19)`` as that of its phases ``(36, H, 4, 4)``."""
        kernel = torch.eye(self.inputs, device=next(self.parameters()).device)[..., None, None]
        for layer in self.layers:
            kernel = layer(kernel)
        taps = -(-kernel.shape[-1] // self.stride)  # cells that a pixel depends on, each way
        kernel = functional.pad(kernel, [0, taps * self.stride - kernel.shape[-1]] * 2)
        split = kernel.view(-1, taps, self.stride, taps, self.stride).permute(2, 4, 0, 1, 3)
        return split.flip(3, 4).flatten(0, 1)  # flipped, as a convolution reads what a transposed one writes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """States ``(B, T, H, 7, 7)`` to logits ``(B, T, 49, 49)``."""
        phases = self.phases()
        blocks = functional.conv2d(x.flatten(0, 1), phases, padding=phases.shape[-1] - 1)  # (B T, 36, 10, 10)
        whole = functional.pixel_shuffle(blocks, self.stride).squeeze(
            1
        )  # (B T, 60, 60), of which 55 are written
        kept = slice(self.padding, self.padding + GRID)
        return torch.unflatten(whole[:, kept, kept], 0, x.shape[:2])


class Projection(nn.Module):
    """Standardised maps through a 1 x 1 convolution."""

    def __init__(self, moments: Mapping[str, Any], outputs: int) -> None:
        super().__init__()
        self.standardise = Standardise(moments)
        self.linear = nn.Linear(len(self.standardise.mean), outputs)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """``(B, T, 7, 7, C)`` to ``(B, T, P, 7, 7)``."""
        return self.linear(self.standardise(maps)).movedim(-1, -3)


class GazePredictor(nn.Module):
    """RGP (Figure 3.1b): projection, GRU-RCN, upsampler, softmax. Reads the past only, so padding at the end is harmless."""

    def __init__(
        self, moments: Mapping[str, Any], projection: int, state: int, upsampler: Sequence[int]
    ) -> None:
        super().__init__()
        self.project = Projection(moments, projection)
        self.recur = ConvGRU(projection, state)
        self.upsample = Upsampler(state, upsampler)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps ``(B, T, 7, 7, C)`` as they are read, to logits ``(B, T, 49, 49)``."""
        return self.upsample(self.recur(self.project(maps)))

    def rows(self, maps: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Logits of some rows ``(B, F)`` of each clip, after all that came before them: ``(B, F, 49, 49)``."""
        states = self.recur(self.project(maps))
        return self.upsample(states[torch.arange(len(rows), device=rows.device)[:, None], rows])

    @torch.no_grad()
    def gaze_maps(self, maps: torch.Tensor) -> torch.Tensor:
        """Distributions of gaze ``(B, T, 49, 49)`` of every row, without gradient."""
        return self(maps).flatten(-2).softmax(-1).unflatten(-1, (GRID, GRID))


def gaze_predictor(fit: Mapping[str, Any]) -> GazePredictor:
    """The predictor of a gaze fit, from the assets that it left (``data.upstream["gaze"]``), for a fit that keeps it frozen."""
    sizes = fit["sizes"]
    return GazePredictor(fit["moments"], sizes["projection"], sizes["state"], sizes["upsampler"])


def blur(maps: torch.Tensor) -> torch.Tensor:
    """Maps ``(..., 49, 49)`` under a Gaussian of two cells, nothing lying beyond the border."""
    place = torch.arange(GRID, dtype=maps.dtype, device=maps.device)
    kernel = torch.exp(-0.5 * ((place[:, None] - place) / BLUR) ** 2)  # (49, 49), symmetric
    return kernel @ maps @ kernel


def gaze_loss(logits: torch.Tensor, fixations: torch.Tensor) -> torch.Tensor:
    """Frame-wise cross-entropy with the blurred fixations (§3.3.5), averaged over frames that anybody looked at.

    Parameters
    ----------
    logits
        ``(B, F, 49, 49)``.
    fixations
        How many fixations each cell has, of the same shape.
    """
    truth = blur(fixations).flatten(-2)
    total = truth.sum(-1, keepdim=True)  # (B, F, 1)
    losses = -(truth / total.clamp_min(1e-8) * logits.flatten(-2).log_softmax(-1)).sum(-1)
    seen = (total.squeeze(-1) > 0).to(losses.dtype)
    return (losses * seen).sum() / seen.sum().clamp_min(1.0)


def distributions(logits: torch.Tensor, *, smooth: bool) -> torch.Tensor:
    """Logits ``(..., 49, 49)`` to maps that sum to one, blurred where ``smooth`` (§3.4.1)."""
    maps = torch.unflatten(logits.flatten(-2).softmax(-1), -1, (GRID, GRID))
    if not smooth:
        return maps
    blurred = blur(maps)
    return blurred / blurred.sum((-2, -1), keepdim=True)
