"""Eq. 4 to 14 on a batch: the high level, the low level under strong or weak correspondence, reconstruction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from reelbench.plugins.hse.model import Embedding, Matcher, TowerDecoder, cosines
from reelbench.plugins.layers.pooling import masked_mean
from reelbench.plugins.layers.ranking import different_contents, ranking_hinges

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.plugins.hse.method import HSEConfig


def total(module: Matcher, batch: Batch, config: HSEConfig) -> dict[str, torch.Tensor]:
    """Eq. 11: ``high + low + tau reconstruct``, and each of them by its name."""
    frames, words = batch["frames"], batch["words"]
    video, text = module.videos(frames), module.texts(words)
    losses = {"high": high_level(video, text, batch, config)}
    if config.hierarchy and config.low_level != "none":
        losses["low"] = low_level(video, text, batch, config)
    if module.video_decoder is not None and module.text_decoder is not None:
        losses["reconstruct"] = reconstruct(
            module.video_decoder, video, module.standardise(frames.data), frames.mask, config
        ) + reconstruct(module.text_decoder, text, module.embed(words.data), words.mask, config)
    return {"loss": torch.stack(list(losses.values())).sum(), **losses}


@dataclass(frozen=True)
class Apart:
    """Which clips (or videos) of a batch show something else, and which sentences (or paragraphs) say something else."""

    shown: torch.Tensor
    said: torch.Tensor

    @property
    def pairs(self) -> torch.Tensor:
        """Who is whose negative across modalities, of rows that are pairs: ``(R, R)``."""
        return self.shown & self.said


def apart_wholes(batch: Batch, device: torch.device) -> Apart:
    """Of the stories of a batch."""
    shown, said = ([" | ".join(story) for story in batch[name]] for name in ("shown", "said"))
    return Apart(different_contents(shown, device), different_contents(said, device))


def apart_parts(batch: Batch, device: torch.device) -> Apart:
    """Of the clips and sentences of all stories, in their order."""
    shown, said = ([part for story in batch[name] for part in story] for name in ("shown", "said"))
    return Apart(different_contents(shown, device), different_contents(said, device))


def high_level(video: Embedding, text: Embedding, batch: Batch, config: HSEConfig) -> torch.Tensor:
    """Eq. 12: videos and paragraphs; their contexts too, where there are (released code)."""
    apart = apart_wholes(batch, video.whole.device)
    loss = match(cosines(text.whole, video.whole), apart.pairs, config.alpha)
    loss = (
        loss + cluster(video.whole, apart.shown, config.gamma) + cluster(text.whole, apart.said, config.gamma)
    )
    if video.context is not None and text.context is not None:
        loss = loss + match(cosines(text.context, video.context), apart.pairs, config.alpha)
    return _scaled(loss, len(video.whole), config)


def low_level(video: Embedding, text: Embedding, batch: Batch, config: HSEConfig) -> torch.Tensor:
    """Eq. 12: clips and sentences, pair by pair (Eq. 5) or as far as their wholes are a pair (Eq. 14)."""
    device = video.parts.device
    apart = apart_parts(batch, device)
    clustering = cluster(video.parts, apart.shown, config.eta) + cluster(text.parts, apart.said, config.eta)
    if config.low_level == "weak":
        sides = ((text, batch["words"]), (video, batch["frames"]))
        said, shown = (mean_directions(embedding, steps.mask.any(-1)) for embedding, steps in sides)
        matching = match(said @ shown.T, apart_wholes(batch, device).pairs, config.weak_beta)
        return _scaled(matching, len(said), config) + _scaled(clustering, len(video.parts), config)
    matching = match(cosines(text.parts, video.parts), apart.pairs, config.beta)
    return _scaled(matching + clustering, len(video.parts), config)


def match(scores: torch.Tensor, negative: torch.Tensor, margin: float) -> torch.Tensor:
    """Eq. 4, 5 and 14 with the sign that makes pairs match: ``sum [margin - own + other]_+`` over rows and columns.

    ``scores`` ``(K, K)`` have the pairs on their diagonal; ``negative`` ``(K, K)`` says who is whose.
    """
    own = torch.arange(len(scores), device=scores.device)
    hinges = ranking_hinges(scores, own, margin) + ranking_hinges(scores.T, own, margin)
    return (hinges * negative).sum()


def cluster(rows: torch.Tensor, apart: torch.Tensor, margin: float) -> torch.Tensor:
    """Eq. 6 and 7, likewise, of one modality: ``sum [margin - 1 + other]_+`` over ordered pairs."""
    return ((margin - 1 + cosines(rows, rows)).clamp_min(0.0) * apart).sum()


def mean_directions(embedding: Embedding, there: torch.Tensor) -> torch.Tensor:
    """Means of normalised parts ``(B, width)``, whose products are the averaged matching of Eq. 13."""
    from reelbench.plugins.layers.packing import unpack_rows

    return masked_mean(unpack_rows(functional.normalize(embedding.parts, dim=-1), there), there)


def reconstruct(
    decoder: TowerDecoder, embedding: Embedding, steps: torch.Tensor, mask: torch.Tensor, config: HSEConfig
) -> torch.Tensor:
    """``tau`` times one modality's half of Eq. 10, summed over the batch; the data to be met get no gradient."""
    there = mask.any(-1)
    parts, made = decoder(embedding.whole, mask)
    own = mask[there]  # (P, T)
    far_parts = (parts - embedding.parts.detach()).square().sum(-1)  # (P,)
    far_steps = (made - steps[there].detach()).square().sum(-1)  # (P, T)
    if config.normalise:  # the released code: plain distances, means over all rows, a second weight
        return config.tau * far_parts.sqrt().mean() + config.tau_steps * far_steps[own].sqrt().mean()
    return config.tau * (far_parts + masked_mean(far_steps.unsqueeze(-1), own).squeeze(-1)).sum()


def _scaled(loss: torch.Tensor, rows: int, config: HSEConfig) -> torch.Tensor:
    return loss / rows**2 if config.normalise else loss
