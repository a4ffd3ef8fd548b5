"""Simulated gaze as warm spots over the frames that were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reelbench.dataset import Dataset
from reelbench.tasks.datasets.microworld.gaze import frame_times
from reelbench.tasks.datasets.microworld.page.cast import person_style
from reelbench.tasks.datasets.microworld.page.choosing import SPLIT, Shown
from reelbench.tasks.datasets.microworld.page.pictures import picture_uri
from reelbench.tasks.datasets.microworld.page.take import Take
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND

FRAMES_SHOWN = 8


@dataclass(frozen=True)
class LookedAt:
    """A frame with where its viewers looked, in hundredths of its side."""

    picture: str
    second: float
    spots: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Watching:
    """A clip with its viewers."""

    number: int
    watched: str
    style: str
    frames: tuple[LookedAt, ...]


def watching(dataset: Dataset, shown: Shown, take: Take, clips: int) -> list[Watching]:
    """The first clips of a story with their gaze; none where nobody watched it."""
    starts = [span[0] for span in shown.record.spans]
    found = {}
    for example in dataset.relation("gaze", SPLIT):
        if example["video"].video == shown.video:
            found[starts.index(example["video"].start_s)] = (example.targets or {})["fixations"]
    return [_watching(shown, take, number, found[number]) for number in sorted(found)[:clips]]


def _watching(shown: Shown, take: Take, number: int, fixations: Sequence[Any]) -> Watching:
    event = shown.script.events[number]
    frames = []
    for t, points in list(zip(frame_times(event), fixations, strict=True))[:FRAMES_SHOWN]:
        spots = tuple((round(100 * float(x), 1), round(100 * float(y), 1)) for x, y in points)
        frames.append(LookedAt(picture_uri(take.frames[t]), int(t) / FRAMES_PER_SECOND, spots))
    watched = shown.script.cast[event.watched].name
    return Watching(number + 1, watched, person_style(event.watched), tuple(frames))
