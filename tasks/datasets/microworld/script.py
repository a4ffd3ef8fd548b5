"""The script of a story: who does what to whom, where and when. The truth that everything else is made from.

A later event depends on earlier ones: only who holds the object can carry, throw, drop or give it, only an object
that lies on the ground can be taken or pushed, and whoever carries something may take the story to another place.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.streams import Stream, short_hash
from reelbench.tasks.datasets.microworld.world import (
    DIRECTIONS,
    GENDERS,
    MANNERS,
    NAMES,
    OBJECTS,
    PLACES,
    SHIRTS,
    UNSEEN_ACTIONS,
    VERBS,
    Verb,
    action_name,
)

FRAMES_PER_SECOND = 4
STORY_FRAMES = 120
CLIPS = 5
CLIP_FRAMES = (16, 32)
CAST = 3
NOBODY = -1

PLACE_WEIGHTS = (24, 20, 16, 12, 10, 8, 6, 4)
OBJECT_WEIGHTS = (24, 20, 16, 12, 10, 8, 6, 4)
VERB_WEIGHTS = {
    "walk": 5,
    "run": 4,
    "carry": 12,
    "push": 10,
    "throw": 6,
    "take": 12,
    "drop": 5,
    "give": 9,
    "sing": 2,
}
PLAIN_WEIGHT = 3
MOVE_PERCENT = 60
STEPS = {"": 2, "slowly": 1, "quickly": 3}
FAST_STEPS = {"run": 5, "throw": 4}
ROOM = {"left": 60, "right": 60, "up": 48, "down": 48}


@dataclass(frozen=True, slots=True)
class Person:
    """A character of one story."""

    name: str
    gender: str
    shirt: str
    skin: int
    hair: int
    voice: int


@dataclass(frozen=True, slots=True)
class Event:
    """What one clip shows. Frames count from the story's start; ``last`` and ``action_last`` are exclusive."""

    first: int
    last: int
    action_first: int
    action_last: int
    place: int
    verb: str
    direction: str
    manner: str
    actor: int
    recipient: int
    holder: int
    """Who holds the object when the clip starts, or ``NOBODY``."""
    visible: tuple[int, ...]
    """Who is on screen, the actor first."""

    @property
    def action(self) -> str:
        """The action's class."""
        return action_name(self.verb, self.direction)

    @property
    def step(self) -> int:
        """Pixels a frame of what moves; also the tempo of what does not."""
        return FAST_STEPS.get(self.verb, STEPS[self.manner])

    @property
    def handles_object(self) -> bool:
        """Whether the object takes part."""
        return bool(VERBS[self.verb].needs)


@dataclass(frozen=True, slots=True)
class Story:
    """One script. ``key`` names its random streams (``train/17``), ``id`` is what others see."""

    key: str
    id: str
    cast: tuple[Person, ...]
    thing: str
    events: tuple[Event, ...]


def write_story(corpus: Corpus, split: str, index: int) -> Story:
    """The script of a story; the same arguments always give the same one."""
    key = f"{split}/{index}"
    stream = Stream(corpus.seed, key, "script")
    cast = _cast(stream)
    thing = stream.weighted(tuple(OBJECTS), OBJECT_WEIGHTS)
    held_out = split in {"validation", "test"}
    return Story(
        key, short_hash(corpus.seed, key), cast, thing, _events(stream, cast, unseen_allowed=held_out)
    )


def _cast(stream: Stream) -> tuple[Person, ...]:
    shirts = stream.shuffled(tuple(SHIRTS))[:CAST]
    genders = [stream.pick(GENDERS) for _ in range(CAST)]
    names = {gender: stream.shuffled(NAMES[gender]) for gender in GENDERS}
    voices = stream.shuffled(range(4))
    return tuple(
        Person(names[gender].pop(), gender, shirt, stream.below(2), stream.below(2), voices[i])
        for i, (gender, shirt) in enumerate(zip(genders, shirts, strict=True))
    )


def _events(stream: Stream, cast: tuple[Person, ...], *, unseen_allowed: bool) -> tuple[Event, ...]:
    place, holder, events = stream.weighted(range(len(PLACES)), PLACE_WEIGHTS), NOBODY, []
    previous = NOBODY
    bounds = _bounds(stream)
    for first, last in itertools.pairwise(bounds):
        actor = _actor(stream, holder, previous)
        event = _event(stream, (first, last), place, actor, holder, unseen_allowed=unseen_allowed)
        events.append(event)
        holder, previous = holder_after(event), actor
        if event.verb in {"carry", "walk", "run"} and holder != NOBODY and stream.chance(MOVE_PERCENT):
            place = stream.weighted(range(len(PLACES)), PLACE_WEIGHTS)
    return tuple(events)


def _bounds(stream: Stream) -> list[int]:
    low, high = CLIP_FRAMES
    while True:
        lengths = [stream.between(low, high) for _ in range(CLIPS - 1)]
        last = STORY_FRAMES - sum(lengths)
        if low <= last <= high:
            return [sum([*lengths, last][:i]) for i in range(CLIPS + 1)]


def _actor(stream: Stream, holder: int, previous: int) -> int:
    if holder != NOBODY and stream.chance(70):
        return holder
    if previous != NOBODY and stream.chance(30):
        return previous
    return stream.below(CAST)


def _event(
    stream: Stream, span: tuple[int, int], place: int, actor: int, holder: int, *, unseen_allowed: bool
) -> Event:
    verb, direction = _action(stream, actor, holder, unseen_allowed)
    manner = stream.pick(MANNERS) if verb.mannered else ""
    others = stream.shuffled([p for p in range(CAST) if p != actor])
    recipient = others[0] if verb.name == "give" else NOBODY
    company = others[: stream.weighted((0, 1, 2), (25, 55, 20))]
    visible = list(dict.fromkeys([actor, *([recipient] if recipient != NOBODY else []), *company]))
    first, last = span
    start = first + stream.between(2, 4)
    stop = last - stream.between(1, 3)
    if verb.directed:
        stop = min(stop, start + ROOM[direction] // FAST_STEPS.get(verb.name, STEPS[manner]))
    return Event(
        first,
        last,
        start,
        stop,
        place,
        verb.name,
        direction,
        manner,
        actor,
        recipient,
        holder,
        tuple(visible),
    )


def _action(stream: Stream, actor: int, holder: int, unseen_allowed: bool) -> tuple[Verb, str]:
    possible = [verb for verb in VERBS.values() if _possible(verb, actor, holder)]
    while True:
        verb = stream.weighted(possible, [VERB_WEIGHTS.get(v.name, PLAIN_WEIGHT) for v in possible])
        direction = stream.pick(DIRECTIONS) if verb.directed else ""
        if unseen_allowed or action_name(verb.name, direction) not in UNSEEN_ACTIONS:
            return verb, direction


def _possible(verb: Verb, actor: int, holder: int) -> bool:
    if verb.needs == "held":
        return holder == actor
    if verb.needs == "ground":
        return holder == NOBODY
    return True


def holder_after(event: Event) -> int:
    """Who holds the object when a clip ends."""
    after = {"take": event.actor, "give": event.recipient, "drop": NOBODY, "throw": NOBODY}
    return after.get(event.verb, event.holder)
