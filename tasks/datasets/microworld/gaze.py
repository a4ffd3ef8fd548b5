"""Simulated gaze: several viewers follow one person through a clip, late and not quite.

Called simulated wherever it is shown. Viewers stay with the person whom the clip is about, and with what that person
handles, also while others move; they glance at who is acting, at others, and now and then anywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.script import Act, Event, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sprites import FRAME_SIZE, OFFSCREEN
from reelbench.tasks.datasets.microworld.staging import Stage
from reelbench.tasks.datasets.microworld.streams import Stream

VIEWERS = 5
GAZE_FRAMES = 8
LAG_FRAMES = 1
NOISE_PIXELS = 4
HEAD, HANDS, MIDDLE = (8, 5), (8, 11), (5, 5)
KINDS = ("watched", "acting", "other", "anywhere")
WEIGHTS = (65, 12, 13, 10)
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
    return [[_fixation(stream, stage, event, int(t)) for _ in range(VIEWERS)] for t in frame_times(event)]


def _fixation(stream: Stream, stage: Stage, event: Event, t: int) -> list[int]:
    seen = max(t - stream.between(0, 2 * LAG_FRAMES), event.first)
    x, y = _target(stream, stage, event, seen)
    x, y = (v + stream.between(-NOISE_PIXELS, NOISE_PIXELS) + stream.between(-2, 2) for v in (x, y))
    return [min(max(v, 0), FRAME_SIZE - 1) for v in (x, y)]


def _target(stream: Stream, stage: Stage, event: Event, t: int) -> tuple[int, int]:
    kind = stream.weighted(KINDS, WEIGHTS)
    now = next((act for act in event.acts if act.first <= t < act.last), None)
    person = event.watched
    if kind == "anywhere":
        return stream.below(FRAME_SIZE), stream.below(FRAME_SIZE)
    if kind == "acting" and now is not None:
        person = now.actor
    if kind == "other":
        person = stream.pick([p for p in event.visible if p != event.watched] or [event.watched])
    place = stage.people_xy[person, t]
    if now is not None and now.actor == person and now.deed.thing and stream.chance(50):
        thing = stage.thing_xy[_slot(event, now), t]
        if thing[0] > OFFSCREEN // 2:
            return _point(thing, MIDDLE)
    return _point(place, stream.pick((HEAD, HEAD, HANDS)))


def _slot(event: Event, act: Act) -> int:
    """Where the stage keeps the object that an act handles."""
    return 0 if act.handles_treasure else 1 + event.acts.index(act)


def _point(corner: NDArray[np.int16], offset: tuple[int, int]) -> tuple[int, int]:
    return int(corner[0]) + offset[0], int(corner[1]) + offset[1]
