"""The record of a story: everything that relations and benchmarks are built from, as plain JSON values."""

from __future__ import annotations

from typing import Any

from reelbench.tasks.datasets.microworld.gaze import is_watched, watch
from reelbench.tasks.datasets.microworld.language import Sentence, caption, naming, telling
from reelbench.tasks.datasets.microworld.people import list_tracks
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND, NOBODY, Event, Story, write_story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.staging import RENDERINGS, stage_story
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import ACTIONS, PLACES, TAGS

CAPTIONS_PER_CLIP = 4
TELLINGS = 2
Record = dict[str, Any]


def renderings_of(split: str) -> tuple[str, ...]:
    """Unlabelled stories are filmed once, all others twice."""
    return RENDERINGS[:1] if split == "unlabelled" else RENDERINGS


def annotate(corpus: Corpus, split: str, index: int) -> Record:
    """The record of one story of a filmed split."""
    story = write_story(corpus, split, index)
    record: Record = {"key": story.key, "id": story.id, "spans": [_span(event) for event in story.events]}
    if split == "unlabelled":
        return record
    record |= {
        "clips": [_clip(corpus, story, clip) for clip in range(len(story.events))],
        "tellings": _tellings(corpus, story, TELLINGS),
        "naming": [_words(s) for s in naming(Stream(corpus.seed, story.key, "naming"), story)],
        "genders": [person.gender for person in story.cast],
        "tags": _tags(story),
        "tracks": {
            name: [[track.id, track.clip, track.person] for track in list_tracks(corpus, story, name)]
            for name in renderings_of(split)
        },
    }
    if is_watched(corpus, story):
        record["gaze"] = _gaze(corpus, story)
    return record


def annotate_text(corpus: Corpus, index: int) -> list[list[Any]]:
    """A story of the text corpus: its sentences."""
    return _tellings(corpus, write_story(corpus, "text", index), 1)[0]


def _clip(corpus: Corpus, story: Story, clip: int) -> Record:
    event = story.events[clip]
    stream = Stream(corpus.seed, story.key, clip, "captions")
    sentences = [caption(stream, story, event, full=k == 0) for k in range(CAPTIONS_PER_CLIP)]
    person = story.cast[event.actor]
    return {
        "action": ACTIONS.index(event.action),
        "acting": [event.action_first / FRAMES_PER_SECOND, event.action_last / FRAMES_PER_SECOND],
        "place": PLACES[event.place].name,
        "manner": event.manner,
        "thing": story.thing if event.handles_object else "",
        "actor": [person.gender, person.shirt],
        "other": story.cast[event.recipient].shirt if event.recipient != NOBODY else "",
        "captions": [_words(sentence) for sentence in sentences],
    }


def _span(event: Event) -> list[float]:
    return [event.first / FRAMES_PER_SECOND, event.last / FRAMES_PER_SECOND]


def _words(sentence: Sentence) -> list[Any]:
    texts = [" ".join(sentence.tokens), " ".join(sentence.pos)]
    return [
        *texts,
        list(sentence.heads),
        [list(s) for s in sentence.slots],
        [list(m) for m in sentence.mentions],
    ]


def _tellings(corpus: Corpus, story: Story, count: int) -> list[list[list[Any]]]:
    streams = [Stream(corpus.seed, story.key, k, "telling") for k in range(count)]
    return [[_words(sentence) for sentence in telling(stream, story)] for stream in streams]


def _gaze(corpus: Corpus, story: Story) -> dict[str, Any]:
    stages = {name: stage_story(corpus, story, name) for name in RENDERINGS}
    clips = range(len(story.events))
    return {name: [watch(corpus, story, stage, clip) for clip in clips] for name, stage in stages.items()}


def _tags(story: Story) -> list[int]:
    names: set[str] = set()
    for event in story.events:
        person = story.cast[event.actor]
        names |= {event.verb, PLACES[event.place].name, person.gender, person.shirt}
        names |= {story.thing, f"{event.verb} {story.thing}"} if event.handles_object else set()
        names |= {"slowly": {"slow"}, "quickly": {"fast"}}.get(event.manner, set())
        names |= {"sing": {"music"}, "give": {"handover"}}.get(event.verb, set())
    if len({event.place for event in story.events}) > 1:
        names.add("journey")
    return sorted(TAGS.index(name) for name in names)
