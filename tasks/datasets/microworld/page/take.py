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
from reelbench.tasks.datasets.microworld.sprites import PERSON_SHAPE, POSE
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

    def track(self, person: int, event: Event) -> str:
        """A person in the middle of a clip, cut out of the frame."""
        return self._crop(person, (event.first + event.last) // 2)

    def portraits(self) -> dict[int, str]:
        """Everybody who is ever on screen, standing and whole where there is such a frame."""
        there: dict[int, list[int]] = {}
        for event in self.shown.script.events:
            for person in event.visible:
                there.setdefault(person, []).extend(range(event.first, event.last))
        return {
            person: self._crop(person, next((t for t in frames if self._stands(person, t)), frames[0]))
            for person, frames in there.items()
        }

    def _stands(self, person: int, t: int) -> bool:
        """Whether somebody stands facing us, with nobody and no edge in the way."""
        corner = self.stage.people_xy[:, t].astype(int)  # (CAST, 2)
        room = np.array(self.frames.shape[2:0:-1]) - PERSON_SHAPE[::-1]
        others = np.delete(corner, person, axis=0)
        near = (np.abs(others - corner[person]) < PERSON_SHAPE[::-1]).all(axis=1).any()
        inside = (corner[person] >= 0).all() and (corner[person] <= room).all()
        return bool(inside and not near and self.stage.pose[person, t] == POSE["stand"])

    def _crop(self, person: int, t: int) -> str:
        height, width = PERSON_SHAPE
        x, y = (int(v) for v in self.stage.people_xy[person, t])
        frame = self.frames[t]
        rows = np.arange(y, y + height).clip(0, frame.shape[0] - 1)
        columns = np.arange(x, x + width).clip(0, frame.shape[1] - 1)
        return picture_uri(frame[np.ix_(rows, columns)])
