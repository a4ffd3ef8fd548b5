"""Shared content: what a sentence says is what a film of the same content shows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import Habit, World
from reelbench.tasks.datasets.microworld.language import NOUNS, Sentence, caption
from reelbench.tasks.datasets.microworld.script import Event, Story
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import SHIRTS

Facts = tuple[Hashable, Hashable, Hashable]
"""Place, direction, and the actor's (gender, shirt)."""
Read = tuple[str, Facts, Facts]
"""Family, what the sentence says, what the film shows."""
FACTS = 3


def measure(*, paired: bool) -> Callable[[World], Iterator[Item]]:
    """Place, way and actor, each right, by an oracle that reads a sentence of the clip, or names the usual ones.

    Not ``paired``: the sentence is that of another clip, in training too.
    """

    def items(world: World) -> Iterator[Item]:
        train, test = (_read(world, stories, paired=paired) for stories in (world.train, world.test))
        for fact in range(FACTS):
            habit = Habit.learn((said[fact], shown[fact]) for _, said, shown in train)
            for family, said, shown in test:
                told, usual = habit.guess(said[fact]), habit.overall
                yield Item(
                    family,
                    float(told == shown[fact]),
                    float(usual == shown[fact]),
                    float(usual == shown[fact]),
                )

    return items


def _read(world: World, stories: Sequence[Story], *, paired: bool) -> list[Read]:
    clips = [(story, clip) for story in stories for clip in range(len(story.events))]
    said = [_say(world, *clip) for clip in clips]
    if not paired:
        said = Stream(world.corpus.seed, stories[0].key, "sharing").shuffled(said)
    return [(s.family, what, _show(s.events[clip])) for (s, clip), what in zip(clips, said, strict=True)]


def _say(world: World, story: Story, clip: int) -> Facts:
    sentence = caption(Stream(world.corpus.seed, story.key, clip, "sharing"), story.events[clip])
    nouns = (gender for token in sentence.tokens for gender, names in NOUNS.items() if token in names)
    colours = (token for token in sentence.tokens if token in SHIRTS)
    return _slot(sentence, "place"), _slot(sentence, "direction"), (next(nouns), next(colours))


def _slot(sentence: Sentence, kind: str) -> str:
    return next((sentence.tokens[place] for place, name in sentence.slots if name == kind), "")


def _show(event: Event) -> Facts:
    actor = event.looks[event.act.actor]
    return event.place, event.act.deed.direction, (actor.gender, actor.shirt)


CLAIMS = (
    Claim(
        "a sentence tells what its film shows",
        "SLR",
        "reconstruction",
        "place, way and actor, each right",
        "pairing",
        "several paraphrased sentences a clip; every script is rendered twice, differently",
        measure(paired=True),
        measure(paired=False),
        "sentences of other clips",
    ),
)
