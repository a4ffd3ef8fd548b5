"""Losses that several baselines share."""

from __future__ import annotations

import torch
from torch.nn import functional


def vote_loss(scores: torch.Tensor, votes: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of candidates ``(B, K)`` against annotators' votes ``(B, K)``."""
    shares = votes / votes.sum(1, keepdim=True).clamp_min(1e-9)
    return functional.cross_entropy(scores, shares.to(scores.dtype))


def link_loss(logits: torch.Tensor, identities: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of pairs ``(B, K, K)`` being of one identity ``(B, K)``, over valid pairs of two rows."""
    same = (identities.unsqueeze(2) == identities.unsqueeze(1)).to(logits.dtype)
    valid = (mask.unsqueeze(2) & mask.unsqueeze(1)).to(logits.dtype).triu(1)
    losses = functional.binary_cross_entropy_with_logits(logits, same, reduction="none")
    return (losses * valid).sum() / valid.sum().clamp_min(1.0)


def many_hot(labels: torch.Tensor, mask: torch.Tensor, count: int) -> torch.Tensor:
    """Lists of labels ``(B, n)`` with a mask as ``(B, count)`` of zeros and ones."""
    hot = torch.zeros(len(labels), count + 1, device=labels.device)
    return hot.scatter(1, torch.where(mask, labels, count), 1.0)[:, :count]
