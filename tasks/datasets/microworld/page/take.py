"""A shown story drawn again: its frames, where people are in them, and its sound."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Clip
from reelbench.dataset import Dataset
from reelbench.tasks.datasets.microworld.film import draw_frames
from reelbench.tasks.datasets.microworld.page.choosing import SPLIT, Shown
from reelbench.tasks.datasets.microworld.page.pictures import picture_uri, spectrogram_uri, strip_uri
from reelbench.tasks.datasets.microworld.script import Event
from reelbench.tasks.datasets.microworld.sprites import PERSON_SHAPE
from reelbench.tasks.datasets.microworld.staging import Stage, stage_story

STRIP_FRAMES = 6


class Take:
    """One rendering of a story, and the pictures of it that the page needs."""

    def __init__(self, dataset: Dataset, shown: Shown) -> None:
        self.dataset, self.shown = dataset, shown

    @cached_property
    def frames(self) -> NDArray[np.uint8]:
        """All pixels: ``(T, H, W, 3)``."""
        index = int(self.shown.script.key.split("/")[1])
        return draw_frames(self.shown.corpus, SPLIT, index, self.shown.rendering)

    @cached_property
    def stage(self) -> Stage:
        """Where everybody is."""
        return stage_story(self.shown.corpus, self.shown.script, self.shown.rendering)

    @cached_property
    def loudest(self) -> float:
        """The loudest band of the story, which its spectrograms share as their scale."""
        return float(self.sound(Clip(self.shown.video)).max())

    def sound(self, clip: Clip) -> NDArray[Any]:
        """What is heard: ``(T, bands)``."""
        return np.asarray(self.dataset.read("audio", clip))

    def clip(self, number: int) -> Clip:
        """A clip of the story."""
        return self.shown.record.clip(self.shown.rendering, number)

    def strip(self, event: Event, count: int = STRIP_FRAMES) -> str:
        """A clip's film strip."""
        return strip_uri(self.frames[event.first : event.last], count)

    def spectrogram(self, number: int) -> str:
        """A clip's sound."""
        return spectrogram_uri(self.sound(self.clip(number)), self.loudest)

    def portrait(self, person: int, event: Event) -> str:
        """A person in the middle of a clip, cut out of the frame."""
        t = (event.first + event.last) // 2
        height, width = PERSON_SHAPE
        x, y = (int(v) for v in self.stage.people_xy[person, t])
        frame = self.frames[t]
        rows = np.arange(y, y + height).clip(0, frame.shape[0] - 1)
        columns = np.arange(x, x + width).clip(0, frame.shape[1] - 1)
        return picture_uri(frame[np.ix_(rows, columns)])

    def portraits(self) -> dict[int, str]:
        """Everybody who is ever on screen, in the first clip in which they do something, or else are there."""
        events = self.shown.script.events
        acting = [(act.actor, event) for event in events for act in event.acts]
        there = [(person, event) for event in events for person in event.visible]
        chosen = dict(reversed([*acting, *there]))
        return {person: self.portrait(person, event) for person, event in chosen.items()}
