"""Concepts: small objects that sentences name and few sentences tell."""

from __future__ import annotations

from collections.abc import Iterator

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import Habit, World
from reelbench.tasks.datasets.microworld.script import Event


def whole_sentence(world: World) -> Iterator[Item]:
    """Sentences with every word right, by an oracle that sees objects, or names the verb's usual one."""
    habit = Habit.learn(
        (event.act.deed.verb, event.act.deed.thing) for story in world.train for event in story.events
    )
    for story in world.test:
        for event in story.events:
            yield Item(story.family, 1.0, float(_named(habit, event) == event.act.deed.thing), 0.0)


def _named(habit: Habit[str], event: Event) -> str:
    return habit.guess(event.act.deed.verb)


CLAIMS = (
    Claim(
        "objects tell the words that name them",
        "CT-SAN",
        "captioning:clip",
        "sentences with every word right",
        "objects",
        "small objects crossing cells, long-tailed words, few captions",
        whole_sentence,
    ),
)
