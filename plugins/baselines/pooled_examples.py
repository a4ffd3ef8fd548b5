"""Examples as the mean-pool baseline reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from reelbench.data import Example
from reelbench.plugins.baselines.identities import clips_of, mention_windows, track_means
from reelbench.plugins.baselines.video_only import answer_number
from reelbench.plugins.layers.frames import mean_frame

if TYPE_CHECKING:
    from reelbench.method import Context


def _blank(example: Example, ctx: Context) -> Example:
    words = ctx.data.assets["vocabulary"].encode(example["sentence"])
    fields = {
        "video": mean_frame(example["video"], tuple(ctx.data.features)),
        "words": words,
        "blank": int(example["blank"]),
    }
    return Example(example.id, fields, answer_number(example.targets, ctx))


def _caption(example: Example, ctx: Context) -> Example:
    """Clips' means ``(n, D)``; in training the sentence between its marks."""
    videos = example["videos"] if "videos" in example.fields else [example["video"]]
    fields = {"clips": np.stack([mean_frame(v, tuple(ctx.data.features)) for v in videos])}
    if "sentence" in example.fields:
        fields["words"] = ctx.data.assets["vocabulary"].encode(example["sentence"], ends=True)
    return Example(example.id, fields, example.targets)


def _set(example: Example, ctx: Context) -> Example:
    fields = {
        "tracks": track_means(example, tuple(ctx.data.features)),
        "track_clip": np.asarray(example["track_clip"], dtype=np.int64),
        "windows": mention_windows(example, ctx.data.assets["vocabulary"]),
        "mention_clip": clips_of(example["mentions"]),
    }
    return Example(example.id, fields, example.targets)


PREPARE: Mapping[str, Callable[[Example, Context], Example]] = {
    "blanks": _blank,
    "captions": _caption,
    "sets": _set,
}
