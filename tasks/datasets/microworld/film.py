"""From a script to features: every rendering of a story is drawn, recorded, and looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.hearing import AUDIO_SPEC, hear
from reelbench.tasks.datasets.microworld.people import PERSON_SPECS, list_tracks, see_people
from reelbench.tasks.datasets.microworld.render import render
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sound import record
from reelbench.tasks.datasets.microworld.staging import renderings_of, stage_story
from reelbench.tasks.datasets.microworld.vision import VISION_SPECS, see
from reelbench.tasks.datasets.microworld.writing import write_story

FEATURE_SPECS = {**VISION_SPECS, "audio": AUDIO_SPEC, **PERSON_SPECS}


def film(corpus: Corpus, split: str, index: int) -> dict[str, dict[str, NDArray[Any]]]:
    """Features of a story: modality → id of a video (or of a track) → rows."""
    features: dict[str, dict[str, NDArray[Any]]] = {modality: {} for modality in FEATURE_SPECS}
    story = write_story(corpus, split, index)
    for rendering in renderings_of(split):
        stage = stage_story(corpus, story, rendering)
        frames = render(corpus, story, stage)
        for modality, rows in see(frames).items():
            features[modality][stage.name] = rows
        features["audio"][stage.name] = hear(record(corpus, story, stage.name))
        tracks = list_tracks(corpus, story, rendering) if split != "unlabelled" else []
        for modality, of_track in see_people(story, stage, frames, tracks).items():
            features[modality].update(of_track)
    return features


def draw_frames(corpus: Corpus, split: str, index: int, rendering: str) -> NDArray[np.uint8]:
    """The pixels of one rendering, drawn again: ``(T, 84, 84, 3)``."""
    story = write_story(corpus, split, index)
    return render(corpus, story, stage_story(corpus, story, rendering))[..., :3]
