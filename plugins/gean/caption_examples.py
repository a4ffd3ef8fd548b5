"""Clips and sentences as the captioner reads them: maps, what stands beside them, and which frames fill a pool. Numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Example

if TYPE_CHECKING:
    from reelbench.method import Context
    from reelbench.plugins.gean.method import GEANConfig
    from reelbench.training.source import TrainingSource

CELLS = 49


def pool_places(frames: int, longest: int) -> NDArray[np.int64]:
    """Which frames fill a pool of ``longest`` (§3.3.3): all, again from the first, or equidistant ones: ``(longest,)``."""
    places = np.arange(longest)
    return places % frames if frames <= longest else places * frames // longest


def part_means(rows: NDArray[np.float32], parts: int) -> NDArray[np.float32]:
    """Means of rows ``(T, D)`` over ``parts`` equal parts ``(parts, D)``; a part without a row has the one before it."""
    first = np.arange(parts) * len(rows) // parts
    counts = np.maximum(np.diff(np.append(first, len(rows))), 1)
    return (np.add.reduceat(rows, first, axis=0) / counts[:, None]).astype(np.float32)


def prepare_caption(example: Example, ctx: Context) -> Example:
    """Pools' ingredients and, in training, the sentence."""
    from reelbench.plugins.layers.sentences import caption_ids

    config, video = ctx.config, example["video"]
    fields = _pools(video, config)
    if config.gaze == "random":
        assert ctx.rng is not None
        fields["random_cells"] = ctx.rng.integers(CELLS, size=len(video[config.maps]))
    if "sentence" in example.fields:
        vocabulary = ctx.data.assets["vocabulary"]
        fields["words"] = caption_ids(vocabulary, example["sentence"], config.max_words)
    return Example(example.id, fields, None if example.targets is None else {})


def _pools(video: Mapping[str, Any], config: GEANConfig) -> dict[str, Any]:
    """``maps`` (T, 7, 7, C), ``beside`` (T, E), ``scene`` (N, D) and the places of a pool's frames among map rows."""
    maps, lengths = video[config.maps], config.pool_lengths
    beside = [part_means(video[m], len(maps)) for m in config.beside]
    scene = video[config.scene]
    return {
        "maps": maps,
        "beside": np.concatenate(beside, axis=1) if beside else np.zeros((len(maps), 0), np.float32),
        "scene": scene[pool_places(len(scene), lengths.scene)],
        "motion_places": pool_places(len(maps), lengths.motion),
        "fovea_places": pool_places(len(maps), lengths.fovea),
    }


def pool_moments(source: TrainingSource, config: GEANConfig) -> dict[str, Any]:
    """Moments of each pool's features; those of maps are of their averages over cells."""
    from reelbench.plugins.layers.frames import feature_moments

    both = feature_moments(source, "captions")
    return {
        name: {k: np.concatenate([both[k][s] for s in _columns(source.features, of)]) for k in both}
        for name, of in {
            "scene": (config.scene,),
            "motion": (config.maps, *config.beside),
            "fovea": (config.maps,),
        }.items()
    }


def _columns(features: Mapping[str, Any], modalities: Sequence[str]) -> list[slice]:
    """Where modalities stand among all features side by side."""
    starts = np.cumsum([0, *(spec.shape[-1] for spec in features.values())])
    names = list(features)
    return [slice(starts[names.index(m)], starts[names.index(m) + 1]) for m in modalities]
