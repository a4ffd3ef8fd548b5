"""What HSE reads and writes, between a dataset's tokens and a network's numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Clip, Example
from reelbench.plugins.layers.frames import sample_frames
from reelbench.plugins.layers.segment_frames import cut
from reelbench.plugins.layers.sentences import caption_ids
from reelbench.plugins.layers.word_vectors import cooccurrence_vectors, nearest_spelling, read_vectors
from reelbench.plugins.layers.words import known_words, training_vocabulary
from reelbench.vocabulary import END, SPECIALS, START, Vocabulary

if TYPE_CHECKING:
    from reelbench.batching import Padded
    from reelbench.data import Relation
    from reelbench.method import Context
    from reelbench.plugins.hse.method import HSEConfig
    from reelbench.plugins.hse.model import Captioner
    from reelbench.training.source import TrainingSource


def matching_words(source: TrainingSource, config: HSEConfig) -> dict[str, Any]:
    """The words of stories and corpus, their vectors ``(V, word)``, and the names of actions in such words.

    A name's word that the vocabulary lacks is read as the one it is spelled like (``walk`` as ``walks``).
    """
    relations = ("stories", *([config.corpus] if config.corpus else []))
    texts = [s for relation in relations for e in source.relation(relation) for s in e["sentences"]]
    names = [name.split() for name in source.spaces.get("actions", ())]
    vocabulary = Vocabulary.from_sentences(texts, min_count=config.min_count)
    if config.vectors is None:
        vectors = cooccurrence_vectors(texts, vocabulary, config.word)
    else:
        vocabulary, vectors = vectors_and_names(Path(config.vectors), vocabulary, names, config.word)
    return {"vocabulary": vocabulary, "vectors": vectors, "labels": label_ids(names, vocabulary)}


def vectors_and_names(
    path: Path, vocabulary: Vocabulary, names: Iterable[Sequence[str]], width: int
) -> tuple[Vocabulary, NDArray[np.float32]]:
    """The vocabulary with those words of names that the file has, and vectors ``(V, width)``, zero where it has none."""
    named = sorted({word for name in names for word in name} - set(vocabulary.words))
    found = read_vectors(path, [*vocabulary.words, *named], width, "hse")
    extended = Vocabulary((*vocabulary.words, *(w for w in named if w in found)))
    zero = np.zeros(width, np.float32)
    return extended, np.stack([found.get(word, zero) for word in extended.words])


def label_ids(names: Iterable[Sequence[str]], vocabulary: Vocabulary) -> list[NDArray[np.int64]]:
    """The names of actions as numbers, one array a name."""
    known = [word for word in vocabulary.words if word not in SPECIALS]
    return [
        vocabulary.encode([w if w in vocabulary.index else nearest_spelling(w, known) for w in name])
        for name in names
    ]


def caption_words(source: TrainingSource, config: HSEConfig) -> Vocabulary:
    """The words that a captioner can write."""
    return training_vocabulary(source, "captions", "sentence", config.caption_min_count)


def captions_of_videos(source: TrainingSource) -> dict[str, list[list[int]]]:
    """For each video, its captioned clips in order: the rows of ``captions`` that describe each."""
    rows: dict[str, dict[float, list[int]]] = {}
    for row, example in enumerate(source.relation("captions")):
        clip = example["video"]
        rows.setdefault(clip.video, {}).setdefault(clip.start_s, []).append(row)
    return {video: [clips[start] for start in sorted(clips)] for video, clips in rows.items()}


def contents_of_clips(source: TrainingSource) -> dict[str, str]:
    """What is on each captioned clip: another rendering of the same has the same."""
    return {_place(e["video"]): e["content"] for e in source.relation("captions") if "content" in e.fields}


def compose(example: Example, source: Relation, ctx: Context) -> Example:
    """A story of the captions of a video: its clips in order, each with one of its captions by chance."""
    assert ctx.rng is not None
    clips = ctx.data.assets["captions"][example["video"].video]
    chosen = [source[rows[int(ctx.rng.integers(len(rows)))]] for rows in clips]
    fields = {"videos": [c["video"] for c in chosen], "sentences": [c["sentence"] for c in chosen]}
    return Example(example.id, fields, example.targets)


def as_trained_on(story: Example, ctx: Context) -> Example:
    """Clips and sentences of a story, not its whole video again, and what each clip shows, as far as is known."""
    contents = ctx.data.assets.get("contents", {})
    shown = [contents.get(place := _place(clip), place) for clip in story["videos"]]
    fields = {"videos": story["videos"], "sentences": story["sentences"], "shown": shown}
    return Example(story.id, fields, story.targets)


def _place(clip: Clip) -> str:
    return f"{clip.video} {clip.start_s} {clip.end_s}"


def prepare_fields(example: Example, ctx: Context) -> dict[str, Any]:
    """Of whatever an example has: frames of each clip, words of each sentence, a caption between its marks."""
    fields: dict[str, Any] = {}
    if frames := _frames(example, ctx):
        fields["frames"] = frames
    if "sentences" in example.fields:
        vocabulary, limit = ctx.data.assets["vocabulary"], ctx.config.max_words
        fields["words"] = [known_words(vocabulary, s, limit) for s in example["sentences"]]
    if "shown" in example.fields:
        fields["shown"], fields["said"] = example["shown"], [" ".join(s) for s in example["sentences"]]
    if ctx.recipe == "caption" and "sentence" in example.fields:
        fields["caption"] = caption_ids(
            ctx.data.assets["caption_words"], example["sentence"], ctx.config.max_words
        )
    return fields


def _frames(example: Example, ctx: Context) -> list[NDArray[np.float32]]:
    """Frames ``(N, D)`` of each clip there is: given ones, a video's segments, or the one clip of an example."""
    if "videos" in example.fields:
        clips = example["videos"]
    elif "segments" in example.fields:
        clips = cut(example["video"], np.asarray(example["segments"]), ctx.data.features)
    else:
        clips = [example["video"]] if "video" in example.fields else []
    return [_thinned(clip, ctx) for clip in clips]


def _thinned(clip: Mapping[str, Any], ctx: Context) -> NDArray[np.float32]:
    """One frame of ``frame_step``, at least ``min_frames`` of those there are, at most ``max_frames``: ``(N, D)``."""
    config, frames = ctx.config, max(len(clip[name]) for name in ctx.data.features)
    limit = min(config.max_frames, max(config.min_frames, math.ceil(frames / config.frame_step)))
    return sample_frames(clip, tuple(ctx.data.features), limit)


def write(module: Captioner, frames: Padded, ctx: Context) -> list[str]:
    """A caption a clip, by beam search."""
    import torch

    from reelbench.plugins.layers.decoding import search

    vocabulary = ctx.data.assets["caption_words"]
    first = torch.full((len(frames.data),), vocabulary.index[START], device=frames.data.device)
    said = search(module.step, module.begin(frames), first, vocabulary.index[END], ctx.settings)
    return [" ".join(vocabulary.decode(ids)) for ids in said]
