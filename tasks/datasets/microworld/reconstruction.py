"""Reconstruction: a clip's thumbnails to draw, and a sentence of it to start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Clip, Example
from reelbench.tasks.datasets.microworld.records import StoryRecord, Words
from reelbench.tasks.reconstruction import LEVELS, THUMBNAIL, frame_places

Takes = Sequence[tuple[StoryRecord, str]]
Pairs = Iterator[tuple[str, Example]]
Read = Callable[[str, Clip], NDArray[Any]]


def drawn(takes: Takes, read: Read, *, told: bool) -> Pairs:
    """Clips, or a sentence of each, with the first frame; the frames that follow are the answer."""
    for story, rendering in takes:
        for clip in range(len(story.spans)):
            shown = story.clip(rendering, clip)
            rows = read(THUMBNAIL, shown)
            frames = rows[frame_places(len(rows))].astype(np.float32) / LEVELS
            given = given_sentence(story, clip).fields("sentence") if told else {"video": shown}
            fields = {**given, "first_frame": frames[0]}
            yield story.family, Example(f"{story.id}{rendering}-{clip}", fields, {"frames": frames[1:]})


def retold(takes: Takes) -> Pairs:
    """A sentence of each clip, with its others as references; none that says the same words, unless all do."""
    for story, rendering in takes:
        for clip in range(len(story.spans)):
            given = given_sentence(story, clip)
            others = [words.text for words in story.captions(clip) if words.text != given.text]
            answers = {"references": others or [given.text]}
            fields = given.fields("sentence")
            yield story.family, Example(f"{story.id}{rendering}-{clip}", fields, answers)


def given_sentence(story: StoryRecord, clip: int) -> Words:
    """The one sentence of a clip that is given, drawn for good."""
    return story.stream("reconstruction", clip).pick(story.captions(clip))
