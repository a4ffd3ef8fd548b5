"""YouTube-8M's mixture of experts: for each label some logistic experts, and a gate that may choose none of them."""

from __future__ import annotations

import torch
from torch import nn


class MixtureOfExperts(nn.Module):
    """Label logits of a vector. Source: google/youtube-8m ``video_level_models.py`` (gates without bias).

    Each label has ``experts`` logistic experts and one more gate that stands for "no"; its probability is the gated
    mean of the experts, returned as a logit so that it can be used where a linear layer could.
    """

    def __init__(self, inputs: int, labels: int, experts: int) -> None:
        super().__init__()
        self.shape = (labels, experts)
        self.experts = nn.Linear(inputs, labels * experts)
        self.gates = nn.Linear(inputs, labels * (experts + 1), bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C)`` to logits ``(B, L)``."""
        labels, experts = self.shape
        gates = self.gates(x).view(len(x), labels, experts + 1).log_softmax(-1)  # (B, L, E + 1)
        scores = self.experts(x).view(len(x), labels, experts)  # (B, L, E)
        yes = (gates[..., :-1] + nn.functional.logsigmoid(scores)).logsumexp(-1)  # (B, L)
        no = torch.cat([gates[..., :-1] + nn.functional.logsigmoid(-scores), gates[..., -1:]], -1).logsumexp(
            -1
        )
        return yes - no
