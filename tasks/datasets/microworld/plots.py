"""Plots: which scenes the five stories of a family have. A scene is an event without its time.

Stories come in families of five, of three kinds:

- *bound*: in each scene the same people do the same deeds in the same place, and the five stories differ in who does
  what; so their five sentences are alike, each is right for one of the five, and neither people nor deeds alone tell.
- *sequel*: stories that share four scenes of five, or all five in another order.
- *chained*: stories of their own, in which a scene starts where the last ended: only who holds the treasure can
  carry, drop or give it, only what lies on the ground can be taken, and deeds may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from reelbench.tasks.datasets.microworld.deeds import Possible
from reelbench.tasks.datasets.microworld.script import CAST, CLIPS, NOBODY, THINGS, Deed, Person
from reelbench.tasks.datasets.microworld.sizes import FAMILY, Corpus
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import (
    GENDERS,
    HAIRS,
    HEARD_ONLY,
    NAMES,
    OBJECTS,
    PLACES,
    SHIRTS,
    SKINS,
    VERBS,
)

KINDS = ("bound", "chained", "sequel", "chained", "bound")
"""The kinds of families, in turn."""
FILMED = ("train", "validation", "test", "unlabelled")
"""Splits with families of all kinds; in others all stories are chained."""
PLACE_WEIGHTS = (24, 20, 16, 12, 10, 8, 6, 4)
OBJECT_WEIGHTS = (32, 26, 20, 15, 12, 10, 8, 6, 5, 4, 3, 3, 2, 2, 1, 1)
SHARED_SHIRT_PERCENT = 50
HEARD_PERCENT = 35
REPEAT_PERCENT = 55
MOVE_PERCENT = 40
TREASURE_PERCENT = 45
SEEN_ON_GROUND_PERCENT = 60
THIRD_PERSON_PERCENT = 65
THIRD_ACT_PERCENT = 40


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody's deed in a scene."""

    actor: int
    deed: Deed
    recipient: int = NOBODY


@dataclass(frozen=True, slots=True)
class Scene:
    """Who does what where; ``parts`` in the order of their time."""

    place: int
    parts: tuple[Part, ...]
    told: int
    visible: tuple[int, ...]
    holder: int
    treasure_seen: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """One story's people, objects and scenes."""

    cast: tuple[Person, ...]
    things: tuple[str, ...]
    scenes: tuple[Scene, ...]


def kind_of(split: str, family: int) -> str:
    """``bound``, ``sequel`` or ``chained``."""
    return KINDS[family % len(KINDS)] if split in FILMED else "chained"


@lru_cache(maxsize=4)
def plot_family(corpus: Corpus, split: str, family: int) -> tuple[Plot, ...]:
    """The plots of the five stories of a family."""
    key, unseen = (corpus.seed, split, family), split in {"validation", "test"}
    kind = kind_of(split, family)
    if kind == "chained":
        return tuple(
            _chained(Stream(*key, member, "plot"), corpus, unseen=unseen) for member in range(FAMILY)
        )
    stream = Stream(*key, "plot")
    cast, things = draw_cast(stream), draw_things(stream)
    possible = Possible(corpus, things, unseen)
    write = _bound if kind == "bound" else _sequel
    return tuple(Plot(cast, things, scenes) for scenes in write(stream, possible))


def draw_cast(stream: Stream) -> tuple[Person, ...]:
    """Three people whom gender and shirt tell apart; two of them share a shirt or a face."""
    faces = stream.shuffled([(skin, hair) for skin in range(len(SKINS)) for hair in range(len(HAIRS))])[:CAST]
    shirts = stream.shuffled(tuple(SHIRTS))[:CAST]
    genders = [stream.pick(GENDERS) for _ in range(CAST)]
    one, other = stream.shuffled(range(CAST))[:2]
    if stream.chance(SHARED_SHIRT_PERCENT):
        shirts[other], genders[other] = shirts[one], GENDERS[1 - GENDERS.index(genders[one])]
    else:
        faces[other] = faces[one]
    names = {gender: stream.shuffled(NAMES[gender]) for gender in GENDERS}
    voices = stream.shuffled(range(4))
    return tuple(
        Person(names[gender].pop(), gender, shirts[i], *faces[i], voices[i])
        for i, gender in enumerate(genders)
    )


