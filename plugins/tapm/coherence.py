"""The sequential coherence loss (§7.3.4): a clip's text side tells its past, its present and its future from other clips.

Sides come as sets ``(B, C, E)`` of ``valid`` clips ``(B, C)``; single clips come as one set, their batch, with present only.
``different`` ``(B, C, C)`` says which clips of a set may be each other's negatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.ranking import ranking_hinges

if TYPE_CHECKING:
    from reelbench.plugins.tapm.method import TAPMConfig

MARGIN = 1.0
PAST, CURRENT, FUTURE = -1, 0, 1


class Coherence(nn.Module):
    """Eq. 7.3: ``f_p``, ``f_c`` and ``f_f`` take the text side to the visual sides of the clips before, at and after it."""

    def __init__(self, width: int, shifts: Sequence[int]) -> None:
        super().__init__()
        self.shifts = tuple(shifts)
        self.project = nn.ModuleList(nn.Linear(width, width) for _ in shifts)

    def forward(
        self, visual: torch.Tensor, text: torch.Tensor, valid: torch.Tensor, different: torch.Tensor
    ) -> torch.Tensor:
        """The mean over clips of ``L_i``; a clip without a past or a future has no such term."""
        visual, clips = (
            functional.normalize(visual, dim=-1),
            torch.arange(valid.shape[1], device=valid.device),
        )
        total = visual.new_zeros(())
        for shift, project in zip(self.shifts, self.project, strict=True):
            scores = functional.normalize(project(text), dim=-1) @ visual.transpose(1, 2)  # (B, C, C)
            target = (clips + shift).clamp(0, len(clips) - 1)
            asked = valid & valid[:, target] & (target == clips + shift)  # (B, C)
            hinges = ranking_hinges(scores.flatten(0, 1), target.repeat(len(valid)), MARGIN).view_as(scores)
            negative = asked.unsqueeze(2) & valid.unsqueeze(1) & different[:, target]
            total = total + (hinges * negative).sum()
        return total / valid.sum()


class ReleasedCoherence(nn.Module):
    """As the released code has it: the visual side projected for past and future, neighbours in a ring, both directions.

    Sides are normalised across the clips of a set, not across channels; negatives of past and future leave out the clip two
    further on (where the clip itself was meant); hinges are averaged.
    """

    def __init__(self, width: int, shifts: Sequence[int]) -> None:
        super().__init__()
        self.shifts = tuple(shifts)
        self.project = nn.ModuleList(nn.Linear(width, width) if shift else nn.Identity() for shift in shifts)

    def forward(
        self, visual: torch.Tensor, text: torch.Tensor, valid: torch.Tensor, different: torch.Tensor
    ) -> torch.Tensor:
        """The sum of past, current and future."""
        text, total = functional.normalize(text, dim=1), visual.new_zeros(())
        for shift, project in zip(self.shifts, self.project, strict=True):
            shown = functional.normalize(project(visual), dim=1).roll(
                -shift, 1
            )  # (B, C, E), the target at its clip's place
            scores = text @ shown.transpose(1, 2)  # (B, C, C)
            there = valid & valid.roll(-shift, 1)
            negative = there.unsqueeze(2) & there.unsqueeze(1) & different
            if shift:
                negative &= ~torch.eye(len(scores[0]), dtype=torch.bool, device=valid.device).roll(shift, 1)
            right = scores.diagonal(dim1=1, dim2=2)
            hinges = [
                (scores - side + MARGIN).clamp_min(0.0) for side in (right.unsqueeze(2), right.unsqueeze(1))
            ]
            total = total + (sum(hinges) * negative).sum() / negative.sum().clamp_min(1)
        return total


def build_coherence(config: TAPMConfig, width: int) -> Coherence | ReleasedCoherence | None:
    """The loss that a configuration names; single clips have neither past nor future."""
    if config.coherence == "none":
        return None
    shifts = (PAST, CURRENT, FUTURE) if config.material == "sets" else (CURRENT,)
    return (ReleasedCoherence if config.coherence == "released" else Coherence)(width, shifts)
