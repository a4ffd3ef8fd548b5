"""Sentences from a model that scores the next word: greedily, or by beam search.

A model is a function ``step(words, state)`` of the last words ``(R,)`` and whatever it remembers of its R rows; it gives
scores of the next words ``(R, V)`` (log-probabilities, or logits) and the new memory. Memory is any nest of tuples, lists
and dictionaries of tensors whose first axis is rows, so that a search can keep, drop and double rows of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Step = Callable[[torch.Tensor, Any], tuple[torch.Tensor, Any]]


def greedy(step: Step, state: Any, first: torch.Tensor, end: int, longest: int) -> list[list[int]]:
    """The best next word at every step, until each row said ``end`` or ``longest`` words.

    Parameters
    ----------
    first
        The mark that each sentence starts from, ``(B,)`` integers.

    Returns
    -------
    list of list of int
        The words of each row, without ``first`` and ``end``.
    """
    words, said = first, []
    ended = torch.zeros_like(first, dtype=torch.bool)
    for _ in range(longest):
        logits, state = step(words, state)
        words = logits.argmax(-1)  # (B,)
        said.append(words)
        ended |= words == end
        if ended.all():
            break
    return [_until(end, row) for row in torch.stack(said, 1).tolist()] if said else [[] for _ in first]


def beam(
    step: Step,
    state: Any,
    first: torch.Tensor,
    end: int,
    longest: int,
    width: int,
    *,
    length_power: float = 0.0,
) -> list[list[int]]:
    """The best sentence of each row among the ``width`` that beam search keeps; a width of 1 is :func:`greedy`.

    Sentences are ranked by the sum of their words' log-probabilities, divided by their number (the end counts as one) to
    the ``length_power``. A sentence that ended keeps its place among the ``width`` until better ones push it out; one
    that ``longest`` cuts is ranked as it stands.

    Parameters
    ----------
    first
        The mark that each sentence starts from, ``(B,)`` integers.

    Returns
    -------
    list of list of int
        The words of each row, without ``first`` and ``end``.
    """
    said = first.new_zeros(len(first), 1, 0)  # (B, W, T)
    words = first.unsqueeze(1)  # (B, W)
    sums = torch.zeros_like(words, dtype=torch.float64)  # double: long sums would tie words that differ
    lengths = torch.zeros_like(words)
    ended = torch.zeros_like(words, dtype=torch.bool)
    for _ in range(longest):
        logits, state = step(words.flatten(), state)
        lengths = lengths + ~ended
        longer = sums.unsqueeze(2) + _next_words(logits.view(*words.shape, -1), ended, end)  # (B, W, V)
        ranks = longer / lengths.unsqueeze(2) ** length_power
        place = ranks.flatten(1).topk(min(width, longer[0].numel()), 1).indices  # (B, W')
        parent, words = place // longer.shape[2], place % longer.shape[2]
        state = take_rows(state, _flat(parent, longer.shape[1]))
        sums, lengths = longer.flatten(1).gather(1, place), lengths.gather(1, parent)
        said = said.gather(1, parent.unsqueeze(2).expand(-1, -1, said.shape[2]))
        said = torch.cat([said, words.unsqueeze(2)], 2)
        ended = ended.gather(1, parent) | (words == end)
        if ended.all():
            break
    return [_until(end, row) for row in said[:, 0].tolist()]  # best first


def take_rows(state: Any, rows: torch.Tensor) -> Any:
    """Rows ``(R,)`` of the first axis of every tensor of a nest of tuples, lists and dictionaries."""
    if isinstance(state, torch.Tensor):
        return state.index_select(0, rows)
    if isinstance(state, dict):
        return {name: take_rows(part, rows) for name, part in state.items()}
    return type(state)(take_rows(part, rows) for part in state)


def _next_words(logits: torch.Tensor, ended: torch.Tensor, end: int) -> torch.Tensor:
    """Log-probabilities of next words ``(B, W, V)``; a sentence that ended goes on as itself only, at no cost."""
    scores = logits.double().log_softmax(-1).masked_fill(ended.unsqueeze(2), float("-inf"))
    scores[..., end] = scores[..., end].masked_fill(ended, 0.0)
    return scores


def _flat(parent: torch.Tensor, width: int) -> torch.Tensor:
    """Numbers ``(B, W')`` of rows among each example's ``width`` as numbers among all rows."""
    return (torch.arange(len(parent), device=parent.device).unsqueeze(1) * width + parent).flatten()


def _until(end: int, words: list[int]) -> list[int]:
    return words[: words.index(end)] if end in words else words
