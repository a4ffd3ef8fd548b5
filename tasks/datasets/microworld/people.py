"""Regions of people: each person on screen in a clip is a track, with features of face, body and look.

The boxes are what a perfect detector would give (the script's); what is in them is read from pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelbench.data import FeatureSpec
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sprites import PERSON_SHAPE
from reelbench.tasks.datasets.microworld.staging import FRAME_SIZE, Stage
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.vision import COLOURS, PERSON_STRIDE, colour_numbers, histogram

BLOCK = 4  # body points are the means of blocks of four by four pixels
FACE_ROWS, FACE_BLOCK = 8, 2
HEIGHT, WIDTH = PERSON_SHAPE
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
    "person_look": FeatureSpec("person_look", (COLOURS,), PERSON_HZ, doc="colours of the whole person"),
}


@dataclass(frozen=True, slots=True)
class Track:
    """One person in one clip of one rendering."""

    id: str
    clip: int
    person: int


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
    """Features of every track: modality → track id → ``(T, D)``."""
    crops = {track.id: _crop(story, stage, frames, track) for track in tracks}
    return {
        "person_face": {key: _face(crop[1]) for key, crop in crops.items()},
        "person_body": {key: _body(*crop) for key, crop in crops.items()},
        "person_look": {key: _look(crop[1]) for key, crop in crops.items()},
    }


def _crop(
    story: Story, stage: Stage, frames: NDArray[np.uint8], track: Track
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """Corner, pixels, pixels a frame later, and the corner then; one row a second."""
    event = story.events[track.clip]
    times = np.arange(event.first, event.last, PERSON_STRIDE)
    later = np.minimum(times + 1, event.last - 1)
    xy = stage.people_xy[track.person].astype(np.int64)
    corner, corner_later = xy[times], xy[later]
    return corner, _window(frames, times, corner), _window(frames, later, corner), corner_later


def _window(
    frames: NDArray[np.uint8], times: NDArray[np.int64], corner: NDArray[np.int64]
) -> NDArray[np.uint8]:
    rows = (corner[:, 1, None] + np.arange(HEIGHT)).clip(0, FRAME_SIZE - 1)
    columns = (corner[:, 0, None] + np.arange(WIDTH)).clip(0, FRAME_SIZE - 1)
    return frames[times[:, None, None], rows[:, :, None], columns[:, None, :], :3]


def _face(pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
    return (_blocks(pixels[:, :FACE_ROWS], FACE_BLOCK).reshape(len(pixels), -1) / 64).astype(np.float16)


def _look(pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
    counts = histogram(colour_numbers(*np.moveaxis(pixels, -1, 0)).reshape(len(pixels), -1))
    return np.sqrt(counts / np.float32(8)).astype(np.float16)


def _body(
    corner: NDArray[np.int64],
    pixels: NDArray[np.uint8],
    later: NDArray[np.uint8],
    corner_later: NDArray[np.int64],
) -> NDArray[np.float16]:
    change = np.abs(pixels.astype(np.int16) - later).sum(axis=-1)
    parts = [
        _blocks(pixels, BLOCK).sum(axis=-1).reshape(len(pixels), -1) / 192,
        _blocks(change[..., None], BLOCK).reshape(len(pixels), -1) / 64,
        corner / FRAME_SIZE,
        (corner_later - corner) / 4,
        change.sum(axis=(1, 2))[:, None] / (HEIGHT * WIDTH * 16),
    ]
    return np.concatenate(parts, axis=1).astype(np.float16)


def _blocks(pixels: NDArray[np.generic], side: int) -> NDArray[np.int64]:
    """Whole-number means of blocks of pixels: ``(T, H, W, C)`` → ``(T, H / side, W / side, C)``."""
    t, height, width, channels = pixels.shape
    grid = pixels.reshape(t, height // side, side, width // side, side, channels)
    return grid.sum(axis=(2, 4), dtype=np.int64) // (side * side)
