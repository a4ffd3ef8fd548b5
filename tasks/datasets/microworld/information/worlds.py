"""A world as the oracles read it: its scripts, families, and what training shows to be frequent."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Generic, TypeVar

from reelbench.tasks.datasets.microworld.plots import kind_of
from reelbench.tasks.datasets.microworld.records import StoryRecord
from reelbench.tasks.datasets.microworld.script import Act, Event, Story
from reelbench.tasks.datasets.microworld.sizes import FAMILY, Corpus
from reelbench.tasks.datasets.microworld.writing import write_story

Answer = TypeVar("Answer", bound=Hashable)


@dataclasses.dataclass(frozen=True)
class World:
    """The scripts of a corpus, written when asked for."""

    corpus: Corpus

    def without(self, ingredient: str) -> World:
        """The control world in which an ingredient carries nothing; drawn alike otherwise."""
        return open_world(dataclasses.replace(self.corpus, control=f"no-{ingredient}"))

    @property
    def whole(self) -> World:
        """The world of which this is the control, or itself."""
        return open_world(dataclasses.replace(self.corpus, control=""))

    @cached_property
    def train(self) -> list[Story]:
        """The scripts of the training split."""
        return self._write("train", self.corpus.stories.train)

    @cached_property
    def test(self) -> list[Story]:
        """The scripts of the test split."""
        return self._write("test", self.corpus.stories.test)

    @cached_property
    def train_records(self) -> list[StoryRecord]:
        """The records of the training split."""
        return self._annotate("train", self.corpus.stories.train)

    @cached_property
    def test_records(self) -> list[StoryRecord]:
        """The records of the test split."""
        return self._annotate("test", self.corpus.stories.test)

    def families(self, kind: str) -> list[list[Story]]:
        """The test split's families of a kind, five stories each."""
        starts = range(0, len(self.test), FAMILY)
        return [self.test[i : i + FAMILY] for i in starts if kind_of("test", i // FAMILY) == kind]

    def _write(self, split: str, count: int) -> list[Story]:
        return [write_story(self.corpus, split, index) for index in range(count)]

    def _annotate(self, split: str, count: int) -> list[StoryRecord]:
        from reelbench.tasks.datasets.microworld.annotation import annotate

        records = (StoryRecord(self.corpus, annotate(self.corpus, split, index)) for index in range(count))
        return sorted(records, key=lambda record: record.id)


@lru_cache(maxsize=16)
def open_world(corpus: Corpus) -> World:
    """The same world for the same corpus, so that its scripts are written once."""
    return World(corpus)


@dataclasses.dataclass(frozen=True)
class Habit(Generic[Answer]):
    """The most frequent answer of training: given some evidence, or whatever the evidence where that is new."""

    by_evidence: Mapping[Hashable, Answer]
    overall: Answer

    @classmethod
    def learn(cls, pairs: Iterable[tuple[Hashable, Answer]]) -> Habit[Answer]:
        """Count (evidence, answer) pairs."""
        counts: dict[Hashable, Counter[Answer]] = {}
        total: Counter[Answer] = Counter()
        for evidence, answer in pairs:
            counts.setdefault(evidence, Counter())[answer] += 1
            total[answer] += 1
        return cls({key: _first(count) for key, count in counts.items()}, _first(total))

    def guess(self, evidence: Hashable = None) -> Answer:
        """What to answer."""
        return self.by_evidence.get(evidence, self.overall)


def _first(count: Counter[Answer]) -> Answer:
    return min(count, key=lambda answer: (-count[answer], repr(answer)))


def share(right: Hashable, left: Iterable[Hashable]) -> float:
    """What a uniform guess among the answers that are left gets on average."""
    answers = set(left)
    return 1 / len(answers) if right in answers else 0.0


def look(story: Story, person: int) -> tuple[str, str]:
    """How sentences tell people apart: (gender, shirt)."""
    return story.cast[person].gender, story.cast[person].shirt


def done(story: Story, act: Act) -> tuple[Hashable, ...]:
    """An act as a sentence tells it: who does what to whom."""
    other = look(story, act.recipient) if act.recipient >= 0 else ()
    return look(story, act.actor), act.deed, other


def told(story: Story, event: Event) -> tuple[Hashable, ...]:
    """What a full sentence about a clip says: who does what to whom where."""
    return (*done(story, event.act), event.place)
