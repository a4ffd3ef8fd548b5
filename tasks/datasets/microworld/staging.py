"""Staging: where everybody and the object are in each frame of one rendering of a script, and in which pose.

The two renderings of a script differ here: where people stand, which way they face, and (in :mod:`.render`) light
and texture. What happens, and when, is the script's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.script import CAST, NOBODY, STORY_FRAMES, Event, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sprites import OBJECT_SHAPE, PERSON_SHAPE, POSE
from reelbench.tasks.datasets.microworld.streams import Stream

FRAME_SIZE = 84
RENDERINGS = ("a", "b")
OFFSCREEN = -64
EDGE, HORIZON = 2, 18
MAX_X, MAX_Y = FRAME_SIZE - PERSON_SHAPE[1], FRAME_SIZE - PERSON_SHAPE[0]
STEP_OF = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1), "": (0, 0)}
AHEAD = {"left": (-11, 13), "right": (17, 13), "up": (3, -9), "down": (3, 24)}
HAND = (12, 10)
OVERHEAD = (3, -8)
FOOT = (14, 14)

CYCLES = {
    "walk": ("step_a", "step_b"),
    "carry": ("lift_a", "lift_b"),
    "run": ("run_a", "run_b"),
    "push": ("push_a", "push_b"),
    "throw": ("reach",),
    "jump": ("stand", "air"),
    "spin": ("stand", "side", "back", "side"),
    "wave": ("wave_a", "wave_b"),
    "dance": ("sway_left", "sway_right"),
    "sit": ("sit",),
    "clap": ("arms_in", "arms_out"),
    "sing": ("sing", "stand"),
    "take": ("bend",),
    "drop": ("reach",),
    "give": ("reach",),
}
TEMPO = {1: 4, 2: 2, 3: 1, 4: 1, 5: 1}
"""Frames that a pose of a cycle lasts, by the event's step."""


@dataclass(frozen=True)
class Stage:
    """One rendering of a story, frame by frame; who is not on screen is at ``OFFSCREEN``."""

    name: str
    people_xy: NDArray[np.int16]  # (CAST, T, 2), upper left corner
    pose: NDArray[np.uint8]  # (CAST, T)
    facing: NDArray[np.uint8]  # (CAST, T), 0 right, 1 left
    thing_xy: NDArray[np.int16]  # (T, 2)


def stage_story(corpus: Corpus, story: Story, rendering: str) -> Stage:
    """Place everybody for one rendering."""
    stream = Stream(corpus.seed, story.key, rendering, "stage")
    stage = Stage(
        f"{story.id}{rendering}",
        np.full((CAST, STORY_FRAMES, 2), OFFSCREEN, np.int16),
        np.zeros((CAST, STORY_FRAMES), np.uint8),
        np.zeros((CAST, STORY_FRAMES), np.uint8),
        np.full((STORY_FRAMES, 2), OFFSCREEN, np.int16),
    )
    for event in story.events:
        _stage_event(stream, stage, event)
    return stage


def _stage_event(stream: Stream, stage: Stage, event: Event) -> None:
    path = _path(event)
    start = _start(stream, path)
    frames = slice(event.first, event.last)
    actor = event.actor
    moves = event.verb not in {"throw"}
    stage.people_xy[actor, frames] = start + path if moves else start
    stage.pose[actor, frames] = _poses(event)
    stage.facing[actor, frames] = _facing(stream, event, start)
    spots = _spots(stream, stage, event)
    for person, spot in zip(event.visible[1:], spots, strict=False):
        stage.people_xy[person, frames] = spot
        stage.facing[person, frames] = int(spot[0] > start[0])
    stage.thing_xy[frames] = _thing(stage, event, path)


def _path(event: Event) -> NDArray[np.int16]:
    """How far the mover is from its start in each frame of the clip: ``(n, 2)``."""
    frames = np.arange(event.first, event.last)
    moved = np.clip(frames - event.action_first, 0, event.action_last - event.action_first)
    path = moved[:, None] * np.array(STEP_OF[event.direction]) * event.step
    if event.verb == "jump":
        height = (5 + 2 * event.step) * (np.asarray(_poses(event)) == POSE["air"])
        path = np.stack([np.zeros_like(height), -height], axis=1)
    return path.astype(np.int16)


