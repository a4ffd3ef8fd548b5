"""What follows ``microworld/`` in a dataset's name: the size, a control, the draw. Imports no numpy."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reelbench.errors import DatasetError, UnknownNameError

VERSION = 0
REVISION = 5
"""Raised with every change of the generator's output, so that no cache of an older one is taken for it."""


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
    "smoke": MicroworldSize(train=40, validation=16, test=24, unlabelled=20, text=80),
    "small": MicroworldSize(train=600, validation=80, test=300, unlabelled=300, text=1200),
}
DEFAULT_SIZE = "small"
DEFAULT_DRAW = 1


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus that can be generated: a size and a draw of the world's version."""

    size: str
    stories: MicroworldSize
    draw: int = DEFAULT_DRAW

    @property
    def name(self) -> str:
        """The dataset's name; the default draw is left out of it."""
        return f"microworld/{self.size}" + (f"/draw{self.draw}" if self.draw != DEFAULT_DRAW else "")

    @property
    def folder(self) -> str:
        """Where it lies under the cache folder."""
        return f"microworld/v{VERSION}/{self.size}-draw{self.draw}-r{REVISION}"

    @property
    def seed(self) -> str:
        """What every random stream of this corpus is named after."""
        return f"microworld/v{VERSION}/{self.size}/draw{self.draw}"


def parse_path(path: str) -> Corpus:
    """Read ``small``, ``small/draw2`` or nothing (which is ``small``).

    Raises
    ------
    DatasetError
        For a part that is neither a draw nor, in version 0, anything else.
    """
    size, *rest = path.split("/") if path else [DEFAULT_SIZE]
    if size not in SIZES:
        raise UnknownNameError("size of microworld", size, SIZES)
    draw = DEFAULT_DRAW
    for part in rest:
        if not (match := re.fullmatch(r"draw([1-9][0-9]{0,5})", part)):
            raise DatasetError(f"microworld/{path}: {part!r} is a control world, which are not in version 0")
        draw = int(match[1])
    return Corpus(size, SIZES[size], draw)
