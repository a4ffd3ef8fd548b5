"""Bars over time: in which seconds of a story or clip somebody acts, and who holds the treasure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.page.cast import person_style
from reelbench.tasks.datasets.microworld.page.deeds import act_words, verb_words
from reelbench.tasks.datasets.microworld.script import (
    FRAMES_PER_SECOND,
    NOBODY,
    Act,
    Event,
    Story,
    holder_after,
)


@dataclass(frozen=True)
class Bar:
    """A stretch of time; ``left`` and ``width`` in hundredths of the whole, ``title`` what has no room in it."""

    left: float
    width: float
    label: str
    title: str
    style: str
    is_told: bool = False


@dataclass(frozen=True)
class Row:
    """The bars of a person, or of the treasure."""

    name: str
    style: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class ListedAct:
    """An act in words, for those who read rather than look."""

    seconds: str
    name: str
    style: str
    words: str
    is_told: bool


def story_rows(story: Story) -> list[Row]:
    """A row a person, and one that says who holds the treasure."""
    whole = (story.events[0].first, story.events[-1].last)
    acts = [(act, k == event.told) for event in story.events for k, act in enumerate(event.acts)]
    rows = _people_rows(story, acts, whole)
    held = _held(story, whole)
    return [*rows, Row(f"has the {story.treasure}", "", tuple(held))] if held else rows


def clip_rows(story: Story, event: Event) -> list[Row]:
    """A row for everybody who does something in a clip."""
    acts = [(act, k == event.told) for k, act in enumerate(event.acts)]
    return [row for row in _people_rows(story, acts, (event.first, event.last)) if row.bars]


def clip_bars(story: Story) -> list[Bar]:
    """The clips themselves."""
    whole = (story.events[0].first, story.events[-1].last)
    return [
        _plain(event.first, event.last, whole, f"clip {number}")
        for number, event in enumerate(story.events, 1)
    ]


def listed_acts(story: Story, event: Event) -> list[ListedAct]:
    """The acts of a clip in the order of their time."""
    return [
        ListedAct(
            seconds(act.first, act.last),
            story.cast[act.actor].name,
            person_style(act.actor),
            act_words(story, act),
            k == event.told,
        )
        for k, act in enumerate(event.acts)
    ]


def seconds(first: int, last: int) -> str:
    """Frames as seconds: ``2.5–4 s``."""
    return f"{first / FRAMES_PER_SECOND:g}–{last / FRAMES_PER_SECOND:g} s"


def _people_rows(story: Story, acts: Sequence[tuple[Act, bool]], whole: tuple[int, int]) -> list[Row]:
    return [
        Row(
            person.name,
            person_style(number),
            tuple(
                Bar(
                    *_place(act.first, act.last, whole),
                    verb_words(act),
                    f"{seconds(act.first, act.last)}: {act_words(story, act)}",
                    person_style(number),
                    told,
                )
                for act, told in acts
                if act.actor == number
            ),
        )
        for number, person in enumerate(story.cast)
    ]


def _held(story: Story, whole: tuple[int, int]) -> list[Bar]:
    """Who holds the treasure, a bar until it changes hands or a cut hides who does."""
    spans: list[tuple[int, int, int]] = []
    for event in story.events:
        change = next((act.last for act in event.acts if act.handles_treasure), event.last)
        for first, last, holder in (
            (event.first, change, event.holder),
            (change, event.last, holder_after(event)),
        ):
            if spans and spans[-1][1:] == (first, holder):
                first = spans.pop()[0]
            spans.append((first, last, holder))
    return [
        _plain(first, last, whole, story.cast[holder].name, person_style(holder))
        for first, last, holder in spans
        if holder != NOBODY and last > first
    ]


def _plain(first: int, last: int, whole: tuple[int, int], label: str, style: str = "") -> Bar:
    return Bar(*_place(first, last, whole), label, f"{seconds(first, last)}: {label}", style)


def _place(first: int, last: int, whole: tuple[int, int]) -> tuple[float, float]:
    """Left end and width in hundredths of the whole."""
    length = (whole[1] - whole[0]) / 100
    return round((first - whole[0]) / length, 3), round((last - first) / length, 3)
