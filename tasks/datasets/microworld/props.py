"""Where the objects of a clip are: the story's treasure, and what its acts push, throw and lift."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.script import NOBODY, Act, Event, Story
from reelbench.tasks.datasets.microworld.sprites import (
    FRAME_SIZE,
    OBJECT_SHAPE,
    OFFSCREEN,
    PERSON_SHAPE,
    POSE,
)
from reelbench.tasks.datasets.microworld.streams import Stream

THING_SLOTS = 4
"""The treasure, then one for each of a clip's acts."""
BEHIND = (-4, 9)
"""Offsets from a person's corner to an object's, of who faces right: the treasure is half hidden behind one's back."""
RAISED = (12, -5)
FOOT = (18, 14)
OVERHEAD = (3, -9)
AHEAD = {"left": (-11, 13), "right": (17, 13), "up": (3, -9), "down": (3, 24)}
HANDOVER_HEIGHT = 9
FLIGHT = {"left": (-4, 0), "right": (4, 0), "up": (0, -4), "down": (0, 4)}
SPOTS = 12

Places = NDArray[np.int64]
"""``(n, 2)``: an upper left corner in each frame of the clip."""


@dataclass(frozen=True)
class Moves:
    """Where everybody is in each frame of a clip, which way they face, and in which pose."""

    xy: NDArray[np.int64]  # (CAST, n, 2)
    facing: NDArray[np.uint8]  # (CAST, n)
    pose: NDArray[np.uint8]  # (CAST, n)

    def near(self, person: int, offset: tuple[int, int]) -> Places:
        """A place at somebody's body, mirrored where they face left."""
        mirrored = PERSON_SHAPE[1] - offset[0] - OBJECT_SHAPE[1]
        x = np.where(self.facing[person] == 1, mirrored, offset[0])
        return self.xy[person] + np.stack([x, np.full_like(x, offset[1])], axis=1)


def halfway(act: Act) -> int:
    """The frame in which the treasure changes hands."""
    return (act.first + act.last) // 2


def place_things(
    stream: Stream, story: Story, event: Event, moves: Moves
) -> Iterator[tuple[int, int, Places]]:
    """(slot, which of the story's objects, where) of everything that a clip shows."""
    if event.treasure_seen:
        yield 0, 0, _on_screen(_treasure(stream, event, moves))
    for k, act in enumerate(event.acts):
        if act.deed.thing and not act.handles_treasure:
            yield 1 + k, story.things.index(act.deed.thing), _on_screen(_prop(event, act, moves))


def _on_screen(place: Places) -> Places:
    inside = place.clip(0, FRAME_SIZE - OBJECT_SHAPE[0])
    return np.where(place[:, :1] > OFFSCREEN // 2, inside, OFFSCREEN)


def _prop(event: Event, act: Act, moves: Moves) -> Places:
    """An object of an act's own: it is there before the act, and afterwards stays where it is then."""
    frames = np.arange(event.first, event.last)
    then = frames.clip(act.first, act.last) - event.first
    if act.deed.verb == "push":
        return (moves.xy[act.actor] + np.array(AHEAD[act.deed.direction]))[then]
    if act.deed.verb == "throw":
        flown = frames.clip(act.first, act.last) - act.first
        return moves.near(act.actor, RAISED)[then[0]] + flown[:, None] * np.array(FLIGHT[act.deed.direction])
    raised = (moves.pose[act.actor] == POSE["raise"]) & (frames >= act.first) & (frames < act.last)
    return np.where(raised[:, None], moves.near(act.actor, OVERHEAD), moves.near(act.actor, FOOT)[then[0]])


def _treasure(stream: Stream, event: Event, moves: Moves) -> Places:
    """The treasure: behind its holder's back or on the ground, and what an act does to it."""
    act = next((act for act in event.acts if act.handles_treasure), None)
    if act is None:
        return _lying(stream, event, moves) if event.holder == NOBODY else moves.near(event.holder, BEHIND)
    frames = np.arange(event.first, event.last)[:, None]
    middle = halfway(act)
    hand = moves.near(act.actor, BEHIND)
    ground = moves.near(act.actor, FOOT)[middle - event.first]
    if act.deed.verb == "take":
        return np.where(frames >= middle, hand, ground)
    if act.deed.verb == "drop":
        return np.where(frames >= middle, ground, hand)
    if act.deed.verb == "give":
        between = (moves.xy[act.actor] + moves.xy[act.recipient]) // 2 + np.array((3, HANDOVER_HEIGHT))
        after = np.where(frames >= middle, moves.near(act.recipient, BEHIND), between)
        return np.where(frames < act.first, hand, after)
    lifted = (frames >= act.first) & (frames < act.last)
    return np.where(lifted, moves.near(act.actor, OVERHEAD), hand)


def _lying(stream: Stream, event: Event, moves: Moves) -> Places:
    """A place on the ground out of everybody's way."""
    spots = np.array([(stream.between(2, 72), stream.between(44, 72)) for _ in range(SPOTS)])
    around = moves.xy[list(event.visible)].reshape(-1, 2) + np.array((3, 7))
    distance = np.abs(spots[:, None] - around).sum(axis=-1).min(axis=1)
    return np.broadcast_to(spots[distance.argmax()], (event.last - event.first, 2))
