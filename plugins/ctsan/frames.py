"""Examples as CT-SAN reads them: frames at equal distances, words as numbers, reference concepts in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Example
from reelbench.plugins.ctsan.concepts import concept_vector
from reelbench.plugins.layers.frames import feature_moments
from reelbench.plugins.layers.sentences import caption_ids
from reelbench.plugins.layers.words import known_words

if TYPE_CHECKING:
    from reelbench.method import Context
    from reelbench.plugins.ctsan.method import CTSANConfig
    from reelbench.training.source import TrainingSource


def prepare(example: Example, ctx: Context) -> Example:
    """The video's ``maps`` and ``vectors``, ``words`` or ``choices``, and ``concepts`` where there are targets to learn from."""
    fields: dict[str, Any] = {name: example[name] for name in ("content", "blank") if name in example.fields}
    if "video" in example.fields:
        fields |= sight(example["video"], ctx.config)
    fields |= _words(example, ctx)
    if (spoken := _spoken(example)) is not None:
        fields["concepts"] = concept_vector(ctx.data.assets["concepts"], spoken)
    return Example(example.id, fields, _numbered(example.targets, ctx))


def sight(video: Mapping[str, Any], config: CTSANConfig) -> dict[str, NDArray[np.float32]]:
    """At most ``max_frames`` equidistant maps ``(N, H, W, C)``, and the vectors of the time from each to the next ``(N, D)``."""
    maps = video[config.map]
    count = min(config.max_frames, len(maps))
    seen = {"maps": maps[np.arange(count) * len(maps) // count]}
    if config.vectors:
        seen["vectors"] = np.concatenate([window_means(video[name], count) for name in config.vectors], 1)
    return seen


def window_means(rows: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Means of ``count`` equal stretches of rows ``(T, D)``; of fewer rows than stretches, the row where each begins."""
    first = np.arange(count) * len(rows) // count
    if len(rows) < count:
        return rows[first]
    lengths = np.diff(first, append=len(rows))[:, None]
    return np.asarray(np.add.reduceat(rows, first) / lengths, dtype=np.float32)


def vector_moments(source: TrainingSource, config: CTSANConfig) -> dict[str, Any]:
    """Moments of the vectors, which stand after the map; none where there are no vectors."""
    if not config.vectors:
        return {}
    channels = source.features[config.map].dim
    return {name: values[channels:] for name, values in feature_moments(source, "captions").items()}


def _words(example: Example, ctx: Context) -> dict[str, Any]:
    """Numbers of a sentence or query between its marks (captions), with its unknown words (blanks), or without."""
    vocabulary, longest = ctx.data.assets["vocabulary"], ctx.config.max_words
    if "choices" in example.fields:
        return {"choices": [known_words(vocabulary, choice, longest) for choice in example["choices"]]}
    text: Sequence[str] | None = example.fields.get("sentence", example.fields.get("query"))
    if text is None:
        return {}
    if ctx.recipe == "captions":
        return {"words": caption_ids(vocabulary, text, longest)}
    if ctx.recipe == "blanks":
        return {"words": vocabulary.encode(text)}
    return {"words": known_words(vocabulary, text, longest)}


def _spoken(example: Example) -> tuple[str, ...] | None:
    """The true words of a training example: its sentence with the answer, or the right choice."""
    targets = example.targets or {}
    if "choices" in example.fields:
        return example["choices"][int(targets["answer"])] if "answer" in targets else None
    if "blank" in example.fields:
        return (*example["sentence"], targets["answer"]) if "answer" in targets else None
    return example.fields.get("sentence")


def _numbered(targets: Mapping[str, Any] | None, ctx: Context) -> Mapping[str, Any] | None:
    """Targets with a blank's answer as its index, −100 where the label space lacks it."""
    if targets is None or ctx.recipe != "blanks":
        return targets
    answers = ctx.data.spaces["answers"]
    return {"answer": answers.index(targets["answer"]) if targets["answer"] in answers else -100}