def draw_things(stream: Stream) -> tuple[str, ...]:
    """The objects of a story, frequent ones more often; the treasure is any of them."""
    left, weights, chosen = list(OBJECTS), list(OBJECT_WEIGHTS), list[str]()
    while len(chosen) < THINGS:
        index = stream.weighted(range(len(left)), weights)
        chosen.append(left.pop(index))
        weights.pop(index)
    treasure = stream.below(THINGS)
    return chosen[treasure], *chosen[:treasure], *chosen[treasure + 1 :]


def _place(stream: Stream) -> int:
    return stream.weighted(range(len(PLACES)), PLACE_WEIGHTS)


def _bound(stream: Stream, possible: Possible) -> list[tuple[Scene, ...]]:
    slots = [_bound_slot(stream, possible) for _ in range(CLIPS)]
    return [tuple(slot[member] for slot in slots) for member in range(FAMILY)]


def _bound_slot(stream: Stream, possible: Possible) -> list[Scene]:
    """Five scenes of the same people, deeds and place, each sentence of which is false for the four others."""
    a, b, c = stream.shuffled(range(CAST))
    heard = possible.corpus.has("audio") and stream.chance(HEARD_PERCENT)
    x = Deed(stream.pick(HEARD_ONLY)) if heard else possible.draw(stream)
    z = possible.twin(stream, x)
    y = possible.draw(stream, without={x.verb, z.verb})
    place = _place(stream)
    pairs = [((a, x), (b, y)), ((a, y), (b, x)), ((c, x), (b, y)), ((c, y), (b, x)), ((a, z), (b, y))]
    return [_bound_scene(stream, possible, place, *pair) for pair in stream.shuffled(pairs)]


def _bound_scene(
    stream: Stream, possible: Possible, place: int, told: tuple[int, Deed], other: tuple[int, Deed]
) -> Scene:
    parts = [Part(*told), *([Part(*other)] if possible.corpus.has("binding") else [])]
    order = stream.shuffled(range(len(parts)))
    holder = told[0] if possible.corpus.has("gaze") else stream.below(CAST)
    seen = possible.corpus.has("objects")
    visible = tuple(stream.shuffled(range(CAST)))
    return Scene(
        place, tuple(parts[i] for i in order), order.index(0), visible, holder if seen else NOBODY, seen
    )


def _sequel(stream: Stream, possible: Possible) -> list[tuple[Scene, ...]]:
    """A story, the same with one scene replaced, with another one replaced, and in two other orders."""
    if not possible.corpus.has("order"):
        return [_cut_scenes(stream, possible, CLIPS) for _ in range(FAMILY)]
    scenes = _cut_scenes(stream, possible, CLIPS + 2)
    base, spare = scenes[:CLIPS], scenes[CLIPS:]
    first, second = stream.shuffled(range(CLIPS))[:2]
    orders = _other_orders(stream, 2)
    return [
        base,
        (*base[:first], spare[0], *base[first + 1 :]),
        (*base[:second], spare[1], *base[second + 1 :]),
        *(tuple(base[i] for i in order) for order in orders),
    ]


def _other_orders(stream: Stream, count: int) -> list[list[int]]:
    orders: list[list[int]] = []
    while len(orders) < count:
        order = stream.shuffled(range(CLIPS))
        if order != list(range(CLIPS)) and order not in orders:
            orders.append(order)
    return orders


def _cut_scenes(stream: Stream, possible: Possible, count: int) -> tuple[Scene, ...]:
    """Scenes that stand alone; no two tell the same."""
    scenes: list[Scene] = []
    while len(scenes) < count:
        keeper = stream.below(CAST)
        part, holder = _treasure_part(stream, possible, keeper, stream.pick((keeper, keeper, keeper, NOBODY)))
        if holder == NOBODY and part.deed.verb != "take":
            holder = keeper
        scene = _scene(stream, possible, _place(stream), part, holder)
        if all((part.actor, part.deed) != (s.parts[s.told].actor, s.parts[s.told].deed) for s in scenes):
            scenes.append(scene)
    return tuple(scenes)


