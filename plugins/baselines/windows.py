"""Windows of a video for the detection baseline: what it learns from, and what becomes of their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Example
from reelbench.plugins.layers.frames import segment_means
from reelbench.plugins.layers.segments import overlaps

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.method import Context
    from reelbench.plugins.baselines.linear import DetectSettings

TENTHS, BACKGROUND_BELOW = 10, 0.5


def for_training(example: Example, ctx: Context) -> Example:
    """The events and as many random windows, which are background where they miss every event."""
    assert example.targets is not None
    assert ctx.rng is not None
    events, labels = example.targets["segments"], example.targets["labels"]
    drawn = np.sort(ctx.rng.random((len(events), 2)), axis=1) * example["duration_s"]
    shared = overlaps(drawn, events)
    background = len(ctx.data.spaces["actions"])
    theirs = np.where(shared.max(1) < BACKGROUND_BELOW, background, labels[shared.argmax(1)])
    fields = {"windows": segment_means(example["video"], np.concatenate([events, drawn]), ctx.data.features)}
    return Example(example.id, fields, {"labels": np.concatenate([labels, theirs])})


def for_prediction(example: Example, ctx: Context) -> Example:
    """Every window of the settings' lengths, at each half of a tenth."""
    assert ctx.settings is not None
    starts = np.arange(2 * TENTHS) / (2 * TENTHS)
    runs = [(s, s + n / TENTHS) for n in ctx.settings.windows for s in starts if s + n / TENTHS <= 1 + 1e-9]
    spans = np.asarray(runs) * example["duration_s"]
    return Example(
        example.id,
        {"windows": segment_means(example["video"], spans, ctx.data.features), "spans": spans},
        None,
    )


def detect(module: Any, batch: Batch, settings: DetectSettings) -> list[list[list[float]]]:
    """Each video's best windows of each class: ``[start_s, end_s, class, score]``."""
    scores = module(batch["windows"].data).softmax(-1)[..., :-1]  # (B, W, L)
    rows = zip(batch["spans"].data.numpy(force=True), batch["spans"].lengths.tolist(), scores, strict=True)
    return [_of_video(spans[:n], table[:n], settings) for spans, n, table in rows]


def _of_video(spans: NDArray[Any], table: torch.Tensor, settings: DetectSettings) -> list[list[float]]:
    """Greedy suppression among the best windows of ``(W, L)``."""
    best = table.flatten().topk(min(8 * settings.keep, table.numel()))
    kept: list[list[float]] = []
    for score, place in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        window, label = divmod(place, table.shape[1])
        rivals = [k[:2] for k in kept if k[2] == label]
        if not rivals or overlaps(spans[window][None], np.asarray(rivals)).max() < settings.suppress:
            kept.append([*map(float, spans[window]), label, score])
    return kept[: settings.keep]
