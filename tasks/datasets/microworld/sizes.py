"""What follows ``microworld/`` in a dataset's name: the size, how many stories, a control, the draw. Imports no numpy."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from reelbench.errors import DatasetError, UnknownNameError

VERSION = 1
REVISION = 2
"""Raised with every change of the generator's output, so that no cache of an older one is taken for it."""
FAMILY = 5
"""Stories that are written together; the counts of all splits are multiples of it."""


@dataclass(frozen=True, slots=True)
class MicroworldSize:
    """How many stories each split has; ``text`` stories have no pictures."""

    train: int
    validation: int
    test: int
    unlabelled: int
    text: int

    @property
    def filmed(self) -> dict[str, int]:
        """Split → stories that are rendered."""
        return {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            "unlabelled": self.unlabelled,
        }


SIZES = {
    "smoke": MicroworldSize(train=40, validation=15, test=25, unlabelled=30, text=200),
    "small": MicroworldSize(train=600, validation=80, test=300, unlabelled=600, text=4000),
    "large": MicroworldSize(train=6000, validation=500, test=2000, unlabelled=6000, text=40_000),
}
DEFAULT_SIZE = "small"
DEFAULT_DRAW = 1

CONTROLS = {
    "no-gaze": "viewers look at anybody, and anybody's act may be the one that is told",
    "no-audio": "nobody makes a sound, and no act is known by its sound alone",
    "no-binding": "a clip shows one act, so that who and what need not be put together",
    "no-order": "no event depends on an earlier one, is repeated, or is told with before and after",
    "no-objects": "nothing is handled, and no sentence names an object",
    "no-identity": "everybody looks like somebody else in the next clip, and no sentence refers to an earlier one",
    "no-text": "the text corpus has the words of the captions in an order that says nothing",
    "no-cooccurrence": "no tag follows from two others",
}
"""Worlds in which one ingredient carries nothing: the name, and what is different."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus that can be generated: a size, a draw of the world's version, and what is missing from it."""

    size: str
    stories: MicroworldSize
    draw: int = DEFAULT_DRAW
    control: str = ""

    @property
    def name(self) -> str:
        """The dataset's name; the default draw is left out of it."""
        return "/".join(["microworld", *self._parts()])

    @property
    def folder(self) -> str:
        """Where it lies under the cache folder."""
        return f"microworld/v{VERSION}/{'-'.join(self._parts())}-r{REVISION}"

    @property
    def seed(self) -> str:
        """What every random stream of this corpus is named after; a control world is drawn like its original."""
        return f"microworld/v{VERSION}/{self.size}/draw{self.draw}"

    def has(self, ingredient: str) -> bool:
        """Whether an ingredient (``gaze``) is in this world; see :data:`CONTROLS`."""
        if f"no-{ingredient}" not in CONTROLS:
            raise UnknownNameError("control world", f"no-{ingredient}", CONTROLS)
        return self.control != f"no-{ingredient}"

    def _parts(self) -> list[str]:
        count = self.stories.train != SIZES.get(self.size, self.stories).train
        return [
            self.size,
            *([f"stories{self.stories.train}"] if count else []),
            *([self.control] if self.control else []),
            *([f"draw{self.draw}"] if self.draw != DEFAULT_DRAW else []),
        ]


def parse_path(path: str) -> Corpus:
    """Read ``small``, ``small/stories200/no-gaze/draw2``, or nothing (which is ``small``).

    Raises
    ------
    DatasetError
        For a part that is said twice, a number of stories that is no multiple of five, or a draw of 0.
    UnknownNameError
        For a size or a control world that nobody knows.
    """
    size, *rest = path.split("/") if path else [DEFAULT_SIZE]
    if size not in SIZES:
        raise UnknownNameError("size of microworld", size, SIZES)
    corpus, said = Corpus(size, SIZES[size]), set[str]()
    for part in rest:
        kind, corpus = _with_part(corpus, path, part)
        if kind in said:
            raise DatasetError(f"microworld/{path}: {part!r} is the second {kind}; leave one out")
        said.add(kind)
    return corpus


def _with_part(corpus: Corpus, path: str, part: str) -> tuple[str, Corpus]:
    """(what a part of a name is, the corpus with it)."""
    if match := re.fullmatch(r"draw([1-9][0-9]{0,5})", part):
        return "draw", dataclasses.replace(corpus, draw=int(match[1]))
    if match := re.fullmatch(r"stories([1-9][0-9]{0,6})", part):
        if int(match[1]) % FAMILY:
            raise DatasetError(
                f"microworld/{path}: stories come in families of {FAMILY}; {part!r} is no multiple"
            )
        return "number of stories", dataclasses.replace(
            corpus, stories=dataclasses.replace(corpus.stories, train=int(match[1]))
        )
    if part not in CONTROLS:
        raise UnknownNameError("control world", part, CONTROLS)
    return "control world", dataclasses.replace(corpus, control=part)
