"""Eq. 9 on batches, and what is predicted: the tensors between a batch and the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch

from reelbench.plugins.layers.decoding import search
from reelbench.plugins.layers.sentences import word_loss
from reelbench.plugins.slr.model import MEDIA, SLR, FrameDecoder, Medium, SentenceDecoder, Star
from reelbench.tasks.reconstruction import FRAMES
from reelbench.vocabulary import END, START

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelbench.batching import Batch
    from reelbench.method import Context

KEPT = torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
"""Rows: both media, the video alone, the sentence alone; columns as in ``MEDIA``."""


def total(model: SLR, batch: Batch, ctx: Context) -> dict[str, torch.Tensor]:
    """Eq. 9, summed over stars, and its three terms."""
    weights = {
        "video": ctx.config.video_weight,
        "sentence": ctx.config.sentence_weight,
        "prior": ctx.config.prior_weight,
    }
    terms: dict[str, torch.Tensor] = {}
    for star in cast("Iterable[Star]", model.stars.values()):
        for name, term in of_star(star, batch, ctx, model.pad).items():
            terms[name] = terms[name] + term if name in terms else term
    loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
    return {"loss": loss, **terms}


def of_star(star: Star, batch: Batch, ctx: Context, pad: int) -> dict[str, torch.Tensor]:
    """The terms of one star: ``video``, ``sentence`` (those it puts out) and ``prior``."""
    media = {medium: arguments for medium, arguments in shown(batch).items() if medium in star.inputs}
    kept = draw_kept(ctx, len(batch)) if len(star.inputs) > 1 else None
    z, divergence = star.latent(star.encode(media, kept), ctx.generator)
    terms = {"prior": divergence.mean()}
    if "sentence" in star.decoders:
        words = batch["said"].data  # (B, T + 1)
        terms["sentence"] = word_loss(star.decoders["sentence"](z, words[:, :-1]), words, pad)
    if "video" in star.decoders:
        frames = batch["frames"].data.flatten(2)  # (B, F + 1, P)
        drawn = star.decoders["video"](z, frames[:, 0], frames.shape[1] - 1)
        terms["video"] = frame_loss(drawn, frames[:, 1:])
    return terms


def frame_loss(drawn: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """The squared Euclidean distance of frames ``(B, F, P)``, the mean over frames and clips."""
    return (drawn - true).square().sum(2).mean()


def shown(batch: Batch) -> dict[Medium, tuple[torch.Tensor, ...]]:
    """The media of a batch, as arguments of their encoders."""
    media: dict[Medium, tuple[torch.Tensor, ...]] = {}
    if "sentence" in batch:
        media["sentence"] = batch["sentence"].data, batch["sentence"].lengths
    if "video" in batch:
        media["video"] = (batch["video"].data,)
    return media


def draw_kept(ctx: Context, rows: int) -> torch.Tensor:
    """Which media each row keeps ``(rows, 2)``, drawn by the phase's chances."""
    assert ctx.phase is not None
    chances = torch.tensor(getattr(ctx.config, f"{ctx.phase.name}_inputs"))
    device = ctx.generator.device if ctx.generator is not None else "cpu"
    chosen = torch.multinomial(chances.to(device), rows, replacement=True, generator=ctx.generator)
    return KEPT.to(chosen.device)[chosen].to(ctx.device)


def predicted(model: SLR, batch: Batch, ctx: Context) -> Mapping[str, Any]:
    """The frames that follow the first ``(B, F, H, W, 3)`` where there is a first, a sentence each otherwise."""
    media = shown(batch)
    target: Medium = "video" if "first_frame" in batch else "sentence"
    star = model.star(next(m for m in MEDIA if m in media), target)
    z, _ = star.latent(star.encode(media))
    if target == "video":
        first = batch["first_frame"].data  # (B, H, W, 3)
        drawn = cast("FrameDecoder", star.decoders["video"])(z, first.flatten(1), FRAMES - 1).clamp(0, 1)
        return {"frames": drawn.view(len(first), -1, *first.shape[1:])}
    return {"caption": speak(cast("SentenceDecoder", star.decoders["sentence"]), z, ctx)}


def speak(decoder: SentenceDecoder, z: torch.Tensor, ctx: Context) -> list[str]:
    """The likeliest sentence of each ``z`` ``(B, Z)``."""
    vocabulary = ctx.data.assets["vocabulary"]
    first = torch.full((len(z),), vocabulary.index[START], device=z.device)
    said = search(decoder.step, decoder.first_state(z), first, vocabulary.index[END], ctx.settings)
    return [" ".join(vocabulary.decode(words)) for words in said]
