"""Margin ranking losses over a matrix of scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def ranking_hinges(scores: torch.Tensor, answers: torch.Tensor, margin: float) -> torch.Tensor:
    """Hinges ``max(0, s_kl - s_kl* + margin)`` of each query ``k`` and candidate ``l``.

    Parameters
    ----------
    scores
        ``(K, L)``.
    answers
        ``(K,)`` the index of each query's right candidate, whose own hinge is left out (it is zero here).

    Returns
    -------
    torch.Tensor
        ``(K, L)``.
    """
    right = scores.gather(1, answers[:, None])  # (K, 1)
    hinges = (scores - right + margin).clamp_min(0.0)
    return hinges.scatter(1, answers[:, None], 0.0)


def different_contents(contents: Sequence[str], device: torch.device) -> torch.Tensor:
    """Where two examples of a batch are of different content, and so may be each other's negatives: ``(B, B)``."""
    numbers = {content: i for i, content in enumerate(dict.fromkeys(contents))}
    rows = torch.tensor([numbers[content] for content in contents], device=device)
    return rows[:, None] != rows
