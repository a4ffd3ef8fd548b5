"""Eq. 4.14, 4.20, 4.23 and 4.26 on batches, and what the four models predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from reelbench.plugins.ctsan.model import Chooser, Describer, Filler, Retriever, Seen
from reelbench.plugins.layers.decoding import search
from reelbench.plugins.layers.ranking import different_contents, ranking_hinges
from reelbench.plugins.layers.sentences import word_loss
from reelbench.vocabulary import END, PAD, START

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.method import Context

SPARSEST = 1e-12  # below it a weight's square root has no gradient
Losses = dict[str, torch.Tensor]


def attention_cost(weights: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """``g`` with p = 2 and q = 0.5 (Eq. 4.15), its mean over rows.

    Parameters
    ----------
    weights
        ``(R, T, K)``, each step's summing to one.
    mask
        ``(R, T)``.
    """
    valid = weights * mask.unsqueeze(-1)
    of_concepts = valid.sum(1).square().sum(1).sqrt()  # (R,): no concept is to have them all
    of_steps = weights.clamp_min(SPARSEST).sqrt().sum(2).square()  # (R, T): each step is to have few
    return (of_concepts + (of_steps * mask).sum(1)).mean()


def concept_loss(logits: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """``L_con`` (Eq. 4.6): ``(B, V)`` and the reference vectors to their mean sigmoid cross-entropy."""
    return functional.binary_cross_entropy_with_logits(logits, reference)


def total(
    task: torch.Tensor,
    attended: Sequence[tuple[torch.Tensor | None, torch.Tensor]],
    concepts: torch.Tensor | None,
    batch: Batch,
    ctx: Context,
) -> Losses:
    """A task's loss with its auxiliary terms: attention weights, each with its mask, and the detector's logits."""
    costs = [attention_cost(weights, mask) for weights, mask in attended if weights is not None]
    losses = {"loss": task, "task": task}
    if costs and ctx.config.regulariser:
        losses["attention"] = torch.stack(costs).sum()
        losses["loss"] = losses["loss"] + ctx.config.regulariser * losses["attention"]
    if concepts is not None:
        losses["concepts"] = concept_loss(concepts, batch["concepts"].data)
        losses["loss"] = losses["loss"] + ctx.config.concept_weight * losses["concepts"]
    return losses


def describe(model: Describer, batch: Batch, ctx: Context) -> Losses:
    """Eq. 4.14, its first term the mean over words."""
    seen, concepts = model.watch(batch)
    words, mask = batch["words"].data, batch["words"].mask[:, 1:]
    logits, weights = model(words[:, :-1], mask, seen)
    loss = word_loss(logits, words, ctx.data.assets["vocabulary"].index[PAD])
    return total(loss, [(w, mask) for w in weights], concepts, batch, ctx)


def captions(model: Describer, batch: Batch, ctx: Context) -> list[str]:
    """Sentences by the shared search."""
    seen, _ = model.watch(batch)
    vocabulary = ctx.data.assets["vocabulary"]
    first = torch.full((len(batch),), vocabulary.index[START], device=seen.state.device)

    def step(words: torch.Tensor, known: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        after = Seen(known["states"], known.get("concepts"))
        logits, _, after = model.advance(words[:, None], torch.ones_like(words[:, None]).bool(), after)
        return logits[:, 0], _nest(after)

    said = search(step, _nest(seen), first, vocabulary.index[END], ctx.settings)
    return [" ".join(vocabulary.decode(row)) for row in said]


def _nest(seen: Seen) -> dict[str, Any]:
    """What a search keeps and doubles."""
    kept = {} if seen.concepts is None else {"concepts": seen.concepts}
    return {"states": seen.states, **kept}


def fill(model: Filler, batch: Batch, ctx: Context) -> Losses:
    """Eq. 4.20; answers outside the vocabulary teach nothing."""
    assert batch.targets is not None
    seen, concepts = model.watch(batch)
    words, answers = batch["words"], batch.targets["answer"]
    logits, (gamma, beta) = model(words.data, words.mask, batch["blank"], seen)
    loss = functional.cross_entropy(logits, answers, reduction="sum") / (answers >= 0).sum().clamp_min(1)
    return total(loss, [(gamma, words.mask), (beta, words.mask[:, :1])], concepts, batch, ctx)


def answer_probabilities(model: Filler, batch: Batch) -> torch.Tensor:
    """``p(y)`` of Eq. 4.19, which ensembles average: ``(B, A)``."""
    seen, _ = model.watch(batch)
    words = batch["words"]
    return model(words.data, words.mask, batch["blank"], seen)[0].softmax(-1)


def choose(model: Chooser, batch: Batch, ctx: Context) -> Losses:
    """Eq. 4.23 over each video's sentences, the mean over videos."""
    assert batch.targets is not None
    seen, concepts = model.watch(batch)
    scores, (gamma,) = _score_choices(model, batch, seen)
    hinges = ranking_hinges(scores, batch.targets["answer"], ctx.config.choice_margin)
    return total(hinges.sum(1).mean(), [(gamma, batch["choices"].mask.flatten(0, 1))], concepts, batch, ctx)


def choice_scores(model: Chooser, batch: Batch) -> torch.Tensor:
    """Each video with its own choices: ``(B, C)``."""
    return _score_choices(model, batch, model.watch(batch)[0])[0]


def _score_choices(
    model: Chooser, batch: Batch, seen: Seen
) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
    choices = batch["choices"]
    videos, count = choices.data.shape[:2]
    row = torch.arange(videos, device=choices.data.device).repeat_interleave(count)
    scores, weights = model(choices.data.flatten(0, 1), choices.mask.flatten(0, 1), seen.rows(row))
    return scores.view(videos, count), weights


def retrieve(model: Retriever, batch: Batch, ctx: Context) -> Losses:
    """Eq. 4.26 over all pairs of a batch, for each sentence and for each video, the mean over pairs' hinges."""
    seen, concepts = model.watch(batch)
    words, mask = batch["words"].data, batch["words"].mask
    query, video = _pairs(len(words), len(words), words.device)
    scores, (gamma,) = model(words[query], mask[query], seen.rows(video))
    table = scores.view(len(words), len(words))  # (sentences, videos)
    answers = torch.arange(len(words), device=words.device)
    different = different_contents(batch.fields.get("content", batch.ids), words.device)
    hinges = [ranking_hinges(t, answers, ctx.config.retrieval_margin) * different for t in (table, table.T)]
    return total(torch.stack(hinges).sum((0, 2)).mean(), [(gamma, mask[query])], concepts, batch, ctx)


def pair_scores(model: Retriever, queries: Padded, gallery: dict[str, torch.Tensor]) -> torch.Tensor:
    """Every query with every video, one query after the other so that memory stays small: ``(Q, G)``."""
    state = gallery["state"]
    seen = Seen([(state, state)], gallery.get("concepts"))  # no sentence starts from a cell here
    rows = []
    for ids, length in zip(queries.data, queries.lengths.tolist(), strict=True):
        words = ids[:length].expand(len(state), -1)
        rows.append(model(words, torch.ones_like(words, dtype=torch.bool), seen)[0])
    return torch.stack(rows)


def _pairs(left: int, right: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Every number under ``left`` with every one under ``right``."""
    pairs = torch.cartesian_prod(torch.arange(left, device=device), torch.arange(right, device=device))
    return pairs[:, 0], pairs[:, 1]
