"""Sentences from a model that scores the next word, by beam search.

A model is a function ``step(words, state)`` of the last words ``(R,)`` and whatever it remembers of its R rows; it gives
scores of the next words ``(R, V)`` (log-probabilities, or logits) and the new memory. Memory is any nest of tuples, lists
and dictionaries of tensors whose first axis is rows, so that a search can keep, drop and double rows of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from reelbench.plugins.layers.sentence_search import SentenceSearch

Step = Callable[[torch.Tensor, Any], tuple[torch.Tensor, Any]]


def search(
    step: Step, state: Any, first: torch.Tensor, end: int, settings: SentenceSearch
) -> list[list[int]]:
    """:func:`beam` by a method's settings."""
    return beam(step, state, first, end, settings.max_words, settings.beam)


def beam(step: Step, state: Any, first: torch.Tensor, end: int, longest: int, width: int) -> list[list[int]]:
    """The best sentence of each row among the ``width`` that beam search keeps; a width of 1 is greedy search.

    Sentences are ranked by the sum of their words' log-probabilities, the end's among them. A sentence that ended keeps
    its place among the ``width`` until better ones push it out; one that ``longest`` cuts is ranked as it stands. A row
    whose best sentence ended is let go, for the others can only lose by going on: the model works for open rows alone.

    Parameters
    ----------
    first
        The mark that each sentence starts from, ``(B,)`` integers.

    Returns
    -------
    list of list of int
        The words of each row, without ``first`` and ``end``.
    """
    found: list[list[int]] = [[] for _ in first]
    rows = torch.arange(len(first), device=first.device)  # (B,), those still open
    said = first.new_zeros(len(first), 1, 0)  # (B, W, T)
    words = first.unsqueeze(1)  # (B, W)
    sums = torch.zeros_like(words, dtype=torch.float64)  # double: long sums would tie words that differ
    ended = torch.zeros_like(words, dtype=torch.bool)
    for left in reversed(range(longest)):
        logits, state = step(words.flatten(), state)
        scores, following = _next_words(logits.view(*words.shape, -1), width, ended, end)
        longer = sums.unsqueeze(2) + scores  # (B, W, K)
        sums, place = longer.flatten(1).topk(min(width, longer[0].numel()), 1)  # (B, W'), best first
        parent, words = place // longer.shape[2], following.flatten(1).gather(1, place)
        ended = ended.gather(1, parent) | (words == end)
        said = said.gather(1, parent.unsqueeze(2).expand(-1, -1, said.shape[2]))
        said = torch.cat([said, words.unsqueeze(2)], 2)
        settled = ended[:, 0] | (left == 0)
        for row, best in zip(rows[settled].tolist(), said[settled, 0].tolist(), strict=True):
            found[row] = best[: best.index(end)] if end in best else best
        if settled.all():
            break
        open_ = (~settled).nonzero()  # (B', 1)
        state = take_rows(state, (open_ * longer.shape[1] + parent[open_[:, 0]]).flatten())
        rows, said, words, sums, ended = (kept[open_[:, 0]] for kept in (rows, said, words, sums, ended))
    return found


def take_rows(state: Any, rows: torch.Tensor) -> Any:
    """Rows ``(R,)`` of the first axis of every tensor of a nest of tuples, lists and dictionaries."""
    if isinstance(state, torch.Tensor):
        return state.index_select(0, rows)
    if isinstance(state, dict):
        return {name: take_rows(part, rows) for name, part in state.items()}
    return type(state)(take_rows(part, rows) for part in state)


def _next_words(
    logits: torch.Tensor, width: int, ended: torch.Tensor, end: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest next words of each sentence, and their log-probabilities, both ``(B, W, K)``.

    A sentence that ended goes on as itself only, at no cost.
    """
    top, words = logits.topk(min(width, logits.shape[-1]), -1)  # no more of one sentence are kept
    scores = top.double() - logits.logsumexp(-1, keepdim=True).double()
    stays = torch.full_like(scores[:1, :1], float("-inf"))
    stays[..., 0] = 0.0
    over = ended.unsqueeze(2)
    return torch.where(over, stays, scores), words.masked_fill(over, end)
