"""The drawings: people in each pose, facing either way, and objects, as small images of part numbers.

A part number is an index into a sprite's own few colours; 0 is transparent. Verbs that are told apart by their sound
alone share one cycle of poses.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.world import GENDERS, HEARD_ONLY, OBJECTS

FRAME_SIZE = 84
OFFSCREEN = -64
PERSON_SHAPE = (24, 16)
OBJECT_SHAPE = (10, 10)
SKIN, HAIR, SHIRT, LEGS = 1, 2, 3, 4
THING, THING_DARK = 1, 2
SITTING = ("sit", "sit_b")

Rect = tuple[int, int, int, int, int]
"""First row, last row, first column, last column (both exclusive), part."""

POSES = (
    "stand",
    "step_a",
    "step_b",
    "run_a",
    "run_b",
    "wave_a",
    "wave_b",
    "sit",
    "bend",
    "reach",
    "side",
    "back",
    "sway_left",
    "sway_right",
    "arms_in",
    "arms_out",
    "sing",
    "air",
    "lift_a",
    "lift_b",
    "push_a",
    "push_b",
    "reach_b",
    "bend_b",
    "sit_b",
    "sing_b",
    "raise",
)
POSE = {name: index for index, name in enumerate(POSES)}

CYCLES = {
    "walk": ("step_a", "step_b"),
    "carry": ("lift_a", "lift_b"),
    "run": ("run_a", "run_b"),
    "push": ("push_a", "push_b"),
    "throw": ("wave_a", "reach"),
    "lift": ("bend", "raise"),
    "jump": ("stand", "air"),
    "spin": ("stand", "side", "back", "side"),
    "wave": ("wave_a", "wave_b"),
    "dance": ("sway_left", "sway_right"),
    "sit": ("sit", "sit_b"),
    "clap": ("arms_in", "arms_out"),
    **dict.fromkeys(HEARD_ONLY, ("sing", "sing_b")),
    "take": ("bend", "bend_b"),
    "drop": ("reach", "bend"),
    "give": ("reach", "reach_b"),
}
"""The poses that an act goes through, again and again."""
TEMPO = {1: 4, 2: 2, 3: 1, 4: 1, 5: 1}
"""Frames that a pose of a cycle lasts, by the deed's step."""

_HEAD: list[Rect] = [(0, 7, 5, 11, SKIN), (0, 2, 4, 12, HAIR)]
_LONG_HAIR: list[Rect] = [(0, 9, 3, 5, HAIR), (0, 9, 11, 13, HAIR)]
_TORSO: list[Rect] = [(7, 15, 4, 12, SHIRT)]
_SKIRT: list[Rect] = [(15, 19, 2, 14, LEGS)]
_ARMS_DOWN: list[Rect] = [(8, 15, 2, 4, SKIN), (8, 15, 12, 14, SKIN)]

_STRIDES: list[list[Rect]] = [[(15, 24, 2, 5, LEGS), (15, 24, 11, 14, LEGS)], [(15, 24, 6, 10, LEGS)]]
_LEGS: dict[str, list[Rect]] = {
    "stand": [(15, 24, 4, 7, LEGS), (15, 24, 9, 12, LEGS)],
    "step_a": _STRIDES[0],
    "step_b": _STRIDES[1],
    "run_a": [(15, 20, 1, 5, LEGS), (15, 19, 11, 16, LEGS)],
    "run_b": [(15, 24, 6, 9, LEGS), (16, 19, 9, 14, LEGS)],
    "sit": [(19, 24, 4, 16, LEGS)],
    "sit_b": [(19, 24, 4, 16, LEGS)],
    "air": [(15, 20, 4, 7, LEGS), (15, 20, 9, 12, LEGS)],
    "lift_a": _STRIDES[0],
    "lift_b": _STRIDES[1],
    "push_a": [(15, 20, 2, 6, LEGS), (20, 24, 0, 4, LEGS), (15, 24, 9, 12, LEGS)],
    "push_b": [(15, 24, 5, 8, LEGS), (15, 20, 8, 12, LEGS), (20, 24, 6, 10, LEGS)],
}
_ARMS: dict[str, list[Rect]] = {
    "run_a": [(8, 10, 0, 4, SKIN), (9, 11, 12, 16, SKIN)],
    "run_b": [(8, 10, 12, 16, SKIN), (11, 13, 0, 4, SKIN)],
    "wave_a": [(8, 15, 2, 4, SKIN), (0, 10, 12, 16, SKIN)],
    "wave_b": [(8, 15, 2, 4, SKIN), (8, 18, 12, 16, SKIN)],
    "lift_a": [(0, 10, 1, 4, SKIN), (0, 10, 12, 15, SKIN)],
    "lift_b": [(0, 10, 1, 4, SKIN), (0, 10, 12, 15, SKIN)],
    "push_a": [(8, 10, 11, 16, SKIN), (12, 14, 11, 16, SKIN)],
    "push_b": [(8, 10, 11, 16, SKIN), (12, 14, 11, 16, SKIN)],
    "reach": [(8, 15, 2, 4, SKIN), (8, 11, 12, 16, SKIN)],
    "reach_b": [(8, 15, 2, 4, SKIN), (8, 11, 12, 16, SKIN)],
    "raise": [(0, 10, 1, 4, SKIN), (0, 10, 12, 15, SKIN)],
    "arms_in": [(8, 13, 4, 12, SKIN)],
    "arms_out": [(7, 11, 0, 4, SKIN), (7, 11, 12, 16, SKIN)],
    "sing": [(8, 11, 0, 4, SKIN), (8, 11, 12, 16, SKIN), (3, 6, 6, 10, LEGS)],
    "sing_b": [(8, 11, 0, 4, SKIN), (8, 11, 12, 16, SKIN), (3, 6, 6, 10, LEGS)],
    "air": [(2, 9, 1, 4, SKIN), (2, 9, 12, 15, SKIN)],
    "side": [(8, 15, 7, 9, SKIN)],
    "back": [(8, 15, 2, 4, SKIN), (8, 15, 12, 14, SKIN), (0, 6, 5, 11, HAIR)],
}
_NARROW: list[Rect] = [(0, 7, 6, 10, SKIN), (0, 2, 5, 10, HAIR), (7, 15, 6, 10, SHIRT), (15, 24, 6, 10, LEGS)]


