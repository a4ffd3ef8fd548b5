"""Regions of people: each person on screen in a clip is a track, with features of face, body and look.

The boxes are what a perfect detector would give (the script's); what is in them is read from pixels. Somebody who
turns their back shows hair where the face would be, and who is half out of the picture is seen by half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelbench.data import FeatureSpec
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sprites import FRAME_SIZE, PERSON_SHAPE
from reelbench.tasks.datasets.microworld.staging import Stage
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.vision import COLOURS, PERSON_STRIDE, colour_numbers, histogram

BLOCK = 4  # body points are the means of blocks of four by four pixels
FACE_ROWS, FACE_BLOCK = 8, 2
HEIGHT, WIDTH = PERSON_SHAPE
BESIDE = 6
"""Pixels to the left and right of a person in which a hand may hold something."""
HAND_ROWS = slice(7, 19)
HAND_COLUMNS = 10
PERSON_HZ = FRAMES_PER_SECOND / PERSON_STRIDE
FACE_SIZE = (FACE_ROWS // FACE_BLOCK) * (WIDTH // FACE_BLOCK) * 3
BODY_SIZE = 2 * (HEIGHT // BLOCK) * (WIDTH // BLOCK) + 5
PERSON_SPECS = {
    "person_face": FeatureSpec(
        "person_face", (FACE_SIZE,), PERSON_HZ, doc="colours of the head, 4 by 8 points"
    ),
    "person_body": FeatureSpec(
        "person_body",
        (BODY_SIZE,),
        PERSON_HZ,
        doc="points of the body, how they change, where it is and how it moves",
    ),
    "person_look": FeatureSpec(
        "person_look",
        (2 * COLOURS,),
        PERSON_HZ,
        doc="colours of the whole person, and of what is at the hands",
    ),
}


@dataclass(frozen=True, slots=True)
class Track:
    """One person in one clip of one rendering."""

    id: str
    clip: int
    person: int


@dataclass(frozen=True)
class Crops:
    """The region of a track, one row a second."""

    corner: NDArray[np.int64]  # (n, 2)
    corner_later: NDArray[np.int64]  # (n, 2), a frame later
    pixels: NDArray[np.uint8]  # (n, HEIGHT, BESIDE + WIDTH + BESIDE, 3)
    later: NDArray[np.uint8]  # (n, HEIGHT, WIDTH, 3), the same place a frame later

    @property
    def person(self) -> NDArray[np.uint8]:
        """The region without what is beside it: ``(n, HEIGHT, WIDTH, 3)``."""
        return self.pixels[:, :, BESIDE:-BESIDE]


def list_tracks(corpus: Corpus, story: Story, rendering: str) -> list[Track]:
    """The tracks of a rendering; their order in a clip says nothing about who acts."""
    stream = Stream(corpus.seed, story.key, rendering, "tracks")
    return [
        Track(f"{story.id}{rendering}-{clip}{k}", clip, person)
        for clip, event in enumerate(story.events)
        for k, person in enumerate(stream.shuffled(sorted(event.visible)))
    ]


def see_people(
    story: Story, stage: Stage, frames: NDArray[np.uint8], tracks: list[Track]
) -> dict[str, dict[str, NDArray[np.float16]]]:
    """Features of every track: modality → track id → ``(n, D)``."""
    features: dict[str, dict[str, NDArray[np.float16]]] = {name: {} for name in PERSON_SPECS}
    if not tracks:
        return features
    crops, bounds = _crop(story, stage, frames, tracks)
    whole = {"person_face": _face(crops), "person_body": _body(crops), "person_look": _look(crops)}
    for name, rows in whole.items():
        of_tracks = np.split(rows, bounds)
        features[name] = {track.id: of_track for track, of_track in zip(tracks, of_tracks, strict=True)}
    return features


def _crop(
    story: Story, stage: Stage, frames: NDArray[np.uint8], tracks: list[Track]
) -> tuple[Crops, NDArray[np.int64]]:
    """The regions of all tracks, one after the other, and where each but the first begins."""
    events = [story.events[track.clip] for track in tracks]
    spans = [np.arange(event.first, event.last, PERSON_STRIDE) for event in events]
    lengths = [len(span) for span in spans]
    times = np.concatenate(spans)
    later = np.minimum(times + 1, np.repeat([event.last - 1 for event in events], lengths))
    who = np.repeat([track.person for track in tracks], lengths)
    corner, corner_later = (stage.people_xy[who, t].astype(np.int64) for t in (times, later))
    crops = Crops(
        corner,
        corner_later,
        _window(frames, times, corner, np.arange(-BESIDE, WIDTH + BESIDE)),
        _window(frames, later, corner, np.arange(WIDTH)),
    )
    return crops, np.cumsum(lengths)[:-1]


def _window(
    frames: NDArray[np.uint8], times: NDArray[np.int64], corner: NDArray[np.int64], across: NDArray[np.int64]
) -> NDArray[np.uint8]:
    rows = (corner[:, 1, None] + np.arange(HEIGHT)).clip(0, FRAME_SIZE - 1)
    columns = (corner[:, 0, None] + across).clip(0, FRAME_SIZE - 1)
    packed = frames.view(np.uint32)[..., 0]
    window = packed[times[:, None, None], rows[:, :, None], columns[:, None, :]]
    return window.view(np.uint8).reshape(*window.shape, 4)[..., :3]


def _face(crops: Crops) -> NDArray[np.float16]:
    head = _blocks(crops.person[:, :FACE_ROWS], FACE_BLOCK)
    return (head.reshape(len(head), -1) / 64).astype(np.float16)


def _look(crops: Crops) -> NDArray[np.float16]:
    rows = len(crops.pixels)
    numbers = colour_numbers(*np.moveaxis(crops.pixels, -1, 0))  # (n, HEIGHT, BESIDE + WIDTH + BESIDE)
    hands = numbers[:, HAND_ROWS]
    beside = np.concatenate([hands[..., :HAND_COLUMNS], hands[..., -HAND_COLUMNS:]], axis=2)
    whole = histogram(numbers[..., BESIDE:-BESIDE].reshape(rows, -1))
    counts = np.concatenate([whole, histogram(beside.reshape(rows, -1))], axis=1)
    return np.sqrt(counts / np.float32(8)).astype(np.float16)


def _body(crops: Crops) -> NDArray[np.float16]:
    person = crops.person
    change = np.abs(person.astype(np.int16) - crops.later).sum(axis=-1)
    parts = [
        _blocks(person, BLOCK).sum(axis=-1).reshape(len(person), -1) / 192,
        _blocks(change[..., None], BLOCK).reshape(len(person), -1) / 64,
        crops.corner / FRAME_SIZE,
        (crops.corner_later - crops.corner) / 4,
        change.sum(axis=(1, 2))[:, None] / (HEIGHT * WIDTH * 16),
    ]
    return np.concatenate(parts, axis=1).astype(np.float16)


def _blocks(pixels: NDArray[np.generic], side: int) -> NDArray[np.int64]:
    """Whole-number means of blocks of pixels: ``(n, H, W, C)`` → ``(n, H / side, W / side, C)``."""
    n, height, width, channels = pixels.shape
    grid = pixels.reshape(n, height // side, side, width // side, side, channels)
    return grid.sum(axis=(2, 4), dtype=np.int64) // (side * side)
