"""What each size holds and costs."""

from __future__ import annotations

from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.opening import estimate
from reelbench.tasks.datasets.microworld.sizes import SIZES, Corpus, MicroworldSize


@dataclass(frozen=True)
class Cost:
    """A size; seconds on two cores."""

    name: str
    stories: MicroworldSize
    seconds: float
    megabytes: float
    is_this: bool


def costs(corpus: Corpus) -> list[Cost]:
    """All sizes, and whether the page is of that one."""
    return [
        Cost(name, stories, *estimate(Corpus(name, stories)), corpus.stories == stories)
        for name, stories in SIZES.items()
    ]
