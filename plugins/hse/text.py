"""What HSE reads and writes, between a dataset's tokens and a network's numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.layers.frames import sample_frames
from reelbench.plugins.layers.segment_frames import segment_frames
from reelbench.plugins.layers.sentences import caption_ids
from reelbench.plugins.layers.word_vectors import cooccurrence_vectors, nearest_spelling, read_vectors
from reelbench.plugins.layers.words import known_words, training_vocabulary
from reelbench.vocabulary import END, SPECIALS, START, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reelbench.batching import Padded
    from reelbench.data import Example
    from reelbench.method import Context
    from reelbench.plugins.hse.method import HSEConfig
    from reelbench.plugins.hse.model import Captioner
    from reelbench.training.source import TrainingSource


def matching_words(source: TrainingSource, config: HSEConfig) -> dict[str, Any]:
    """The words of stories and corpus, their vectors ``(V, word)``, and the names of actions in such words."""
    names = [name.split() for name in source.spaces.get("actions", ())]
    texts = [s for relation in ("stories", config.corpus) for e in source.relation(relation) for s in e["sentences"]]
    vocabulary = Vocabulary.from_sentences(texts, min_count=config.min_count)
    vectors = cooccurrence_vectors(texts, vocabulary, config.word)
    known = [w for w in vocabulary.words if w not in SPECIALS]
    spelled = {w: w if w in vocabulary.index else nearest_spelling(w, known) for name in names for w in name}
    return {
        "vocabulary": vocabulary,
        "vectors": vectors,
        "labels": [vocabulary.encode([spelled[w] for w in name]) for name in names],
    }


def caption_words(source: TrainingSource, config: HSEConfig) -> Vocabulary:
    """The words that a captioner can write."""
    return training_vocabulary(source, "captions", "sentence", config.caption_min_count)


def prepare_fields(example: Example, ctx: Context) -> dict[str, Any]:
    """Of whatever an example has: frames of each clip, words of each sentence, a caption between its marks."""
    fields: dict[str, Any] = {}
    if "video" in example.fields:
        fields["frames"] = _frames(example, ctx)
    if "sentences" in example.fields:
        vocabulary, limit = ctx.data.assets["vocabulary"], ctx.config.max_words
        fields["words"] = [known_words(vocabulary, s, limit) for s in example["sentences"]]
    if "sentence" in example.fields and ctx.recipe == "caption":
        fields["caption"] = caption_ids(ctx.data.assets["caption_words"], example["sentence"], ctx.config.max_words)
    return fields


def _frames(example: Example, ctx: Context) -> list[NDArray[np.float32]]:
    video, specs, limit = example["video"], ctx.data.features, ctx.config.max_frames
    if "segments" in example.fields:
        return segment_frames(video, np.asarray(example["segments"]), specs, limit)
    return [sample_frames(video, tuple(specs), limit)]


def write(module: Captioner, frames: Padded, ctx: Context) -> list[str]:
    """A caption a clip, by beam search."""
    import torch

    from reelbench.plugins.layers.decoding import beam

    vocabulary = ctx.data.assets["caption_words"]
    first = torch.full((len(frames.data),), vocabulary.index[START], device=frames.data.device)
    said = beam(module.step, module.begin(frames), first, vocabulary.index[END], ctx.settings.longest, ctx.settings.beam)
    return [" ".join(vocabulary.decode(ids)) for ids in said]
