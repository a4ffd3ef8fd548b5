"""Order and hierarchy: galleries that share events, the same events reordered, and memory of who keeps the treasure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import World, told
from reelbench.tasks.datasets.microworld.script import CAST, NOBODY, Story, holder_after

SHARING = "hierarchy: galleries that share four events of five, and the same events reordered"
LATER = (
    "a later event depends on an earlier one (who carries what, who is where), so that order and memory pay"
)
View = Callable[[list[Hashable]], Hashable]


def in_order(events: list[Hashable]) -> Hashable:
    """Events as they follow each other."""
    return tuple(events)


def in_a_bag(events: list[Hashable]) -> Hashable:
    """Events, whatever follows what."""
    return frozenset(Counter(events).items())


def first_only(events: list[Hashable]) -> Hashable:
    """The first event."""
    return events[0]


def retrieve(view: View) -> Callable[[World], Iterator[Item]]:
    """The story that a paragraph tells, among all, asked about stories that share events: five in order, or a view."""

    def measure(world: World) -> Iterator[Item]:
        gallery = {story.id: [told(story, event) for event in story.events] for story in world.test}
        whole = Counter(in_order(list(events)) for events in gallery.values())
        partly = Counter(view(list(events)) for events in gallery.values())
        for family in world.families("sequel"):
            for story in family:
                events: list[Hashable] = list(gallery[story.id])
                scores = 1 / whole[in_order(events)], 1 / partly[view(events)]
                yield Item(story.family, *scores, 1 / len(gallery))

    return measure


def next_actor(world: World) -> Iterator[Item]:
    """Who acts next in a story that goes on, by an oracle that remembers who keeps the treasure, or anybody."""
    for family in world.families("chained"):
        for story in family:
            keepers = _keepers(story)
            for event, keeper in zip(story.events[1:], keepers, strict=False):
                guess = float(keeper == event.act.actor) if keeper != NOBODY else 1 / CAST
                yield Item(story.family, guess, 1 / CAST, 1 / CAST)


def _keepers(story: Story) -> list[int]:
    """Who keeps the treasure after each event: who holds it, or who held it last."""
    keepers, keeper = [], NOBODY
    for event in story.events:
        keeper = next((who for who in (holder_after(event), event.holder, keeper) if who != NOBODY), NOBODY)
        keepers.append(keeper)
    return keepers


CLAIMS = (
    Claim(
        "the order of events tells stories apart",
        "HSE",
        "retrieval:paragraph",
        "R@1 of stories that share events",
        "order",
        SHARING,
        retrieve(in_a_bag),
    ),
    Claim(
        "five clips tell stories apart that start alike",
        "HSE",
        "retrieval:paragraph",
        "R@1 of stories that share events",
        "order",
        SHARING,
        retrieve(first_only),
    ),
    Claim(
        "what happened tells who acts next",
        "TAPM, GEAN",
        "storytelling:sentence",
        "actors foretold in stories that go on",
        "order",
        LATER,
        next_actor,
    ),
)
