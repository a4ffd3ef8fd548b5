"""What there is in the world: places, people's looks, objects, actions with direction and manner, and label spaces.

Colours are named by their levels of red, green and blue, 0 to 3, so that no two things share a colour by accident
(a test says so). Imports no numpy, so that listing stays fast.
"""

from __future__ import annotations

from dataclasses import dataclass

Levels = tuple[int, int, int]


def levels(code: str) -> Levels:
    """``"310"`` → ``(3, 1, 0)``."""
    red, green, blue = (int(digit) for digit in code)
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Place:
    """A background: wall, floor, and an accent that stands in it."""

    name: str
    wall: Levels
    floor: Levels
    accent: Levels


PLACES = tuple(
    Place(name, *map(levels, codes.split()))
    for name, codes in {
        "kitchen": "323 211 212",
        "garden": "133 131 130",
        "beach": "123 332 232",
        "office": "222 112 213",
        "street": "122 011 012",
        "forest": "021 121 120",
        "library": "220 100 210",
        "stage": "102 201 103",
    }.items()
)

SHIRTS: dict[str, Levels] = {
    name: levels(code)
    for name, code in {
        "red": "300",
        "green": "020",
        "blue": "003",
        "yellow": "330",
        "purple": "202",
        "orange": "310",
        "white": "333",
        "black": "000",
    }.items()
}
LEGS = {"man": levels("111"), "woman": levels("312")}
SKINS = (levels("321"), levels("110"), levels("322"))
HAIRS = (levels("101"), levels("331"), levels("113"))

OBJECTS: dict[str, Levels] = {
    name: levels(code)
    for name, code in {
        "ball": "302",
        "box": "320",
        "cup": "023",
        "book": "030",
        "hat": "303",
        "bag": "200",
        "lamp": "033",
        "guitar": "301",
        "drum": "233",
        "bottle": "031",
        "flower": "313",
        "umbrella": "230",
        "phone": "013",
        "clock": "032",
        "candle": "231",
        "key": "002",
    }.items()
}

GENDERS = ("man", "woman")
NAMES = {
    "man": ("adam", "boris", "carlos", "david", "emil", "frank", "george", "hugo", "ivan", "james"),
    "woman": ("anna", "bella", "clara", "diana", "emma", "fiona", "grace", "helen", "irene", "julia"),
}

DIRECTIONS = ("left", "right", "up", "down")
MANNERS = ("", "slowly", "quickly")


@dataclass(frozen=True, slots=True)
class Verb:
    """An action: whether it has a direction and a manner, and what it needs of which object."""

    name: str
    directed: bool = False
    mannered: bool = False
    needs: str = ""
    """``prop`` (an object of its own), the treasure ``held`` by the actor or on the ``ground``, or nothing."""

    @property
    def handles_treasure(self) -> bool:
        """Whether the object is the one that the story is about."""
        return self.needs in {"held", "ground"}


VERBS = {
    verb.name: verb
    for verb in (
        Verb("walk", directed=True, mannered=True),
        Verb("run", directed=True),
        Verb("jump", mannered=True),
        Verb("spin", mannered=True),
        Verb("wave", mannered=True),
        Verb("dance", mannered=True),
        Verb("sit"),
        Verb("clap", mannered=True),
        Verb("sing"),
        Verb("shout"),
        Verb("whistle"),
        Verb("push", directed=True, mannered=True, needs="prop"),
        Verb("throw", directed=True, needs="prop"),
        Verb("lift", mannered=True, needs="prop"),
        Verb("carry", directed=True, mannered=True, needs="held"),
        Verb("take", needs="ground"),
        Verb("drop", needs="held"),
        Verb("give", needs="held"),
    )
}
HEARD_ONLY = ("sing", "shout", "whistle")
"""Verbs that look the same and sound different."""

UNSEEN_ACTIONS = ("run left", "carry up", "push right", "throw down", "walk down")
SEEN_ACTIONS = tuple(
    name
    for verb in VERBS.values()
    for name in ([f"{verb.name} {way}" for way in DIRECTIONS] if verb.directed else [verb.name])
    if name not in UNSEEN_ACTIONS
)
ACTIONS = SEEN_ACTIONS + UNSEEN_ACTIONS
"""The label space of action recognition: the classes that training has, then those that it has not."""

HANDLING = tuple(verb.name for verb in VERBS.values() if verb.needs)
PLEASURES = ("dance", "sing", "run", "jump")
COMPOUNDS = {
    **{f"{verb} {thing}": (verb, thing) for verb in HANDLING for thing in OBJECTS},
    **{f"{place.name} {verb}": (place.name, verb) for place in PLACES for verb in PLEASURES},
}
"""Tags that follow from two others."""
TAGS = (
    *VERBS,
    *OBJECTS,
    *(place.name for place in PLACES),
    *SHIRTS,
    *GENDERS,
    "slow",
    "fast",
    *COMPOUNDS,
)
"""The label space of tagging: what happens, with what, where, who is there, how, and what follows from two of these."""


def action_name(verb: str, direction: str) -> str:
    """``("walk", "left")`` → ``"walk left"``; an action without direction is its verb."""
    return f"{verb} {direction}" if direction else verb
