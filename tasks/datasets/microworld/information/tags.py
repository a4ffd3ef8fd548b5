"""Co-occurrence: compound tags that follow from two others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import World
from reelbench.tasks.datasets.microworld.script import Story
from reelbench.tasks.datasets.microworld.tags import tag_numbers
from reelbench.tasks.datasets.microworld.world import COMPOUNDS, TAGS

Tags = frozenset[str]


def compounds(world: World) -> Iterator[Item]:
    """A clip's compound tags, all right, by an oracle that knows the other tags and what goes with them, or neither.

    Both name what is there more often than not: where its parts are, or anywhere.
    """
    seen = [tags for _, tags in _clips(world, world.train)]
    there = Counter(name for tags in seen for name in tags if name in COMPOUNDS)
    possible = Counter(name for tags in seen for name in _followers(tags))
    followed = Counter(name for tags in seen for name in _followers(tags) & tags)
    usual = {name for name in COMPOUNDS if there[name] > len(seen) / 2}
    reliable = {name for name in COMPOUNDS if followed[name] > possible[name] / 2}
    for family, tags in _clips(world, world.test):
        right = tags & COMPOUNDS.keys()
        linked = (_followers(tags) & reliable) | usual
        yield Item(family, float(linked == right), float(usual == right), 0.0)


def _followers(tags: Tags) -> Tags:
    """The compounds whose parts are there."""
    return frozenset(name for name, parts in COMPOUNDS.items() if tags.issuperset(parts))


def _clips(world: World, stories: list[Story]) -> Iterator[tuple[str, Tags]]:
    for story in stories:
        for clip in range(len(story.events)):
            yield story.family, frozenset(TAGS[number] for number in tag_numbers(world.corpus, story, clip))


CLAIMS = (
    Claim(
        "tags tell the compounds that follow from them",
        "BN-LSTM",
        "tagging:all-labels",
        "clips with every compound tag right",
        "cooccurrence",
        "tagging: 200 long-tailed tags with co-occurrence",
        compounds,
    ),
)
