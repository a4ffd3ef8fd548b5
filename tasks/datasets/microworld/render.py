"""Rendering: a staged story becomes ``(T, 84, 84, 4)`` bytes of red, green, blue and padding.

Drawn as colour numbers, all frames of a clip at once, and looked up at the end, so that a frame costs tens of
microseconds. Only integers are used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.script import CAST, STORY_FRAMES, THINGS, Event, Person, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sprites import FRAME_SIZE, OFFSCREEN, objects, people
from reelbench.tasks.datasets.microworld.staging import Stage
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import GENDERS, LEGS, OBJECTS, PLACES, SHIRTS, Levels
from reelbench.tasks.datasets.microworld.world import HAIRS as HAIR_LEVELS
from reelbench.tasks.datasets.microworld.world import SKINS as SKIN_LEVELS

MARGIN = 24
SIDE = FRAME_SIZE + 2 * MARGIN
GRAINS = 4
THING_COLOURS, PERSON_COLOURS = 2, 4
FIRST_THING = 3 * len(PLACES)
FIRST_PERSON = FIRST_THING + THING_COLOURS * THINGS
COLOUR_COUNT = FIRST_PERSON + PERSON_COLOURS * CAST  # times GRAINS stays below 256
DARKER = 16


def render(corpus: Corpus, story: Story, stage: Stage) -> NDArray[np.uint8]:
    """All frames of one rendering: ``(T, 84, 84, 4)``; the last channel is padding."""
    stream = Stream(corpus.seed, story.key, stage.name, "render")
    canvas = np.empty((STORY_FRAMES, SIDE, SIDE), np.uint8)
    for event in story.events:
        canvas[event.first : event.last] = _background(stream, event.place)
        _draw_things(canvas, story, stage, event, slice(0, 1))
        _draw_people(canvas, stage, event)
        _draw_things(canvas, story, stage, event, slice(1, None))
    return _colour(stream, story, canvas[:, MARGIN:-MARGIN, MARGIN:-MARGIN])


def _background(stream: Stream, place: int) -> NDArray[np.uint8]:
    wall, floor, accent = 3 * place, 3 * place + 1, 3 * place + 2
    scene = np.full((SIDE, SIDE), floor, np.uint8)
    scene[: MARGIN + stream.between(30, 42)] = wall
    left, top = MARGIN + stream.between(0, 60), MARGIN + stream.between(4, 16)
    scene[top : top + 18, left : left + 14] = accent
    return scene


def _draw_people(canvas: NDArray[np.uint8], stage: Stage, event: Event) -> None:
    """Who stands higher in the picture is further away, and drawn first."""
    frames = slice(event.first, event.last)
    for person in sorted(event.visible, key=lambda p: int(stage.people_xy[p, event.first, 1])):
        drawings = people()[GENDERS.index(event.looks[person].gender)]
        shapes = drawings[stage.pose[person, frames], stage.facing[person, frames]]  # (n, 24, 16)
        colour = FIRST_PERSON + PERSON_COLOURS * person
        _paste(canvas[frames], shapes, stage.people_xy[person, frames], colour)


def _draw_things(canvas: NDArray[np.uint8], story: Story, stage: Stage, event: Event, slots: slice) -> None:
    """The treasure is drawn behind people, props before them."""
    frames = slice(event.first, event.last)
    for slot in range(len(stage.thing))[slots]:
        thing = int(stage.thing[slot, event.first])
        if thing >= 0:
            shape = objects()[list(OBJECTS).index(story.things[thing])]
            shapes = np.broadcast_to(shape, (event.last - event.first, *shape.shape))
            _paste(canvas[frames], shapes, stage.thing_xy[slot, frames], FIRST_THING + THING_COLOURS * thing)


def _paste(canvas: NDArray[np.uint8], shapes: NDArray[np.uint8], xy: NDArray[np.int16], colour: int) -> None:
    """Draw a sprite into each frame in which it is on screen; part ``k`` gets colour number ``colour + k - 1``."""
    if xy[0, 0] <= OFFSCREEN // 2:
        return
    corner = (np.arange(len(canvas)) * SIDE + xy[:, 1] + MARGIN) * SIDE + xy[:, 0] + MARGIN
    inner = np.arange(shapes.shape[1])[:, None] * SIDE + np.arange(shapes.shape[2])
    drawn = shapes > 0
    pixels = (corner[:, None, None] + inner)[drawn]
    canvas.reshape(-1)[pixels] = shapes[drawn] + np.uint8(colour - 1)


def _colour(stream: Stream, story: Story, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    gain = stream.between(92, 106)
    grain = stream.generator.integers(GRAINS, size=(2 * FRAME_SIZE, 2 * FRAME_SIZE), dtype=np.uint8)
    shifts = stream.generator.integers(FRAME_SIZE, size=(STORY_FRAMES, 2))
    windows = np.lib.stride_tricks.sliding_window_view(grain, (FRAME_SIZE, FRAME_SIZE))
    numbers = canvas * np.uint8(GRAINS)
    numbers += windows[shifts[:, 0], shifts[:, 1]]
    pixels = np.empty(numbers.shape, np.uint32)
    for event in story.events:
        frames = slice(event.first, event.last)
        _colour_table(story, event, gain).take(numbers[frames], out=pixels[frames], mode="clip")
    return pixels.view(np.uint8).reshape(*numbers.shape, 4)


def _colour_table(story: Story, event: Event, gain: int) -> NDArray[np.uint32]:
    """Every colour number and grain as packed bytes: ``(COLOUR_COUNT * GRAINS,)``."""
    places = [c for place in PLACES for c in (place.wall, place.floor, place.accent)]
    things = [OBJECTS[thing] for thing in story.things for _ in range(THING_COLOURS)]
    looks = [colour for person in event.looks for colour in _person_colours(person)]
    base = np.array([*places, *things, *looks]) * 64 + 32  # (COLOUR_COUNT, 3)
    base[FIRST_THING + 1 : FIRST_PERSON : THING_COLOURS] -= DARKER
    grains = base[:, None] * gain // 100 + np.array((-5, -1, 2, 6))[:, None]
    packed = np.zeros((COLOUR_COUNT, GRAINS, 4), np.uint8)
    packed[..., :3] = grains.clip(0, 255)
    return packed.reshape(-1, 4).view(np.uint32)[:, 0]


def _person_colours(person: Person) -> list[Levels]:
    return [SKIN_LEVELS[person.skin], HAIR_LEVELS[person.hair], SHIRTS[person.shirt], LEGS[person.gender]]
