"""What the translator is taught: the tags' sequence, and the tags at once; and how its outputs become scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import Context
    from reelbench.plugins.bnlstm.model import TagTranslator


def translate(model: TagTranslator, batch: Batch, ctx: Context) -> dict[str, torch.Tensor]:
    """``loss_word``, ``loss_class`` (summed over tags, mean over videos) for a guided classifier, and their sum."""
    assert batch.targets is not None
    words = batch.targets["words"].data  # (B, T)
    gate = torch.full(words.shape, ctx.config.beta, device=words.device)
    logits, tags = model(batch["video"].data, words, torch.bernoulli(gate, generator=ctx.generator).bool())
    word = guidance(logits, words, model.end, binary=model.binary)
    if tags is None:
        return {"loss": word, "word": word}
    labels = batch.targets["labels"].data  # (B, V), also of tags beyond the longest sequence
    label = functional.binary_cross_entropy_with_logits(tags, labels, reduction="none").sum(1).mean()
    return {"loss": word + label, "word": word, "class": label}


def guidance(logits: torch.Tensor, words: torch.Tensor, end: int, *, binary: bool) -> torch.Tensor:
    """A step's cross-entropy, by softmax or (``binary``) summed over each word by itself; a mean over steps and videos.

    Steps after the first end mark do not count. ``(B, T, V + 1)`` and ``(B, T)`` to a number.
    """
    if binary:
        truth = functional.one_hot(words, logits.shape[-1]).to(logits.dtype)
        losses = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none").sum(
            -1
        )  # (B, T)
    else:
        losses = functional.cross_entropy(logits.transpose(1, 2), words, reduction="none")  # (B, T)
    taught = ((words == end).cumsum(1) <= 1).to(losses.dtype)
    return ((losses * taught).sum(1) / taught.sum(1)).mean()


def tag_scores(model: TagTranslator, batch: Batch) -> torch.Tensor:
    """Probabilities of every tag ``(B, V)``: the classifier's, or the best of any step up to the end mark."""
    logits, tags = model(batch["video"].data)
    if tags is not None:
        return torch.sigmoid(tags)
    ends = (logits.argmax(-1) == model.end).int()  # (B, T)
    after = (ends.cumsum(1) - ends).bool()[..., None]  # (B, T, 1)
    return model.chances(logits).masked_fill(after, 0.0).amax(1)[:, :-1]
