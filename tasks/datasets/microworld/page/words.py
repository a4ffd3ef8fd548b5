"""Sentences as runs of text, of which those that mention somebody carry that person's colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from reelbench.tasks.datasets.microworld.language import NOUNS, PRONOUNS
from reelbench.tasks.datasets.microworld.page.cast import person_style
from reelbench.tasks.datasets.microworld.records import Words
from reelbench.tasks.datasets.microworld.script import Act

PERSON_WORDS = {noun for nouns in NOUNS.values() for noun in nouns} | set(PRONOUNS.values())


@dataclass(frozen=True)
class Run:
    """Words; ``style`` is empty where they mention nobody."""

    text: str
    style: str = ""


def runs(tokens: Iterable[str], people: Mapping[int, int]) -> tuple[Run, ...]:
    """Words with colours; ``people`` maps the place of a word to the person whom it mentions."""
    styled = [(token, person_style(people[i]) if i in people else "") for i, token in enumerate(tokens)]
    return tuple(
        Run(" ".join(token for token, _ in together), style)
        for style, together in groupby(styled, key=lambda pair: pair[1])
    )


def told_runs(words: Words, act: Act) -> tuple[Run, ...]:
    """A sentence about an act: it tells of the actor first and of the recipient second."""
    nouns = [place for place, token in enumerate(words.tokens) if token in PERSON_WORDS]
    mentions = zip(nouns, (act.actor, act.recipient), strict=False)
    return runs(words.tokens, {place: person for noun, person in mentions for place in _phrase(words, noun)})


def _phrase(words: Words, noun: int) -> list[int]:
    """The places of a noun and of what describes it, without the preposition before it."""
    places = [place for place in range(len(words.heads)) if noun in _line(words, place)]
    return places[1:] if words.tokens[places[0]] == "to" else places


def _line(words: Words, place: int) -> list[int]:
    """A word, its head, the head's head, and so on."""
    line = [place]
    while words.heads[line[-1]] >= 0:
        line.append(words.heads[line[-1]])
    return line
