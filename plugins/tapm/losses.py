"""The losses of a batch, and what is predicted for one: the tensors between a batch and the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from reelbench.plugins.layers.packing import unpack_rows
from reelbench.plugins.layers.ranking import different_contents

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import Context
    from reelbench.plugins.tapm.model import TAPM


def language(model: TAPM, batch: Batch) -> torch.Tensor:
    """The generator's own loss on texts: each sentence by itself."""
    return model.language_loss(_said(model, batch))


def of_videos(model: TAPM, batch: Batch, ctx: Context) -> Mapping[str, torch.Tensor]:
    """What the phase asks for: Eq. 7.3, the mean over words, or the sum of both.

    In a sum the words weigh as in Eq. 7.4, which adds up a sentence's words as Eq. 7.3 adds up a clip's hinges; alone,
    a factor would change nothing but the rate.
    """
    assert ctx.phase is not None
    visual = model.see(batch["segments"])
    parts: dict[str, torch.Tensor] = {}
    if "coherence" in ctx.phase.losses:
        parts["coherence"] = coherence(model, visual, batch)
    if "words" in ctx.phase.losses:
        parts["words"] = model.narration_loss(visual, _said(model, batch))
    if len(parts) == 1:
        return {"loss": next(iter(parts.values())), **parts}
    return {"loss": parts["coherence"] + parts["words"] * words_a_sentence(model, batch), **parts}


def words_a_sentence(model: TAPM, batch: Batch) -> torch.Tensor:
    """How many words the batch's sentences have to predict, the end mark among them, in the mean."""
    said = _said(model, batch)
    return (said[:, 1:] != model.tokens.pad).sum() / len(said)


def coherence(model: TAPM, visual: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Eq. 7.3: within a story, or within the batch where clips are single."""
    assert model.coherence is not None
    words = _said(model, batch)[:, :-1] if model.config.sides == "caption" else None
    shown, told = model.represent(visual, words)
    valid = batch["segments"].mask[:, :, 0]
    if model.config.material == "sets":
        apart = ~torch.eye(valid.shape[1], dtype=torch.bool, device=valid.device)
        return model.coherence(
            unpack_rows(shown, valid), unpack_rows(told, valid), valid, apart.expand(len(valid), -1, -1)
        )
    apart = different_contents(batch["content"], valid.device)
    return model.coherence(shown[None], told[None], valid.T, apart[None])


def narrate(model: TAPM, batch: Batch, ctx: Context) -> dict[str, Any]:
    """A sentence for each clip, or a caption for one."""
    said = iter(model.speak(model.see(batch["segments"]), ctx.settings))
    stories = [
        [next(said) for _ in range(clips)] for clips in batch["segments"].mask[:, :, 0].sum(1).tolist()
    ]
    if ctx.task == "captioning":
        return {"caption": [story[0] for story in stories]}
    return {"captions": stories}


def _said(model: TAPM, batch: Batch) -> torch.Tensor:
    """Words of every sentence between marks, then the tokens' own padding: ``(R, T)``."""
    words = batch["words"]
    return words.data.masked_fill(~words.mask, model.tokens.pad)[words.mask[:, :, 0]]
