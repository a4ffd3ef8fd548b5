"""What nearest neighbours vote with: tables of the training set, and votes turned into predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from reelbench.plugins.baselines.gaze_maps import density
from reelbench.plugins.layers.frames import mean_frame, segment_means
from reelbench.plugins.layers.words import training_vocabulary

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.data import Clip, Example
    from reelbench.method import Context
    from reelbench.training.source import TrainingSource

Clips = Sequence[Sequence["Example"]]
"""The rows of each training clip."""


def clip_means(example: Example, ctx: Context) -> NDArray[np.float32]:
    """Standardised mean features of an example's clips: ``(n, D)``, ``n`` of 1 for a single clip."""
    features, moments = ctx.data.features, ctx.data.assets["moments"]
    if "videos" in example.fields:
        rows = np.stack([mean_frame(v, tuple(features)) for v in example["videos"]])
    elif "segments" in example.fields:
        rows = segment_means(example["video"], example["segments"], features)
    else:
        rows = mean_frame(example["video"], tuple(features))[None]
    return (rows - moments["mean"]) / moments["scale"]


def tf_idf(texts: Sequence[Sequence[str]], assets: Mapping[str, Any]) -> NDArray[np.float32]:
    """Unit tf-idf vectors of texts: ``(n, V)``."""
    rows = np.zeros((len(texts), len(assets["vocabulary"])), np.float32)
    for row, text in zip(rows, texts, strict=True):
        np.add.at(row, assets["vocabulary"].encode(text), 1.0)
    rows *= assets["rarity"]
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


# --- tables of the training set ---------------------------------------------------------------------------------


def by_clip(rows: Iterable[Example]) -> dict[Clip, list[Example]]:
    """A relation's rows by the clip that they are about, in its order: a clip has a row for each of its captions."""
    found: dict[Clip, list[Example]] = {}
    for row in rows:
        found.setdefault(row["video"], []).append(row)
    return found


def _collect_captions(source: TrainingSource, clips: Clips) -> Mapping[str, Any]:
    sentences = [e["sentence"] for rows in clips for e in rows]
    vocabulary = training_vocabulary(source, "captions", "sentence", 1)
    present = np.zeros(len(vocabulary))
    for sentence in sentences:
        present[np.unique(vocabulary.encode(sentence))] += 1
    rarity = np.log((1 + len(sentences)) / (1 + present)).astype(np.float32)
    known = {"vocabulary": vocabulary, "rarity": rarity}
    captions = [tf_idf([e["sentence"] for e in rows], known).mean(0) for rows in clips]
    return known | {
        "sentences": [" ".join(rows[0]["sentence"]) for rows in clips],
        "captions": np.stack(captions),
    }


def _collect_tags(source: TrainingSource, clips: Clips) -> Mapping[str, Any]:
    hot = np.zeros((len(clips), len(source.spaces["tags"])), np.float32)
    for row, examples in zip(hot, clips, strict=True):
        for example in examples:
            row[(example.targets or {})["labels"]] = 1.0
    return {"tags": hot}


def _collect_actions(source: TrainingSource, clips: Clips) -> Mapping[str, Any]:
    one_hot = np.eye(len(source.spaces["actions"]), dtype=np.float32)
    return {
        "actions": np.stack(
            [one_hot[[int((e.targets or {})["label"]) for e in rows]].mean(0) for rows in clips]
        )
    }


def _collect_gaze(source: TrainingSource, clips: Clips) -> Mapping[str, Any]:
    fixations = ([f for e in rows for f in (e.targets or {})["fixations"]] for rows in clips)
    return {"maps": np.stack([density(np.concatenate(found)).ravel() for found in fixations])}


COLLECT: Mapping[str, Callable[[Any, Any], Mapping[str, Any]]] = {
    "captions": _collect_captions,
    "tags": _collect_tags,
    "actions": _collect_actions,
    "gaze": _collect_gaze,
}


# --- votes ------------------------------------------------------------------------------------------------------


def nearest(clips: torch.Tensor, ctx: Context, count: int) -> torch.Tensor:
    """Numbers of the ``count`` nearest training clips of each row: ``(..., D)`` to ``(..., count)``."""
    means = torch.as_tensor(ctx.data.assets["means"], device=clips.device)
    distances = torch.cdist(clips.flatten(0, -2), means)
    return distances.topk(min(count, len(means)), largest=False).indices.view(*clips.shape[:-1], -1)


def neighbours_mean(clips: Padded, table: str, ctx: Context) -> torch.Tensor:
    """The mean of the neighbours' rows of a table ``(n, V)``, for each clip: ``(B, N, V)``."""
    rows = torch.as_tensor(ctx.data.assets[table], device=clips.data.device)
    return rows[nearest(clips.data, ctx, ctx.config.neighbours)].mean(-2)


def _mean_of(table: str) -> Callable[[Batch, Context], Mapping[str, Any]]:
    return lambda batch, ctx: {"scores": neighbours_mean(batch["clips"], table, ctx)[:, 0]}


def _quote(batch: Batch, ctx: Context) -> list[list[str]]:
    sentences, chosen = ctx.data.assets["sentences"], nearest(batch["clips"].data, ctx, 1).squeeze(-1)
    return [
        [sentences[i] for i in row[:n].tolist()]
        for row, n in zip(chosen, batch["clips"].lengths.tolist(), strict=True)
    ]


def _choose(batch: Batch, ctx: Context) -> Mapping[str, Any]:
    captions = neighbours_mean(batch["clips"], "captions", ctx)  # (B, 1, V)
    return {"scores": (batch["texts"].data * captions).sum(-1)}


def _maps(batch: Batch, ctx: Context) -> Mapping[str, Any]:
    side = int(np.sqrt(ctx.data.assets["maps"].shape[1]))
    maps = neighbours_mean(batch["clips"], "maps", ctx).view(len(batch), 1, side, side)
    return {"maps": maps.expand(-1, int(batch["frames"].max()), -1, -1)}


ANSWER: Mapping[str, Callable[[Any, Any], Mapping[str, Any]]] = {
    "captioning": lambda batch, ctx: {"caption": [row[0] for row in _quote(batch, ctx)]},
    "storytelling": lambda batch, ctx: {"captions": _quote(batch, ctx)},
    "multiple_choice": _choose,
    "tagging": _mean_of("tags"),
    "action_recognition": _mean_of("actions"),
    "gaze": _maps,
}
