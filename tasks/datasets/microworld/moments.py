"""Localization: queries with candidates of five-second chunks and four annotators, or with free spans."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Example
from reelbench.tasks.datasets.microworld.records import StoryRecord
from reelbench.tasks.datasets.microworld.streams import Stream, short_hash

CHUNK_S = 5.0
CHUNKS = 6
ANNOTATORS = 4
DISAGREE_PERCENT = 12
CANDIDATES = [(i, i + 1) for i in range(CHUNKS)] + [
    (i, j) for i in range(CHUNKS) for j in range(i + 2, CHUNKS + 1)
]


def moment_examples(
    story: StoryRecord, rendering: str, *, spans: bool = False
) -> Iterator[tuple[str, Example]]:
    """(cluster, query) for each clip that a sentence singles out; ids and order say nothing about which."""
    stream = story.stream("moments")
    for clip, kind, words in story.stream("asked").shuffled(story.queries()):
        exact = np.array([story.spans[clip]])
        fields = {
            "video": story.video(rendering),
            **words.fields("query"),
            "duration_s": story.spans[-1][1],
            "candidates": np.empty((0, 2)) if spans else candidates(),
            "chunk_s": 0.0 if spans else CHUNK_S,
        }
        targets = {"segments": exact if spans else _annotators(stream, story.spans[clip]), "span": exact}
        query_id = short_hash(story.corpus.seed, story.content["key"], rendering, clip, kind, length=12)
        yield story.family, Example(query_id, fields, targets)


def candidates() -> NDArray[np.float64]:
    """All runs of chunks, in seconds: ``(21, 2)``, single chunks first."""
    return np.array(CANDIDATES, np.float64) * CHUNK_S


def _annotators(stream: Stream, span: list[float]) -> NDArray[np.float64]:
    """The candidate nearest to the truth as four people see it, a few of whom are a chunk off: ``(4, 2)``."""
    best = max(CANDIDATES, key=lambda pair: _iou([CHUNK_S * side for side in pair], span))
    seen = [_off_by_one(stream, best) if stream.chance(DISAGREE_PERCENT) else best for _ in range(ANNOTATORS)]
    return np.array(seen, np.float64) * CHUNK_S


def _off_by_one(stream: Stream, pair: tuple[int, int]) -> tuple[int, int]:
    first, last = pair
    near = [(first - 1, last), (first + 1, last), (first, last - 1), (first, last + 1)]
    return stream.pick([other for other in near if other in CANDIDATES])


def _iou(one: list[float], other: list[float]) -> float:
    shared = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (max(one[1], other[1]) - min(one[0], other[0]))
