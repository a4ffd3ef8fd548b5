"""The script of a story: who does what to whom, where and when. The truth that everything else is made from.

A story has five clips, and each clip shows two or three acts of different people, one after the other. Sentences tell
one of them: that of the *keeper*, who holds the story's treasure or held it last. A deed is an act without its time.
"""

from __future__ import annotations

from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.world import VERBS, action_name

FRAMES_PER_SECOND = 4
STORY_FRAMES = 120
CLIPS = 5
CLIP_FRAMES = (16, 32)
CAST = 3
THINGS = 6
"""Objects that a story draws on; the first is its treasure."""
NOBODY = -1

STEPS = {"": 2, "slowly": 1, "quickly": 3}
FAST_STEPS = {"run": 5, "throw": 4}


@dataclass(frozen=True, slots=True)
class Person:
    """A character of one story. ``skin`` and ``hair`` make the face."""

    name: str
    gender: str
    shirt: str
    skin: int
    hair: int
    voice: int


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does."""

    verb: str
    direction: str = ""
    manner: str = ""
    thing: str = ""
    """The object that takes part, or nothing."""

    @property
    def action(self) -> str:
        """The action's class."""
        return action_name(self.verb, self.direction)

    @property
    def step(self) -> int:
        """Pixels a frame of what moves; also the tempo of what does not."""
        return FAST_STEPS.get(self.verb, STEPS[self.manner])


@dataclass(frozen=True, slots=True)
class Act:
    """A deed of somebody in some frames of the story; ``last`` is exclusive."""

    first: int
    last: int
    actor: int
    deed: Deed
    recipient: int = NOBODY

    @property
    def handles_treasure(self) -> bool:
        """Whether the story's treasure takes part, rather than a prop or nothing."""
        return VERBS[self.deed.verb].handles_treasure


@dataclass(frozen=True, slots=True)
class Event:
    """What one clip shows. Frames count from the story's start; ``last`` is exclusive."""

    first: int
    last: int
    place: int
    acts: tuple[Act, ...]
    """In the order of their time."""
    told: int
    """Which of the acts the sentences are about."""
    visible: tuple[int, ...]
    """Who is on screen."""
    holder: int
    """Who holds the treasure when the clip starts, or ``NOBODY``."""
    treasure_seen: bool
    """Whether the treasure is there: in the holder's hand or on the ground."""
    watched: int
    """Whom viewers follow: who does what is told, except in a world without gaze."""
    looks: tuple[Person, ...]
    """How the cast looks here: as it is, except in a world without identity."""

    @property
    def act(self) -> Act:
        """The act that is told."""
        return self.acts[self.told]


@dataclass(frozen=True, slots=True)
class Story:
    """One script. ``key`` names its random streams (``train/17``), ``id`` is what others see.

    Stories of one ``family`` share people and events, so a statistic has to take them together.
    """

    key: str
    id: str
    family: str
    cast: tuple[Person, ...]
    things: tuple[str, ...]
    events: tuple[Event, ...]

    @property
    def treasure(self) -> str:
        """The object that the story is about."""
        return self.things[0]


def holder_after(event: Event) -> int:
    """Who holds the treasure when a clip ends."""
    act = next((act for act in event.acts if act.handles_treasure), None)
    if act is None:
        return event.holder
    return {"take": act.actor, "give": act.recipient, "drop": NOBODY}.get(act.deed.verb, event.holder)
