"""Rendering: a staged story becomes ``(T, 84, 84, 4)`` bytes of red, green, blue and padding.

Drawn as colour numbers, all frames of a video at once, and looked up at the end, so that a frame costs tens of
microseconds. Only integers are used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.script import CAST, STORY_FRAMES, Person, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sprites import objects, people
from reelbench.tasks.datasets.microworld.staging import FRAME_SIZE, OFFSCREEN, Stage
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import GENDERS, LEGS, OBJECTS, PLACES, SHIRTS, Levels
from reelbench.tasks.datasets.microworld.world import HAIRS as HAIR_LEVELS
from reelbench.tasks.datasets.microworld.world import SKINS as SKIN_LEVELS

MARGIN = 24
GRAINS = 4
PERSON_COLOURS = 4
THING_COLOUR = 3 * len(PLACES)
PERSON_COLOUR = THING_COLOUR + 2


def render(corpus: Corpus, story: Story, stage: Stage) -> NDArray[np.uint8]:
    """All frames of one rendering: ``(T, 84, 84, 4)``; the last channel is padding."""
    stream = Stream(corpus.seed, story.key, stage.name, "render")
    canvas = _background(stream, story)  # (T, 132, 132)
    drawings = people()[[GENDERS.index(person.gender) for person in story.cast]]
    order = np.argsort([any(event.actor == p for event in story.events) for p in range(CAST)], kind="stable")
    for p in order:
        shapes = drawings[p][stage.pose[p], stage.facing[p]]  # (T, 24, 16)
        _paste(canvas, shapes, stage.people_xy[p], PERSON_COLOUR + PERSON_COLOURS * int(p))
    thing = objects()[list(OBJECTS).index(story.thing)]
    _paste(canvas, np.broadcast_to(thing, (STORY_FRAMES, *thing.shape)), stage.thing_xy, THING_COLOUR)
    visible = canvas[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    return _colour(stream, story, visible)


def _background(stream: Stream, story: Story) -> NDArray[np.uint8]:
    side = FRAME_SIZE + 2 * MARGIN
    canvas = np.empty((STORY_FRAMES, side, side), np.uint8)
    for event in story.events:
        wall, floor, accent = 3 * event.place, 3 * event.place + 1, 3 * event.place + 2
        scene = np.full((side, side), floor, np.uint8)
        scene[: MARGIN + stream.between(30, 42)] = wall
        left, top = MARGIN + stream.between(0, 60), MARGIN + stream.between(4, 16)
        scene[top : top + 18, left : left + 14] = accent
        canvas[event.first : event.last] = scene
    return canvas


def _paste(canvas: NDArray[np.uint8], shapes: NDArray[np.uint8], xy: NDArray[np.int16], colour: int) -> None:
    """Draw a sprite into each frame in which it is on screen; part ``k`` gets colour number ``colour + k - 1``."""
    (frames,) = np.nonzero(xy[:, 0] > OFFSCREEN // 2)
    height, width = shapes.shape[1:]
    windows = np.lib.stride_tricks.sliding_window_view(canvas, (height, width), axis=(1, 2), writeable=True)
    for t in frames:
        x, y = int(xy[t, 0]) + MARGIN, int(xy[t, 1]) + MARGIN
        window, shape = windows[t, y, x], shapes[t]
        np.copyto(window, shape + np.uint8(colour - 1), where=shape > 0)


def _colour(stream: Stream, story: Story, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    table = _colour_table(stream, story)  # (GRAINS * colours,) packed
    side = FRAME_SIZE
    grain = stream.generator.integers(GRAINS, size=(2 * side, 2 * side), dtype=np.uint8)
    shifts = stream.generator.integers(side, size=(STORY_FRAMES, 2))
    tiles = np.lib.stride_tricks.sliding_window_view(grain, (side, side))[shifts[:, 0], shifts[:, 1]]
    return table.take(canvas * np.uint8(GRAINS) + tiles).view(np.uint8).reshape(STORY_FRAMES, side, side, 4)


def _colour_table(stream: Stream, story: Story) -> NDArray[np.uint32]:
    place_colours = [c for place in PLACES for c in (place.wall, place.floor, place.accent)]
    thing = OBJECTS[story.thing]
    colours = [*place_colours, thing, thing, *(c for person in story.cast for c in _person_colours(person))]
    base = np.array(colours) * 64 + 32  # (colours, 3)
    base[THING_COLOUR + 1] -= 16
    gain = stream.between(92, 106)
    grains = base[:, None] * gain // 100 + np.array((-5, -1, 2, 6))[:, None]
    packed = np.zeros((len(colours), GRAINS, 4), np.uint8)
    packed[..., :3] = grains.clip(0, 255)
    return packed.reshape(-1, 4).view(np.uint32)[:, 0]


def _person_colours(person: Person) -> list[Levels]:
    return [SKIN_LEVELS[person.skin], HAIR_LEVELS[person.hair], SHIRTS[person.shirt], LEGS[person.gender]]
