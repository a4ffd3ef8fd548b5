"""Simulated gaze: several viewers follow who and what the event is about, late and not quite.

Called simulated wherever it is shown. A viewer looks mostly at the actor's head or at the object that takes part,
sometimes at another person, rarely anywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.script import NOBODY, Event, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.staging import FRAME_SIZE, OFFSCREEN, Stage
from reelbench.tasks.datasets.microworld.streams import Stream

VIEWERS = 5
GAZE_FRAMES = 8
LAG_FRAMES = 1
NOISE_PIXELS = 4
HEAD = (8, 6)
MIDDLE = (5, 5)
GAZE_PERCENT = {"train": 50, "validation": 50, "test": 34}


def is_watched(corpus: Corpus, story: Story) -> bool:
    """Whether viewers were shown this story."""
    percent = GAZE_PERCENT.get(story.key.split("/")[0], 0)
    return Stream(corpus.seed, story.key, "watched").chance(percent)


def frame_times(event: Event) -> NDArray[np.int64]:
    """The frames of a clip for which gaze is kept, evenly spaced: the middles of equal parts."""
    parts = np.arange(2 * GAZE_FRAMES)[1::2]
    return event.first + parts * (event.last - event.first) // (2 * GAZE_FRAMES)


def watch(corpus: Corpus, story: Story, stage: Stage, clip: int) -> list[list[list[int]]]:
    """Fixations of a clip: a list of (x, y) in pixels for each kept frame."""
    stream = Stream(corpus.seed, story.key, stage.name, clip, "gaze")
    event = story.events[clip]
    return [
        [_fixation(stream, story, stage, event, int(t)) for _ in range(VIEWERS)] for t in frame_times(event)
    ]


def _fixation(stream: Stream, story: Story, stage: Stage, event: Event, t: int) -> list[int]:
    seen = max(t - stream.between(0, 2 * LAG_FRAMES), event.first)
    x, y = _target(stream, stage, event, seen)
    x, y = (v + stream.between(-NOISE_PIXELS, NOISE_PIXELS) + stream.between(-2, 2) for v in (x, y))
    return [min(max(v, 0), FRAME_SIZE - 1) for v in (x, y)]


def _target(stream: Stream, stage: Stage, event: Event, t: int) -> tuple[int, int]:
    other = event.visible[-1]
    kind = stream.weighted(("actor", "object", "other", "anywhere"), (55, 30, 10, 5))
    if kind == "object" and event.handles_object and stage.thing_xy[t, 0] > OFFSCREEN // 2:
        return _point(stage.thing_xy[t], MIDDLE)
    if kind == "object" and event.recipient != NOBODY:
        return _point(stage.people_xy[event.recipient, t], HEAD)
    if kind == "anywhere":
        return stream.below(FRAME_SIZE), stream.below(FRAME_SIZE)
    return _point(stage.people_xy[other if kind == "other" else event.actor, t], HEAD)


def _point(corner: NDArray[np.int16], offset: tuple[int, int]) -> tuple[int, int]:
    return int(corner[0]) + offset[0], int(corner[1]) + offset[1]
