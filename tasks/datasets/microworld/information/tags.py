"""Co-occurrence: compound tags that follow from two others."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import Habit, World
from reelbench.tasks.datasets.microworld.script import Story
from reelbench.tasks.datasets.microworld.tags import tag_numbers
from reelbench.tasks.datasets.microworld.world import COMPOUNDS, TAGS

Tags = frozenset[str]


def compounds(world: World) -> Iterator[Item]:
    """A clip's compound tags, all right, by an oracle that knows the others and what goes with what, or how frequent each is."""
    seen = list(_clips(world, world.train))
    pairs = [(_evidence(tags, name), name in tags) for _, tags in seen for name in COMPOUNDS]
    together = Habit.learn(pairs)
    alone = Habit.learn((key[0], is_there) for key, is_there in pairs)
    usual = frozenset(name for name in COMPOUNDS if alone.guess(name))
    for family, tags in _clips(world, world.test):
        right = tags & COMPOUNDS.keys()
        linked = frozenset(name for name in COMPOUNDS if together.guess(_evidence(tags, name)))
        yield Item(family, float(linked == right), float(usual == right), 0.0)


def _evidence(tags: Tags, name: str) -> tuple[Hashable, ...]:
    return name, tags.issuperset(COMPOUNDS[name])


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
