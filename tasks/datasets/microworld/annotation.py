"""The record of a story: everything that relations and benchmarks are built from, as plain JSON values."""

from __future__ import annotations

from typing import Any

from reelbench.tasks.datasets.microworld.gaze import is_watched, watch
from reelbench.tasks.datasets.microworld.language import Sentence, caption, naming, telling
from reelbench.tasks.datasets.microworld.people import list_tracks
from reelbench.tasks.datasets.microworld.plots import kind_of
from reelbench.tasks.datasets.microworld.queries import write_queries
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND, NOBODY, Act, Event, Story
from reelbench.tasks.datasets.microworld.sizes import FAMILY, Corpus
from reelbench.tasks.datasets.microworld.staging import RENDERINGS, renderings_of, stage_story
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.tags import tag_numbers
from reelbench.tasks.datasets.microworld.world import ACTIONS, PLACES
from reelbench.tasks.datasets.microworld.writing import write_story

CAPTIONS_PER_CLIP = 4
TELLINGS = 2
TOLD_STORIES = 3
"""One training story in so many is told as a whole, so that paired stories are few."""
Record = dict[str, Any]


def annotate(corpus: Corpus, split: str, index: int) -> Record:
    """The record of one story of a filmed split."""
    story = write_story(corpus, split, index)
    record: Record = {
        "key": story.key,
        "id": story.id,
        "family": story.family,
        "spans": [_span(event) for event in story.events],
    }
    if split == "unlabelled":
        return record
    stream = Stream(corpus.seed, story.key, "naming")
    record |= {
        "kind": kind_of(split, index // FAMILY),
        "clips": [_clip(corpus, story, clip) for clip in range(len(story.events))],
        "tellings": _tellings(corpus, story, 0 if _is_untold(split, index) else TELLINGS),
        "naming": [_words(s) for s in naming(stream, story, linked=corpus.has("identity"))],
        "queries": [[clip, kind, _words(words)] for clip, kind, words in write_queries(corpus, story)],
        "genders": [person.gender for person in story.cast],
        "tracks": {
            name: [[track.id, track.clip, track.person] for track in list_tracks(corpus, story, name)]
            for name in renderings_of(split)
        },
    }
    if is_watched(corpus, story):
        record["gaze"] = _gaze(corpus, story)
    return record


def _is_untold(split: str, index: int) -> bool:
    return split == "train" and index % TOLD_STORIES != 0


def annotate_text(corpus: Corpus, index: int) -> list[list[Any]]:
    """A story of the text corpus: its sentences; in a world without text, with their words in any order."""
    told = _tellings(corpus, write_story(corpus, "text", index), 1)[0]
    return told if corpus.has("text") else _scrambled(Stream(corpus.seed, "text", index, "scrambled"), told)


def _scrambled(stream: Stream, told: list[list[Any]]) -> list[list[Any]]:
    words = stream.shuffled(
        [pair for text, pos, *_ in told for pair in zip(text.split(), pos.split(), strict=True)]
    )
    mixed = []
    for text, *_ in told:
        part, words = words[: len(text.split())], words[len(text.split()) :]
        heads = [-1, *[0] * (len(part) - 1)]
        mixed.append([" ".join(w for w, _ in part), " ".join(p for _, p in part), heads, [], []])
    return mixed


def _clip(corpus: Corpus, story: Story, clip: int) -> Record:
    event = story.events[clip]
    stream = Stream(corpus.seed, story.key, clip, "captions")
    sentences = [caption(stream, event, full=k == 0) for k in range(CAPTIONS_PER_CLIP)]
    return {
        "place": PLACES[event.place].name,
        "told": event.told,
        "acts": [_act(event, act) for act in event.acts],
        "tags": tag_numbers(corpus, story, clip),
        "captions": [_words(sentence) for sentence in sentences],
    }


def _act(event: Event, act: Act) -> Record:
    actor = event.looks[act.actor]
    other = event.looks[act.recipient] if act.recipient != NOBODY else None
    return {
        "action": ACTIONS.index(act.deed.action),
        "acting": [act.first / FRAMES_PER_SECOND, act.last / FRAMES_PER_SECOND],
        "manner": act.deed.manner,
        "thing": act.deed.thing,
        "person": act.actor,
        "actor": [actor.gender, actor.shirt],
        "other": [other.gender, other.shirt] if other else [],
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
