"""Staging: where everybody and every object is in each frame of one rendering of a script, and in which pose.

The two renderings of a script differ here: where people stand, which way they face, who turns their back or is half
out of the picture, and (in :mod:`.render`) light and texture. What happens, and when, is the script's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.props import THING_SLOTS, Moves, halfway, place_things
from reelbench.tasks.datasets.microworld.script import CAST, NOBODY, STORY_FRAMES, Act, Event, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sprites import (
    CYCLES,
    FRAME_SIZE,
    OFFSCREEN,
    PERSON_SHAPE,
    POSE,
    TEMPO,
)
from reelbench.tasks.datasets.microworld.streams import Stream

RENDERINGS = ("a", "b")
EDGE, HORIZON = 6, 12
ROOM = np.array((FRAME_SIZE - PERSON_SHAPE[1], FRAME_SIZE - PERSON_SHAPE[0]))
STEP_OF = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1), "": (0, 0)}
APART = np.array((PERSON_SHAPE[1] + 8, PERSON_SHAPE[0]))
"""Two people nearer than this are in each other's way."""
WITHIN_REACH = 26
ARRANGEMENTS = 40
"""So many are drawn for a clip, and the one in which people are least in each other's way is taken."""
IMPOSSIBLE = 1_000_000
TURNED_PERCENT, CROPPED_PERCENT = 28, 19
"""How often somebody who does nothing in a clip, and gets nothing, turns their back or is half out of the picture."""


@dataclass(frozen=True)
class Stage:
    """One rendering of a story, frame by frame; who or what is not on screen is at ``OFFSCREEN``."""

    name: str
    people_xy: NDArray[np.int16]  # (CAST, T, 2), upper left corner
    pose: NDArray[np.uint8]  # (CAST, T)
    facing: NDArray[np.uint8]  # (CAST, T), 0 right, 1 left
    thing_xy: NDArray[np.int16]  # (THING_SLOTS, T, 2): the treasure, then what each act of the clip handles
    thing: NDArray[np.int8]  # (THING_SLOTS, T), which of the story's objects, or -1


def renderings_of(split: str) -> tuple[str, ...]:
    """Unlabelled stories are filmed once, all others twice."""
    return RENDERINGS[:1] if split == "unlabelled" else RENDERINGS


def stage_story(corpus: Corpus, story: Story, rendering: str) -> Stage:
    """Place everybody for one rendering."""
    stage = Stage(
        f"{story.id}{rendering}",
        np.full((CAST, STORY_FRAMES, 2), OFFSCREEN, np.int16),
        np.zeros((CAST, STORY_FRAMES), np.uint8),
        np.zeros((CAST, STORY_FRAMES), np.uint8),
        np.full((THING_SLOTS, STORY_FRAMES, 2), OFFSCREEN, np.int16),
        np.full((THING_SLOTS, STORY_FRAMES), -1, np.int8),
    )
    for clip, event in enumerate(story.events):
        stream = Stream(corpus.seed, story.key, rendering, clip, "stage")
        _stage_event(stream, stage, story, event)
    return stage


def _stage_event(stream: Stream, stage: Stage, story: Story, event: Event) -> None:
    frames = slice(event.first, event.last)
    paths = np.stack([_path(event, person) for person in event.visible])  # (P, n, 2)
    xy = _arrange(stream, event, paths)[:, None] + paths
    for k, person in enumerate(event.visible):
        stage.pose[person, frames] = _poses(event, person)
        stage.facing[person, frames] = _facing(stream, event, person, xy)
        if _is_idle(event, person):
            _hide(stream, stage, event, person, xy[k])
        stage.people_xy[person, frames] = xy[k]
    moves = Moves(stage.people_xy[:, frames].astype(int), stage.facing[:, frames], stage.pose[:, frames])
    for slot, thing, place in place_things(stream, story, event, moves):
        stage.thing_xy[slot, frames] = place
        stage.thing[slot, frames] = thing


