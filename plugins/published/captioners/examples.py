"""Clips and sentences as the captioners read them. Numpy only: this runs while examples are prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reelbench.data import Example
from reelbench.plugins.layers.frames import even_frames
from reelbench.plugins.layers.sentences import caption_ids

if TYPE_CHECKING:
    from reelbench.method import Context


def prepare(example: Example, ctx: Context) -> Example:
    """Lists, one entry a clip: ``frames`` ``(F, D)``, in training ``words`` ``(T + 2,)``, and what gaze is read from."""
    config, vocabulary = ctx.config, ctx.data.assets["vocabulary"]
    videos = example["videos"] if "videos" in example.fields else [example["video"]]
    # without gaze the cells of maps count alike, so that maps are read as any modality
    read = tuple(m for m in ctx.data.features if not (config.gaze and m == config.maps))
    fields: dict[str, Any] = {"frames": [even_frames(v, read, config.frames) for v in videos]}
    if config.gaze:
        fields["maps"] = [v[config.maps] for v in videos]
        fields["map_rows"] = [
            np.arange(config.frames) * len(maps) // config.frames for maps in fields["maps"]
        ]
    told = _sentences(example.fields)
    if told:
        fields["words"] = [caption_ids(vocabulary, s, config.max_words) for s in told]
    return Example(example.id, fields, None if example.targets is None else {})


def _sentences(fields: Mapping[str, Any]) -> list[Any]:
    return (
        fields["sentences"] if "sentences" in fields else [fields["sentence"]] if "sentence" in fields else []
    )
