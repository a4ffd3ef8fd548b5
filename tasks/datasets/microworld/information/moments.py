"""Language at every layer: queries that count what is repeated, or say after what it is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import World, share
from reelbench.tasks.datasets.microworld.language import ORDINALS
from reelbench.tasks.datasets.microworld.queries import AFTER, ORDINAL, what_is_said, write_queries
from reelbench.tasks.datasets.microworld.script import Story


def repeated(world: World) -> Iterator[Item]:
    """The clip of a query that counts or says "after", by an oracle that understands it, or what is told alone."""
    for story in world.test:
        for clip, kind, sentence in write_queries(world.corpus, story):
            if kind not in (ORDINAL, AFTER):
                continue
            alike = _alike(story, clip)
            meant = _counted(alike, sentence.tokens) if kind == ORDINAL else _after(story, alike, clip)
            yield Item(story.family, share(clip, meant), share(clip, alike), 1 / len(story.events))


def _alike(story: Story, clip: int) -> list[int]:
    """The clips of which a query holds, as far as it says what is done."""
    asked = what_is_said(story.events[clip], story.events[clip].act)
    return [
        c
        for c, event in enumerate(story.events)
        if any(what_is_said(event, act) == asked for act in event.acts)
    ]


def _counted(alike: Sequence[int], tokens: Sequence[str]) -> list[int]:
    """The clip that an ordinal picks."""
    return [alike[ORDINALS.index(word)] for word in tokens if word in ORDINALS]


def _after(story: Story, alike: Sequence[int], clip: int) -> list[int]:
    """The clips before which the same is told as before the one that is asked for."""
    before = what_is_said(story.events[clip - 1], story.events[clip - 1].act)
    return [c for c in alike if c and what_is_said(story.events[c - 1], story.events[c - 1].act) == before]


CLAIMS = (
    Claim(
        '"the second time" and "after" tell which clip',
        "ASST",
        "localization:spans",
        "clips found, of what is told more than once",
        "order",
        'language at every layer: repeated events, "the second time", "after"',
        repeated,
        asked_of="queries of what is told more than once",
    ),
)