def acting_poses(act: Act) -> list[int]:
    """The pose in each frame of an act."""
    cycle, lasts = CYCLES[act.deed.verb], TEMPO[act.deed.step]
    return [POSE[cycle[i // lasts % len(cycle)]] for i in range(act.last - act.first)]


def _poses(event: Event, person: int) -> NDArray[np.uint8]:
    """Who gives something moves in the first half of the act, and who gets it in the second."""
    poses = np.full(event.last - event.first, POSE["stand"], np.uint8)
    for act in event.acts:
        first, middle, last = (t - event.first for t in (act.first, halfway(act), act.last))
        if act.recipient == NOBODY and act.actor == person:
            poses[first:last] = acting_poses(act)
        elif act.recipient != NOBODY and act.actor == person:
            poses[first:middle] = acting_poses(act)[: middle - first]
        elif act.recipient == person:
            poses[middle:last] = acting_poses(act)[: last - middle]
    return poses


def _path(event: Event, person: int) -> NDArray[np.int64]:
    """How far somebody is from their start in each frame of the clip: ``(n, 2)``; never more than there is room."""
    frames = np.arange(event.first, event.last)
    path = np.zeros((len(frames), 2), np.int64)
    for act in event.acts:
        if act.actor == person and act.deed.verb != "throw":
            path += _way(act, frames)
    spread = np.ptp(path, axis=0)
    return np.where(spread > ROOM, path * ROOM // np.maximum(spread, 1), path)


def _way(act: Act, frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """How far an act has taken what moves in it, by each frame."""
    deed = act.deed
    if deed.verb == "jump":
        height = np.zeros(len(frames), np.int64)
        acting = slice(act.first - frames[0], act.last - frames[0])
        height[acting] = (5 + 2 * deed.step) * (np.array(acting_poses(act)) == POSE["air"])
        return np.stack([np.zeros_like(height), -height], axis=1)
    moved = np.clip(frames - act.first, 0, act.last - act.first)
    return moved[:, None] * np.array(STEP_OF[deed.direction]) * deed.step


def _arrange(stream: Stream, event: Event, paths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each visible person starts, so that they and what they throw stay in the picture: ``(P, 2)``."""
    bounds = [_bounds(event, person, path) for person, path in zip(event.visible, paths, strict=True)]
    low, high = (np.array(side) for side in zip(*bounds, strict=True))
    draws = stream.generator.integers(1 << 16, size=(ARRANGEMENTS, *low.shape))
    starts = low + (draws * (high - low + 1) >> 16)  # (K, P, 2)
    cost = np.zeros(ARRANGEMENTS, np.int64)
    for act in event.acts:
        if act.recipient != NOBODY:
            k, to = event.visible.index(act.actor), event.visible.index(act.recipient)
            at = act.first - event.first
            side = np.where(np.arange(ARRANGEMENTS) % 2, WITHIN_REACH, -WITHIN_REACH)
            starts[:, k] = starts[:, to] + paths[to, at] - paths[k, at]
            starts[:, k, 0] += side
            inside = starts[:, k].clip(low[k], high[k])
            cost += IMPOSSIBLE * (inside != starts[:, k]).any(axis=1)
            starts[:, k] = inside
    xy = starts[:, :, None] + paths  # (K, P, n, 2)
    for one in range(len(paths)):
        for other in range(one):
            near = np.maximum(APART - np.abs(xy[:, one] - xy[:, other]), 0)
            cost += near.prod(axis=-1).sum(axis=-1)
    return np.asarray(starts[cost.argmin()], np.int64)


def _bounds(
    event: Event, person: int, path: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last place where somebody can start: low in the picture, and off its edges where there is room."""
    ways = [path]
    for act in event.acts:
        if act.actor == person and act.deed.verb == "throw":
            ways.append(path[act.first - event.first] + _way(act, np.array([act.last])))
    whole = np.concatenate(ways)
    low, high = -whole.min(axis=0), np.maximum(ROOM - whole.max(axis=0), 0)
    low = np.minimum(low, high)
    inner_low = np.minimum(low + np.array((EDGE, 0)), high)
    inner_low[1] = max(low[1], min(HORIZON, int(high[1])))
    return inner_low, np.maximum(high - np.array((EDGE, 0)), inner_low)


def _facing(stream: Stream, event: Event, person: int, xy: NDArray[np.int64]) -> NDArray[np.uint8]:
    """0 right, 1 left, in each frame of the clip; from its start as in the person's first act."""
    facing = np.full(event.last - event.first, stream.below(2), np.uint8)
    first = True
    for act in event.acts:
        if person in (act.actor, act.recipient):
            at = act.first - event.first
            facing[0 if first else at :] = _looks_left(stream, event, act, person, xy[:, at, 0])
            first = False
    return facing


def _looks_left(stream: Stream, event: Event, act: Act, person: int, x: NDArray[np.int64]) -> bool:
    if act.recipient != NOBODY:
        other = act.recipient if person == act.actor else act.actor
        return bool(x[event.visible.index(person)] > x[event.visible.index(other)])
    return {"left": True, "right": False}.get(act.deed.direction, bool(stream.below(2)))


def _is_idle(event: Event, person: int) -> bool:
    return all(person not in (act.actor, act.recipient) for act in event.acts)


def _hide(stream: Stream, stage: Stage, event: Event, person: int, xy: NDArray[np.int64]) -> None:
    """Now and then turn somebody's back on us, or put them half out of the picture; never who holds the treasure."""
    kind = stream.below(100)
    if kind < TURNED_PERCENT:
        stage.pose[person, event.first : event.last] = POSE["back"]
    elif kind < TURNED_PERCENT + CROPPED_PERCENT and person != event.holder:
        half = PERSON_SHAPE[1] // 2
        xy[:, 0] = -half if xy[0, 0] < ROOM[0] // 2 else FRAME_SIZE - half
