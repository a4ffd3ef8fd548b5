"""Eq. 5.6 and 5.7 on batches, and what the heads predict: the tensors between a batch and the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from reelbench.plugins.jsfusion.model import JSFusion, score_all
from reelbench.plugins.layers.ranking import different_contents, ranking_hinges

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import Context


def match(model: JSFusion, batch: Batch, ctx: Context) -> torch.Tensor:
    """Eq. 5.6 over the batch's pairs, all against all: sentences rank videos, videos rank sentences, or both."""
    video, words = batch["frames"], batch["sentence"]
    frames, sentences = (
        model.encode_video(video.data, video.mask),
        model.encode_sentence(words.data, words.mask),
    )
    scores = score_all(model, frames, video.mask, sentences, words.mask)  # (L sentences, L videos)
    answers = torch.arange(len(scores), device=scores.device)
    different = different_contents(batch.fields.get("content", batch.ids), scores.device)
    tables = {"videos": [scores], "captions": [scores.T], "both": [scores, scores.T]}[ctx.config.rank]
    return torch.stack(
        [(ranking_hinges(t, answers, ctx.config.margin) * different).sum() for t in tables]
    ).sum()


def choose(model: JSFusion, batch: Batch, ctx: Context) -> torch.Tensor:
    """Eq. 5.6 over each video's sentences, the mean over videos."""
    assert batch.targets is not None
    hinges = ranking_hinges(choice_scores(model, batch), batch.targets["answer"], ctx.config.margin)
    return hinges.sum(1).mean()


def choice_scores(model: JSFusion, batch: Batch) -> torch.Tensor:
    """Each video with its own choices: ``(B, C)``."""
    video, choices = batch["frames"], batch["choices"]
    videos, count = choices.data.shape[:2]
    ids, mask = choices.data.flatten(0, 1), choices.mask.flatten(0, 1)  # (B C, M)
    sentences = model.encode_sentence(ids, mask)
    row = torch.arange(videos, device=ids.device).repeat_interleave(count)
    frames = model.encode_video(video.data, video.mask)
    return model.score(frames[row], video.mask[row], sentences, mask).view(videos, count)


def fill(model: JSFusion, batch: Batch, ctx: Context) -> torch.Tensor:
    """Eq. 5.7: cross-entropy of the missing word; answers outside the vocabulary teach nothing."""
    assert batch.targets is not None
    answers = batch.targets["answer"]
    total = functional.cross_entropy(fill_logits(model, batch), answers, reduction="sum")
    return total / (answers >= 0).sum().clamp_min(1)


def fill_logits(model: JSFusion, batch: Batch) -> torch.Tensor:
    """Logits of every answer: ``(B, V)``."""
    video, words = batch["frames"], batch["sentence"]
    return model.fill(video.data, video.mask, words.data, words.mask)
