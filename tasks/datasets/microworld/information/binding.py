"""Binding and audio: who does what has to be put together, and some deeds are known by their sound alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

from reelbench.tasks.datasets.microworld.galleries import retrieved_clips
from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import World, done, look, share, told
from reelbench.tasks.datasets.microworld.script import CLIPS, Act, Deed, Event, Story
from reelbench.tasks.datasets.microworld.world import HEARD_ONLY

SUB_EVENTS = (
    "several sub-events a clip of which the sentence names one; role-swapped and sound-only negatives, "
    "every caption equally often right and wrong"
)
Slot = list[tuple[Story, Event]]
"""The clips of five alike stories that share their five sentences."""


def slots(world: World) -> Iterator[Slot]:
    """Each is one group of five questions."""
    for family in world.families("bound"):
        for clip in range(CLIPS):
            yield [(story, story.events[clip]) for story in family]


def choose(world: World) -> Iterator[Item]:
    """Five-way choice, by an oracle that knows who does what, or only who acts and what is done."""
    for slot in slots(world):
        choices = [event.act for _, event in slot]
        for story, event in slot:
            bound = [c for c in choices if _is_shown(c, event)]
            loose = [c for c in choices if _is_in_bags(c, event)]
            yield Item(story.family, _pick(event, bound), _pick(event, loose), 1 / len(choices))


def choose_by_sound(world: World) -> Iterator[Item]:
    """Five-way choice between deeds that differ by sound, by an oracle that hears, or only sees.

    Asked is about the clips that are so in the world with sound, whatever they show in its control.
    """
    for heard, slot in zip(slots(world.whole), slots(world), strict=True):
        choices = [event.act for _, event in slot]
        for (_, asked), (story, event) in zip(heard, slot, strict=True):
            twins = [other for _, other in heard if _seen(other.act) == _seen(asked.act)]
            if len(twins) == 1:
                continue
            hears = [c for c in choices if _is_shown(c, event)]
            sees = [c for c in choices if _seen(c) in {_seen(act) for act in event.acts}]
            yield Item(story.family, _pick(event, hears), _pick(event, sees), 1 / len(choices))


def colour_word(world: World) -> Iterator[Item]:
    """The shirt of whom a sentence is about, by an oracle that knows who does what, or only who acts."""
    shirts = {person.shirt for story in world.train for person in story.cast}
    for story in world.test:
        for event in story.events:
            gender, shirt = look(story, event.act.actor)
            acting = {look(story, act.actor) for act in event.acts}
            bound = {look(story, act.actor)[1] for act in event.acts if act.deed == event.act.deed}
            loose = {colour for kind, colour in acting if kind == gender}
            yield Item(story.family, share(shirt, bound), share(shirt, loose), 1 / len(shirts))


def retrieve(world: World) -> Iterator[Item]:
    """The clip that a sentence is about among one clip a story, with who does what, or the bags."""
    gallery = _shown_clips(world)
    pairs = [{(*done(s, act), e.place) for act in e.acts} for s, e in gallery]
    bags = [_bags(s, e) for s, e in gallery]
    for story, event in gallery:
        query = told(story, event)
        bound = sum(query in shown for shown in pairs)
        loose = sum(_fits(query, bag) for bag in bags)
        yield Item(story.family, 1 / bound, 1 / loose, 1 / len(gallery))


def _shown_clips(world: World) -> list[tuple[Story, Event]]:
    """The benchmark's gallery: one clip a story."""
    chosen = retrieved_clips([(record, record.shown) for record in world.test_records])
    return [(story, story.events[chosen[story.id]]) for story in world.test]


def _bags(story: Story, event: Event) -> tuple[set[Hashable], set[Hashable], int]:
    looks: set[Hashable] = {look(story, act.actor) for act in event.acts}
    return looks, {(act.deed, done(story, act)[2]) for act in event.acts}, event.place


def _fits(query: Sequence[Hashable], bags: tuple[set[Hashable], set[Hashable], int]) -> bool:
    actor, deed, other, place = query
    looks, deeds, where = bags
    return actor in looks and (deed, other) in deeds and place == where


def _is_shown(choice: Act, event: Event) -> bool:
    return any((choice.actor, choice.deed) == (act.actor, act.deed) for act in event.acts)


def _is_in_bags(choice: Act, event: Event) -> bool:
    return choice.actor in {act.actor for act in event.acts} and choice.deed in {
        act.deed for act in event.acts
    }


def _seen(act: Act) -> tuple[int, Deed | str]:
    """An act without its sound: who sings, shouts or whistles looks the same."""
    return act.actor, "voice" if act.deed.verb in HEARD_ONLY else act.deed


def _pick(event: Event, left: Sequence[Act]) -> float:
    """What a guess among the choices that are left gets; the right one is the act that is told."""
    fits = sum((c.actor, c.deed) == (event.act.actor, event.act.deed) for c in left)
    return fits / len(left)


def _claim(name: str, benchmark: str, metric: str, measure: Callable[[World], Iterator[Item]]) -> Claim:
    return Claim(name, "JSFusion", benchmark, metric, "binding", SUB_EVENTS, measure)


CLAIMS = (
    _claim("who does what tells alike sentences apart", "multiple_choice:choice", "accuracy", choose),
    _claim("who does what tells the colour word", "fill_in_blank:word", "accuracy of colours", colour_word),
    _claim("who does what tells the clip", "retrieval:sentence", "R@1", retrieve),
    Claim(
        "sound tells deeds apart that look alike",
        "JSFusion",
        "multiple_choice:choice",
        "accuracy where a choice sounds different only",
        "audio",
        SUB_EVENTS,
        choose_by_sound,
    ),
)