def _chained(stream: Stream, corpus: Corpus, *, unseen: bool) -> Plot:
    """A story in which a scene starts where the last ended."""
    cast, things = draw_cast(stream), draw_things(stream)
    possible = Possible(corpus, things, unseen)
    if not corpus.has("order"):
        return Plot(cast, things, _cut_scenes(stream, possible, CLIPS))
    keeper = holder = stream.below(CAST)
    place, scenes = _place(stream), list[Scene]()
    for _ in range(CLIPS):
        part, before = _next_part(stream, possible, scenes, keeper, holder)
        scenes.append(_scene(stream, possible, place, part, before))
        keeper, holder = _kept(part, before)
        if stream.chance(MOVE_PERCENT):
            place = _place(stream)
    return Plot(cast, things, tuple(scenes))


def _next_part(
    stream: Stream, possible: Possible, scenes: list[Scene], keeper: int, holder: int
) -> tuple[Part, int]:
    """What is told next and who holds the treasure before it; now and then it is what was told before."""
    told = [scene.parts[scene.told] for scene in scenes]
    again = [part for part in told if part.actor == keeper and not VERBS[part.deed.verb].handles_treasure]
    if again and stream.chance(REPEAT_PERCENT):
        return stream.pick(again), holder
    return _treasure_part(stream, possible, keeper, holder)


def _treasure_part(stream: Stream, possible: Possible, keeper: int, holder: int) -> tuple[Part, int]:
    """The keeper's deed, with the treasure or without; one that lies on the ground may be taken by anybody."""
    if not possible.corpus.has("objects"):
        return Part(keeper, possible.draw(stream)), NOBODY
    if not stream.chance(TREASURE_PERCENT):
        return Part(keeper, possible.draw(stream)), holder
    if holder == NOBODY:
        return Part(stream.below(CAST), possible.draw(stream, ("ground",))), NOBODY
    deed = possible.draw(stream, ("held",))
    others = [person for person in range(CAST) if person != keeper]
    return Part(keeper, deed, stream.pick(others) if deed.verb == "give" else NOBODY), holder


def _kept(part: Part, holder: int) -> tuple[int, int]:
    """(keeper, holder) after a scene: who is given the treasure keeps it, who drops it is its keeper still."""
    if part.deed.verb == "take":
        return part.actor, part.actor
    if part.deed.verb == "give":
        return part.recipient, part.recipient
    return part.actor, NOBODY if part.deed.verb == "drop" else holder


def _scene(stream: Stream, possible: Possible, place: int, part: Part, holder: int) -> Scene:
    """A scene about a part, with what others do before and after it."""
    others = [person for person in stream.shuffled(range(CAST)) if person not in (part.actor, part.recipient)]
    if part.recipient != NOBODY:
        others = [part.recipient, *others]
    company = others[: 1 + stream.chance(THIRD_PERSON_PERCENT)]
    if holder not in (NOBODY, part.actor) and holder not in company:
        company[-1] = holder
    parts = [part]
    if possible.corpus.has("binding"):
        for k in range(1 + stream.chance(THIRD_ACT_PERCENT)):
            actor = company[k % len(company)]
            done = {p.deed.verb for p in parts}
            parts.append(Part(actor, possible.draw(stream, without=done)))
    order = stream.shuffled(range(len(parts)))
    told = order.index(0) if possible.corpus.has("gaze") else stream.below(len(parts))
    seen = possible.corpus.has("objects") and (
        holder != NOBODY or part.deed.verb == "take" or stream.chance(SEEN_ON_GROUND_PERCENT)
    )
    visible = tuple(stream.shuffled([part.actor, *company]))
    return Scene(place, tuple(parts[i] for i in order), told, visible, holder, seen)


def swap_looks(stream: Stream, cast: tuple[Person, ...]) -> tuple[Person, ...]:
    """The cast as other people, of the same genders and names."""
    others = draw_cast(stream)
    return tuple(
        replace(person, shirt=other.shirt, skin=other.skin, hair=other.hair, voice=other.voice)
        for person, other in zip(cast, others, strict=True)
    )
