"""Eq. 4 to 14 on a batch: the high level, the low level under strong or weak correspondence, reconstruction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from reelbench.plugins.hse.model import Embedding, Matcher, TowerDecoder, cosines
from reelbench.plugins.layers.pooling import masked_mean
from reelbench.plugins.layers.ranking import ranking_hinges

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.plugins.hse.method import HSEConfig


def total(module: Matcher, batch: Batch, config: HSEConfig) -> dict[str, torch.Tensor]:
    """Eq. 11: ``high + low + tau reconstruct``, and each of them by its name."""
    frames, words = batch["frames"], batch["words"]
    video, text = module.videos(frames), module.texts(words)
    losses = {"high": high_level(video, text, config)}
    if config.hierarchy and config.low_level != "none":
        losses["low"] = low_level(video, text, frames, words, config)
    if module.video_decoder is not None and module.text_decoder is not None:
        losses["reconstruct"] = reconstruct(
            module.video_decoder, video, module.standardise(frames.data), frames.mask, config
        ) + reconstruct(module.text_decoder, text, module.embed(words.data), words.mask, config)
    return {"loss": torch.stack(list(losses.values())).sum(), **losses}


def high_level(video: Embedding, text: Embedding, config: HSEConfig) -> torch.Tensor:
    """Eq. 12: videos and paragraphs; their contexts too, where there are (released code)."""
    loss = match(cosines(text.whole, video.whole), config.alpha) + cluster(
        video.whole, text.whole, config.gamma
    )
    if video.context is not None and text.context is not None:
        loss = loss + match(cosines(text.context, video.context), config.alpha)
    return _scaled(loss, len(video.whole), config)


def low_level(
    video: Embedding, text: Embedding, frames: Padded, words: Padded, config: HSEConfig
) -> torch.Tensor:
    """Eq. 12: clips and sentences, pair by pair (Eq. 5) or as far as their wholes are a pair (Eq. 14)."""
    clustering = cluster(video.parts, text.parts, config.eta)
    if config.low_level == "weak":
        means = [mean_directions(e, p.mask.any(-1)) for e, p in ((text, words), (video, frames))]
        matching = match(means[0] @ means[1].T, config.weak_beta)
        return _scaled(matching, len(means[0]), config) + _scaled(clustering, len(video.parts), config)
    matching = match(cosines(text.parts, video.parts), config.beta)
    return _scaled(matching + clustering, len(video.parts), config)


def match(scores: torch.Tensor, margin: float) -> torch.Tensor:
    """Eq. 4, 5 and 14 with the sign that makes pairs match: ``sum [margin - own + other]_+`` over rows and columns.

    ``scores`` ``(K, K)`` have the pairs on their diagonal.
    """
    own = torch.arange(len(scores), device=scores.device)
    return ranking_hinges(scores, own, margin).sum() + ranking_hinges(scores.T, own, margin).sum()


def cluster(videos: torch.Tensor, texts: torch.Tensor, margin: float) -> torch.Tensor:
    """Eq. 6 and 7, likewise: ``sum [margin - 1 + other]_+`` over ordered pairs of one modality."""
    return _spread(videos, margin) + _spread(texts, margin)


def _spread(rows: torch.Tensor, margin: float) -> torch.Tensor:
    hinges = (margin - 1 + cosines(rows, rows)).clamp_min(0.0)
    return hinges.sum() - hinges.diagonal().sum()


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
