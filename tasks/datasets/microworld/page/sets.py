"""A story as re-identification sees it: sentences with [someone], and tracks of people, coloured by the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reelbench.dataset import Dataset
from reelbench.tasks.datasets.microworld.page.cast import person_style
from reelbench.tasks.datasets.microworld.page.choosing import SPLIT, Shown
from reelbench.tasks.datasets.microworld.page.take import Take
from reelbench.tasks.datasets.microworld.page.words import Run, runs


@dataclass(frozen=True)
class Track:
    """Somebody in a clip, cut out; ``is_mentioned`` where the clip's sentence speaks of them."""

    picture: str
    name: str
    style: str
    is_mentioned: bool


@dataclass(frozen=True)
class SetClip:
    """A clip's sentence and its tracks."""

    number: int
    sentence: tuple[Run, ...]
    tracks: tuple[Track, ...]


def set_clips(dataset: Dataset, shown: Shown, take: Take) -> list[SetClip]:
    """The clips of a story's set; none where the corpus has no sets."""
    for example in dataset.relation("sets", SPLIT):
        if example["videos"][0].video == shown.video:
            return _clips(example.fields, example.targets or {}, shown, take)
    return []


def _clips(fields: Mapping[str, Any], targets: Mapping[str, Any], shown: Shown, take: Take) -> list[SetClip]:
    people: list[dict[int, int]] = [{} for _ in fields["sentences"]]
    identities = targets["mention_identity"].tolist()
    for (clip, place), person in zip(fields["mentions"].tolist(), identities, strict=True):
        people[clip][place] = person
    tracks: list[list[Track]] = [[] for _ in fields["sentences"]]
    mentioned = set(targets["mention_track"].tolist())
    who = zip(fields["track_clip"].tolist(), targets["track_identity"].tolist(), strict=True)
    for k, (clip, person) in enumerate(who):
        picture = take.track(person, shown.script.events[clip])
        name = shown.script.cast[person].name
        tracks[clip].append(Track(picture, name, person_style(person), k in mentioned))
    return [
        SetClip(number, runs(sentence, people[number - 1]), tuple(tracks[number - 1]))
        for number, sentence in enumerate(fields["sentences"], 1)
    ]