def _start(stream: Stream, path: NDArray[np.int16]) -> NDArray[np.int64]:
    """Where the mover starts, so that it stays in the frame, and low in it where there is room."""
    low, high = path.min(axis=0).astype(int), path.max(axis=0).astype(int)
    latest = np.array((MAX_X, MAX_Y)) - high
    earliest = np.minimum(np.array((EDGE, HORIZON)) - low, latest)
    return np.array([stream.between(int(a), int(b)) for a, b in zip(earliest, latest, strict=True)])


def _poses(event: Event) -> list[int]:
    cycle, lasts = CYCLES[event.verb], TEMPO[event.step]
    acting = range(event.action_last - event.action_first)
    poses = [cycle[i // lasts % len(cycle)] for i in acting]
    before, after = event.action_first - event.first, event.last - event.action_last
    return [POSE[pose] for pose in ["stand"] * before + poses + ["stand"] * after]


def _facing(stream: Stream, event: Event, start: NDArray[np.int64]) -> int:
    if event.verb == "give":
        return int(start[0] > MAX_X // 2)
    return {"left": 1, "right": 0}.get(event.direction, stream.below(2))


def _spots(stream: Stream, stage: Stage, event: Event) -> list[tuple[int, int]]:
    """Where those who only stand there are: the recipient within reach, the others out of the way."""
    around = stage.people_xy[event.actor, event.first : event.last].astype(int)
    taken = [tuple(around[0]), tuple(around[len(around) // 2]), tuple(around[-1])]
    spots: list[tuple[int, int]] = []
    for person in event.visible[1:]:
        if person == event.recipient:
            x, y = taken[0]
            spot = (x + (24 if x <= MAX_X // 2 else -24), y)
        else:
            choices = [(stream.between(0, MAX_X), stream.between(12, MAX_Y)) for _ in range(8)]
            spot = max(choices, key=lambda c: min(abs(c[0] - x) + abs(c[1] - y) for x, y in taken))
        taken.append(spot)
        spots.append(spot)
    return spots


def _thing(stage: Stage, event: Event, path: NDArray[np.int16]) -> NDArray[np.int16]:
    """Where the object is in each frame of the clip: ``(n, 2)``."""
    xy = stage.people_xy[:, event.first : event.last].astype(int)
    actor, n = xy[event.actor], event.last - event.first
    hand = actor + _reach(HAND, stage, event)
    foot = actor + _reach(FOOT, stage, event)
    done = np.arange(n)[:, None] >= (event.action_first + event.action_last) // 2 - event.first
    if event.verb == "take":
        place = np.where(done, hand, foot)
    elif event.verb == "drop":
        place = np.where(done, foot, hand)
    elif event.verb == "give":
        part = np.clip(np.arange(n) - (event.action_first - event.first), 0, 8)[:, None]
        place = hand + (xy[event.recipient] + np.array((3, 10)) - hand) * part // 8
    elif event.verb == "carry":
        lifted = (np.arange(event.first, event.last) >= event.action_first)[:, None]
        place = np.where(lifted, actor + np.array(OVERHEAD), hand)
    elif event.verb == "push":
        place = actor + np.array(AHEAD[event.direction])
    elif event.verb == "throw":
        place = hand + path
    elif event.holder != NOBODY and event.holder in event.visible:
        place = xy[event.holder] + (
            _reach(HAND, stage, event) if event.holder == event.actor else np.array((3, 10))
        )
    else:
        place = np.full((n, 2), OFFSCREEN)
    on_screen = place[:, :1] > OFFSCREEN // 2
    return np.where(on_screen, place.clip(0, FRAME_SIZE - OBJECT_SHAPE[0]), OFFSCREEN).astype(np.int16)


def _reach(offset: tuple[int, int], stage: Stage, event: Event) -> NDArray[np.int64]:
    """An offset from the actor's corner, mirrored when the actor faces left."""
    left = bool(stage.facing[event.actor, event.first])
    x = PERSON_SHAPE[1] - offset[0] - OBJECT_SHAPE[1] if left else offset[0]
    return np.array((x, offset[1]))
