"""Gaze: which of a clip's acts is told, and how that can be known."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item, Shortcut
from reelbench.tasks.datasets.microworld.information.worlds import World
from reelbench.tasks.datasets.microworld.script import NOBODY, Event, Story
from reelbench.tasks.datasets.microworld.sprites import FRAME_SIZE

SEVERAL_MOVING = (
    "several moving actors from the same vocabulary of which one is narrated, "
    "gaze following interaction and history rather than saliency or centre"
)


Measure = Callable[[World], Iterator[Item]]


def which_is_told(world: World) -> Iterator[Item]:
    """Which act is told, by an oracle that takes the acts of whom viewers watch, or any."""
    for story in world.test:
        for event in story.events:
            acts = range(len(event.acts))
            watched = [i for i in acts if event.acts[i].actor == event.watched] or list(acts)
            yield Item(story.family, _hit(event.told, watched), 1 / len(acts), 1 / len(acts))


def which_is_told_by_history(world: World) -> Iterator[Item]:
    """Which act is told, by an oracle that takes the acts of who keeps the treasure, or any.

    So gaze says nothing that a film does not: this is what makes it learnable, and what a method may learn without it.
    """
    for story, event, keeper in _kept(world):
        acts = range(len(event.acts))
        known = [i for i in acts if event.acts[i].actor == keeper] or list(acts)
        yield Item(story.family, _hit(event.told, known), 1 / len(acts), 1 / len(acts))


def who_is_watched(world: World) -> Iterator[Item]:
    """Whom viewers watch, by an oracle that takes who keeps the treasure, or anybody on screen."""
    for story, event, keeper in _kept(world):
        known = [keeper] if keeper in event.visible else list(event.visible)
        chance = 1 / len(event.visible)
        yield Item(story.family, _hit(event.watched, known), chance, chance)


def _kept(world: World) -> Iterator[tuple[Story, Event, int]]:
    """Events with who holds the treasure, or who held it last."""
    for story in world.test:
        keeper = NOBODY
        for event in story.events:
            keeper = event.holder if event.holder != NOBODY else keeper
            yield story, event, keeper


def told_by(guess: Callable[[Event], list[int]]) -> Measure:
    """Which act is told, by a rule that does not look at gaze: the scores of a shortcut."""

    def measure(world: World) -> Iterator[Item]:
        for story, event in _events(world):
            chance = 1 / len(event.acts)
            yield Item(story.family, 1.0, _hit(event.told, guess(event)), chance)

    return measure


def fastest(event: Event) -> list[int]:
    """The acts with the most motion: what a saliency map follows."""
    top = max(act.deed.step for act in event.acts)
    return [i for i, act in enumerate(event.acts) if act.deed.step == top]


def middle(event: Event) -> list[int]:
    """The acts that go on in the middle of the clip, or all."""
    frame = (event.first + event.last) // 2
    return [i for i, act in enumerate(event.acts) if act.first <= frame < act.last] or list(
        range(len(event.acts))
    )


def longest(event: Event) -> list[int]:
    """The acts that last longest."""
    top = max(act.last - act.first for act in event.acts)
    return [i for i, act in enumerate(event.acts) if act.last - act.first == top]


def centre_is_watched(world: World) -> Iterator[Item]:
    """Fixations in the middle quarter of the frame; the oracle takes a quarter round the fixations' median."""
    for record in world.test_records:
        for clip in record.content.get("gaze", {}).get(record.shown, ()):
            for fixations in clip:
                points = np.array(fixations, np.float64)
                middles = np.median(points, axis=0), np.full(2, FRAME_SIZE / 2)
                with_it, without = (_share_within(points, middle) for middle in middles)
                yield Item(record.family, with_it, without, 0.25)


def _share_within(points: NDArray[np.float64], middle: NDArray[np.float64]) -> float:
    """What share of points ``(n, 2)`` lies in a square of half the frame's side."""
    return float((np.abs(points - middle).max(axis=1) < FRAME_SIZE / 4).mean())


def _hit(right: int, left: list[int]) -> float:
    return (right in left) / len(left)


def _events(world: World) -> Iterator[tuple[Story, Event]]:
    return ((story, event) for story in world.test for event in story.events)


HISTORY = "gaze following interaction and history rather than saliency or centre"


def _claim(name: str, benchmark: str, metric: str, proves: str, measure: Measure) -> Claim:
    return Claim(name, "GEAN", benchmark, metric, "gaze", proves, measure)


CLAIMS = (
    _claim("gaze tells which act is told", "captioning:clip", "acts chosen", SEVERAL_MOVING, which_is_told),
    _claim("history tells whom viewers watch", "gaze:frames", "people chosen", HISTORY, who_is_watched),
    _claim(
        "history tells which act is told", "captioning:clip", "acts chosen", HISTORY, which_is_told_by_history
    ),
)
SHORTCUTS = (
    *(
        Shortcut(f"the {name} act is told", "captioning:clip", "acts chosen", told_by(rule))
        for name, rule in (("fastest", fastest), ("middle", middle), ("longest", longest))
    ),
    Shortcut("the centre is watched", "gaze:frames", "fixations in a quarter", centre_is_watched),
)
