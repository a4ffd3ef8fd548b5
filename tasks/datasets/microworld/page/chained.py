"""One story in full: timeline, clips with sound and acts, sentences, people, tags, gaze, queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reelbench.dataset import Dataset
from reelbench.tasks.datasets.microworld.page.cast import Character, characters
from reelbench.tasks.datasets.microworld.page.choosing import SPLIT, Shown
from reelbench.tasks.datasets.microworld.page.gazes import Watching, watching
from reelbench.tasks.datasets.microworld.page.localization import Query, queries
from reelbench.tasks.datasets.microworld.page.sets import SetClip, set_clips
from reelbench.tasks.datasets.microworld.page.take import Take
from reelbench.tasks.datasets.microworld.page.timeline import (
    Bar,
    ListedAct,
    Row,
    clip_bars,
    clip_rows,
    listed_acts,
    seconds,
    story_rows,
)
from reelbench.tasks.datasets.microworld.page.words import Run, told_runs
from reelbench.tasks.datasets.microworld.world import PLACES

CAPTIONS_SHOWN = 4
QUERIES_SHOWN = 3
WATCHED_CLIPS = 2


@dataclass(frozen=True)
class ClipView:
    """A clip with everything that is known of it."""

    number: int
    seconds: str
    place: str
    strip: str
    sound: str
    rows: tuple[Row, ...]
    acts: tuple[ListedAct, ...]
    captions: tuple[tuple[Run, ...], ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class StoryView:
    """A story in full."""

    id: str
    treasure: str
    people: tuple[Character, ...]
    clip_bars: tuple[Bar, ...]
    rows: tuple[Row, ...]
    clips: tuple[ClipView, ...]
    telling: tuple[tuple[Run, ...], ...]
    sets: tuple[SetClip, ...]
    gaze: tuple[Watching, ...]
    queries: tuple[Query, ...]


def story_view(dataset: Dataset, shown: Shown) -> StoryView:
    """Everything about a story."""
    take, script = Take(dataset, shown), shown.script
    tags = _tags(dataset, shown)
    return StoryView(
        id=shown.record.id,
        treasure=script.treasure,
        people=tuple(characters(script, take.portraits())),
        clip_bars=tuple(clip_bars(script)),
        rows=tuple(story_rows(script)),
        clips=tuple(_clip(shown, take, number, tags) for number in range(len(script.events))),
        telling=_telling(shown),
        sets=tuple(set_clips(dataset, shown, take)),
        gaze=tuple(watching(dataset, shown, take, WATCHED_CLIPS)),
        queries=tuple(queries(dataset, shown, QUERIES_SHOWN)),
    )


def _clip(shown: Shown, take: Take, number: int, tags: Mapping[int, tuple[str, ...]]) -> ClipView:
    event = shown.script.events[number]
    captions = shown.record.captions(number)[:CAPTIONS_SHOWN]
    return ClipView(
        number=number + 1,
        seconds=seconds(event.first, event.last),
        place=PLACES[event.place].name,
        strip=take.strip(event),
        sound=take.spectrogram(number),
        rows=tuple(clip_rows(shown.script, event)),
        acts=tuple(listed_acts(shown.script, event)),
        captions=tuple(told_runs(words, event.act) for words in captions),
        tags=tags.get(number, ()),
    )


def _telling(shown: Shown) -> tuple[tuple[Run, ...], ...]:
    """The story told as a whole; nothing where it is not."""
    return tuple(
        told_runs(words, event.act)
        for telling in shown.record.tellings()[:1]
        for words, event in zip(telling, shown.script.events, strict=True)
    )


def _tags(dataset: Dataset, shown: Shown) -> dict[int, tuple[str, ...]]:
    """Clip → its tags."""
    names = dataset.spaces["tags"]
    starts = [span[0] for span in shown.record.spans]
    return {
        starts.index(example["video"].start_s): tuple(names[k] for k in (example.targets or {})["labels"])
        for example in dataset.relation("tags", SPLIT)
        if example["video"].video == shown.video
    }
