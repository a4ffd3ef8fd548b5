"""A story's record as it was read from the annotation files, and the fields that examples take from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Clip
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.staging import RENDERINGS
from reelbench.tasks.datasets.microworld.streams import Stream

Fields = dict[str, Any]
Meaning = tuple[Any, ...]


class Words(NamedTuple):
    """A sentence: text and parts of speech joined by spaces, heads, (place, kind) of slots, (place, person)."""

    text: str
    pos: str
    heads: list[int]
    slots: list[list[Any]]
    mentions: list[list[int]]

    @property
    def tokens(self) -> tuple[str, ...]:
        """The words."""
        return tuple(self.text.split())

    def fields(self, name: str) -> Fields:
        """The field of this name, with its parts of speech and heads."""
        return {name: self.tokens, f"{name}_pos": tuple(self.pos.split()), f"{name}_head": tuple(self.heads)}


def list_fields(name: str, sentences: Sequence[Words]) -> Fields:
    """A field that is a list of texts, with parts of speech and heads."""
    parts = [sentence.fields("x") for sentence in sentences]
    return {name + end: [part["x" + end] for part in parts] for end in ("", "_pos", "_head")}


def joined_fields(name: str, sentences: Sequence[Words]) -> Fields:
    """Several sentences as one text."""
    heads: list[int] = []
    for sentence in sentences:
        offset = len(heads)
        heads += [head + offset if head >= 0 else -1 for head in sentence.heads]
    whole = Words(" ".join(s.text for s in sentences), " ".join(s.pos for s in sentences), heads, [], [])
    return whole.fields(name)


@dataclass(frozen=True, slots=True)
class StoryRecord:
    """One story of a split."""

    corpus: Corpus
    content: dict[str, Any]

    @property
    def id(self) -> str:
        """The story's id, without the rendering."""
        return str(self.content["id"])

    @property
    def is_annotated(self) -> bool:
        """Whether anything is known of the story but its pictures."""
        return "clips" in self.content

    @property
    def family(self) -> str:
        """Equal for stories that share people and events, which statistics take together."""
        return str(self.content["family"])

    @property
    def kind(self) -> str:
        """The kind of its family: ``bound``, ``sequel`` or ``chained``."""
        return str(self.content["kind"])

    @property
    def clips(self) -> list[dict[str, Any]]:
        """What is known of each clip; see :mod:`.annotation`."""
        return list(self.content["clips"])

    def told(self, clip: int) -> dict[str, Any]:
        """What is known of the act that a clip's sentences are about."""
        facts = self.clips[clip]
        act: dict[str, Any] = facts["acts"][facts["told"]]
        return act

    @property
    def spans(self) -> list[list[float]]:
        """First and last second of each clip."""
        return list(self.content["spans"])

    @property
    def renderings(self) -> tuple[str, ...]:
        """The renderings that training sees; unlabelled stories have one."""
        return RENDERINGS if self.is_annotated else RENDERINGS[:1]

    @property
    def shown(self) -> str:
        """The one rendering in which the story is evaluated."""
        return self.stream("shown").pick(RENDERINGS)

    def stream(self, *names: object) -> Stream:
        """A random stream of this story."""
        return Stream(self.corpus.seed, self.content["key"], *names)

    def clip(self, rendering: str, clip: int) -> Clip:
        """A clip of a rendering."""
        return Clip(self.id + rendering, *self.spans[clip])

    def video(self, rendering: str) -> Clip:
        """The whole of a rendering."""
        return Clip(self.id + rendering, 0.0, self.spans[-1][1])

    def captions(self, clip: int) -> list[Words]:
        """All sentences of a clip; the first leaves nothing out."""
        return [Words(*words) for words in self.clips[clip]["captions"]]

    def tellings(self) -> list[list[Words]]:
        """The story told as a whole, several times."""
        return [[Words(*words) for words in telling] for telling in self.content["tellings"]]

    def naming(self) -> list[Words]:
        """The story told with [someone] for every name."""
        return [Words(*words) for words in self.content["naming"]]

    def queries(self) -> list[tuple[int, str, Words]]:
        """(clip, kind, sentence) of what may be looked for in the story; see :mod:`.queries`."""
        return [(clip, kind, Words(*words)) for clip, kind, words in self.content["queries"]]

    def meaning(self, clip: int) -> Meaning:
        """What a clip's sentences always say; clips that differ in it have no sentence in common."""
        return _meaning(self.told(clip))

    def meanings(self, clip: int) -> set[Meaning]:
        """What is true of a clip: the meanings of all its acts."""
        return {_meaning(act) for act in self.clips[clip]["acts"]}

    def segments(self) -> NDArray[np.float64]:
        """Seconds of the clips: ``(clips, 2)``."""
        return np.array(self.spans, np.float64)


def _meaning(act: dict[str, Any]) -> Meaning:
    return act["action"], *act["actor"], act["thing"], *act["other"]
