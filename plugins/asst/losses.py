"""Between batches and the network: windows as rows, the losses of both models, and what late fusion learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch.nn import functional

from reelbench.plugins.asst import spans
from reelbench.plugins.asst.model import ASST, REGRESSION, Fusion

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.method import Context

Network = ASST | Fusion
ABSENT = -1e9  # the score of a candidate that is only padding


def classify(network: Network, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
    """The classification model: cross-entropy over an example's clips, one agreeing annotator's drawn at each visit."""
    assert batch.targets is not None
    chosen = batch.targets["chosen"]
    drawn = torch.multinomial(chosen.mask.float(), 1, generator=generator)  # (B, 1)
    return functional.nll_loss(clip_scores(network, batch), chosen.data.gather(1, drawn).squeeze(1))


def clip_scores(network: Network, batch: Batch) -> torch.Tensor:
    """Logarithms of the softmax over each example's clips: ``(B, K)``."""
    mask = batch["clips"].mask
    scores = [out.squeeze(-1).masked_fill(~mask, ABSENT).log_softmax(-1) for out in outputs(network, batch)]
    return network.weigh_logarithms(scores) if isinstance(network, Fusion) else scores[0]


def detect(network: Network, batch: Batch) -> Mapping[str, torch.Tensor]:
    """The detection model: cross-entropy of sampled clips, and smooth L1 of the positive ones' deviations."""
    assert batch.targets is not None
    label, valid = batch.targets["label"].data, batch.targets["label"].mask
    scores, offsets = detections(network, batch)
    background = scores.shape[-1] - 1
    found = valid & (label >= 0)
    wanted = torch.where(label < 0, background, label)[valid]
    presence = functional.nll_loss(scores[valid], wanted)
    distance = functional.smooth_l1_loss(
        offsets[found], batch.targets["offset"].data[found], reduction="sum"
    ) / found.sum().clamp_min(1)
    return {"loss": presence + distance, "presence": presence, "offset": distance}


def detections(network: Network, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Logarithms of probabilities ``(R, K, classes + 1)`` and deviations ``(R, K, 2)`` of every window's clips."""
    outs = outputs(network, batch)
    scores = [out[..., :-REGRESSION].log_softmax(-1) for out in outs]
    offsets = [out[..., -REGRESSION:] for out in outs]
    if isinstance(network, Fusion):
        return network.weigh_logarithms(scores), network.weigh(offsets)
    return scores[0], offsets[0]


def outputs(network: Network, batch: Batch) -> list[torch.Tensor]:
    """Each member's outputs for each window ``(R, K, outputs)``; windows of a video follow each other."""
    frames, clips = cast("Padded", batch["frames"]), cast("Padded", batch["clips"])
    windows = frames.data.shape[1]
    words = batch.fields.get("words")
    out = network(
        frames.data.flatten(0, 1),
        frames.mask.flatten(0, 1),
        None if words is None else words.data.repeat_interleave(windows, 0),
        None if words is None else words.mask.repeat_interleave(windows, 0),
        clips.data.repeat_interleave(windows, 0),
    )
    return out if isinstance(out, list) else [out]


def predict(network: Network, batch: Batch, ctx: Context) -> Mapping[str, Any]:
    """The task's column for a batch."""
    if ctx.config.head == "candidates":
        scores = clip_scores(network, batch).exp().numpy(force=True)
        candidates = batch["candidates"]
        rows = zip(candidates.data.numpy(force=True), candidates.lengths.tolist(), scores, strict=True)
        return {"segments": [spans.rank_candidates(c[:n], s[:n]) for c, n, s in rows]}
    scores, offsets = (x.numpy(force=True) for x in detections(network, batch))
    likely = np.exp(scores[..., :-1])  # (B N, S, classes)
    found = spans.spans_in_seconds(batch, offsets, ctx.config.window_s)
    pooled = likely.reshape(len(found), -1, likely.shape[-1])  # (B, N S, classes)
    pairs = [(span, score[: len(span)]) for span, score in zip(found, pooled, strict=True)]
    if ctx.config.head == "events":
        return {"detections": [spans.best_detections(*pair, ctx.settings) for pair in pairs]}
    return {"segments": [spans.best_spans(span, score[:, 0], ctx.settings) for span, score in pairs]}
