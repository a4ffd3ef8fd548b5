"""Sentences as runs of text, of which those that mention somebody carry that person's colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.page.cast import person_style
from reelbench.tasks.datasets.microworld.records import Words


@dataclass(frozen=True)
class Run:
    """A word; ``style`` is empty where it mentions nobody."""

    text: str
    style: str = ""


def runs(tokens: Iterable[str], people: Mapping[int, int]) -> list[Run]:
    """Words with colours; ``people`` maps the place of a word to the person whom it mentions."""
    return [
        Run(token, person_style(people[place]) if place in people else "")
        for place, token in enumerate(tokens)
    ]


def sentence_runs(words: Words) -> list[Run]:
    """A sentence of the corpus."""
    return runs(words.tokens, {mention[0]: mention[1] for mention in words.mentions})
