"""Re-identification: a story as a set of clips with its mentions of people and its tracks of them."""

from __future__ import annotations

import numpy as np

from reelbench.data import Clip, Example
from reelbench.tasks.datasets.microworld.records import StoryRecord, list_fields
from reelbench.tasks.datasets.microworld.world import GENDERS

NOT_ON_SCREEN = -1


def set_example(story: StoryRecord, rendering: str, *, genders: bool) -> tuple[str, Example]:
    """(cluster, set); with the genders of the mentioned, as training has them, or without."""
    sentences, tracks = story.naming(), story.content["tracks"][rendering]
    mentions = [(clip, place, person) for clip, s in enumerate(sentences) for place, person in s.mentions]
    track_of = {(clip, person): k for k, (_, clip, person) in enumerate(tracks)}
    fields = {
        "videos": [story.clip(rendering, clip) for clip in range(len(sentences))],
        **list_fields("sentences", sentences),
        "mentions": np.array([mention[:2] for mention in mentions], np.int64),
        "tracks": [Clip(track_id) for track_id, _, _ in tracks],
        "track_clip": np.array([clip for _, clip, _ in tracks], np.int64),
    }
    people = [person for _, _, person in mentions]
    if genders:
        fields["genders"] = np.array([GENDERS.index(story.content["genders"][p]) for p in people], np.int64)
    targets = {
        "mention_identity": np.array(people, np.int64),
        "track_identity": np.array([person for _, _, person in tracks], np.int64),
        "mention_track": np.array(
            [track_of.get((clip, person), NOT_ON_SCREEN) for clip, _, person in mentions], np.int64
        ),
    }
    return story.family, Example(f"{story.id}{rendering}", fields, targets)