@lru_cache(maxsize=1)
def people() -> NDArray[np.uint8]:
    """All drawings of people: ``(gender, pose, facing, height, width)``, facing right first."""
    right = np.stack([[_person(gender, pose) for pose in POSES] for gender in GENDERS])
    return np.stack([right, right[..., ::-1]], axis=2)


def _person(gender: str, pose: str) -> NDArray[np.uint8]:
    woman = gender == "woman"
    if pose == "side":
        rects = [*_NARROW, *_ARMS["side"], *([(0, 9, 4, 6, HAIR), (15, 19, 4, 12, LEGS)] if woman else [])]
        return _draw(rects, PERSON_SHAPE)
    rects = [*_HEAD, *(_LONG_HAIR if woman else []), *_TORSO, *_LEGS.get(pose, _LEGS["stand"])]
    rects += [*(_SKIRT if woman and pose not in SITTING else []), *_ARMS.get(pose, _ARMS_DOWN)]
    return _bent(_draw(rects, PERSON_SHAPE), pose)


def _bent(drawing: NDArray[np.uint8], pose: str) -> NDArray[np.uint8]:
    bent = drawing.copy()
    if pose in {"bend", "bend_b"}:  # the upper body comes down and forward
        low, ahead = (6, 4) if pose == "bend" else (3, 2)
        bent[:15] = 0
        bent[low:15] = np.roll(drawing[:15], ahead, axis=1)[: 15 - low]
        bent[9:18, 12:16] = SKIN
    if pose == "sing_b":  # a nod
        bent[:3] = 0
        bent[3:10] = drawing[:7]
    if pose in SITTING:
        bent[5:20] = np.roll(drawing[:15], 2 * (pose == "sit_b"), axis=1)
        bent[:5] = 0
    if pose == "reach_b":  # leaning forward
        bent[:15] = np.roll(drawing[:15], 2, axis=1)
    if pose in {"sway_left", "sway_right"}:
        bent[:12] = np.roll(drawing[:12], -2 if pose == "sway_left" else 2, axis=1)
    return bent


@lru_cache(maxsize=1)
def objects() -> NDArray[np.uint8]:
    """All drawings of objects, in the order of ``OBJECTS``: ``(object, height, width)``."""
    return np.stack([_draw(_OBJECTS[name], OBJECT_SHAPE) for name in OBJECTS])


_OBJECTS: dict[str, list[Rect]] = {
    "ball": [(1, 9, 2, 8, THING), (2, 8, 1, 9, THING), (4, 6, 1, 9, THING_DARK)],
    "box": [(1, 10, 0, 10, THING), (4, 6, 0, 10, THING_DARK)],
    "cup": [(2, 10, 1, 7, THING), (3, 8, 7, 10, THING_DARK)],
    "book": [(1, 9, 1, 9, THING), (1, 9, 4, 5, THING_DARK)],
    "hat": [(1, 6, 3, 8, THING), (6, 9, 0, 10, THING), (5, 6, 3, 8, THING_DARK)],
    "bag": [(3, 10, 1, 9, THING), (0, 3, 3, 7, THING_DARK)],
    "lamp": [(0, 5, 1, 9, THING), (5, 9, 4, 6, THING_DARK), (9, 10, 2, 8, THING)],
    "guitar": [(5, 10, 1, 9, THING), (0, 5, 4, 6, THING_DARK), (3, 7, 2, 8, THING)],
    "drum": [(2, 9, 1, 9, THING), (2, 4, 0, 10, THING_DARK), (8, 10, 0, 10, THING_DARK)],
    "bottle": [(4, 10, 2, 8, THING), (1, 4, 4, 6, THING), (0, 1, 4, 6, THING_DARK)],
    "flower": [(0, 6, 1, 9, THING), (2, 4, 4, 6, THING_DARK), (6, 10, 4, 6, THING)],
    "umbrella": [(0, 5, 0, 10, THING), (5, 9, 4, 6, THING_DARK), (8, 10, 2, 6, THING)],
    "phone": [(0, 10, 2, 8, THING), (8, 9, 4, 6, THING_DARK)],
    "clock": [(1, 9, 1, 9, THING), (0, 10, 3, 7, THING), (2, 6, 5, 6, THING_DARK), (5, 6, 5, 8, THING_DARK)],
    "candle": [(3, 10, 2, 8, THING), (0, 3, 4, 6, THING_DARK), (8, 10, 0, 10, THING)],
    "key": [(0, 6, 0, 6, THING), (2, 4, 2, 4, THING_DARK), (5, 7, 5, 10, THING), (6, 10, 8, 10, THING)],
}


def _draw(rects: list[Rect], shape: tuple[int, int]) -> NDArray[np.uint8]:
    drawing = np.zeros(shape, np.uint8)
    for top, bottom, left, right, part in rects:
        drawing[top:bottom, left:right] = part
    return drawing
