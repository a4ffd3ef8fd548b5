"""Retrieval: what is looked for, and the gallery in which it stands, for each protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from reelbench.data import Clip, Example
from reelbench.tasks.datasets.microworld.records import Meaning, StoryRecord, joined_fields, list_fields
from reelbench.tasks.datasets.microworld.streams import Stream, short_hash

Takes = Sequence[tuple[StoryRecord, str]]
Pairs = Iterator[tuple[str, Example]]
Builder = Callable[[Takes], Pairs]


def sentence_queries(takes: Takes) -> Pairs:
    """One sentence a story, about one of its clips, which is what ``match`` names."""
    chosen = retrieved_clips(takes)
    for story, rendering in _mixed(takes):
        words = story.captions(chosen[story.id])[0]
        yield _query(story, rendering, {**words.fields("query"), **list_fields("sentences", [words])})


def sentence_gallery(takes: Takes) -> Pairs:
    """The clips that sentences are matched against, one a story."""
    chosen = retrieved_clips(takes)
    for story, rendering in takes:
        clip = story.clip(rendering, chosen[story.id])
        length = (clip.end_s or 0.0) - clip.start_s
        yield _shown(story, rendering, clip, [[0.0, length]])


def retrieved_clips(takes: Takes) -> dict[str, int]:
    """Story → the clip that stands for it among clips: of a family's stories, clips that tell different things.

    The stories of a bound family are there with the same scene, in which who does what differs.
    """
    chosen: dict[str, int] = {}
    used: dict[str, set[Meaning]] = {}
    for story, _ in takes:
        name = story.family if story.kind == "bound" else story.id
        order = Stream(story.corpus.seed, name, "retrieved").shuffled(range(len(story.spans)))
        taken = used.setdefault(story.family, set())
        chosen[story.id] = next((clip for clip in order if story.meaning(clip) not in taken), order[0])
        taken.add(story.meaning(chosen[story.id]))
    return chosen


def paragraph_queries(takes: Takes, *, observed: int | None = None) -> Pairs:
    """One telling a story, which is what ``match`` names; only its first sentences, where so many are observed."""
    for story, rendering in _mixed(takes):
        telling = story.tellings()[0][:observed]
        yield _query(
            story, rendering, {**joined_fields("query", telling), **list_fields("sentences", telling)}
        )


def paragraph_gallery(takes: Takes, *, observed: int | None = None) -> Pairs:
    """The stories that paragraphs are matched against, with the seconds of their clips; only their first clips."""
    for story, rendering in takes:
        spans = story.spans[:observed]
        yield _shown(story, rendering, Clip(story.id + rendering, 0.0, spans[-1][1]), spans)


def proposal_gallery(takes: Takes, *, proposals: int) -> Pairs:
    """The stories in so many parts of equal length, where nobody says when a clip begins."""
    for story, rendering in takes:
        bounds = np.linspace(0.0, story.spans[-1][1], proposals + 1)
        yield _shown(
            story, rendering, story.video(rendering), np.stack([bounds[:-1], bounds[1:]], axis=1).tolist()
        )


def _mixed(takes: Takes) -> Takes:
    """In the order of the queries' ids, which is not that of the stories'."""
    return sorted(takes, key=lambda take: _query_id(*take))


def _query_id(story: StoryRecord, rendering: str) -> str:
    """Says nothing about the story, whose id its clips bear."""
    return short_hash(story.corpus.seed, story.content["key"], rendering, "query", length=12)


def _query(story: StoryRecord, rendering: str, fields: dict[str, object]) -> tuple[str, Example]:
    match = {"match": f"{story.id}{rendering}-g"}
    return story.family, Example(_query_id(story, rendering), fields, match)


def _shown(story: StoryRecord, rendering: str, video: Clip, spans: list[list[float]]) -> tuple[str, Example]:
    fields = {"video": video, "segments": np.array(spans, np.float64)}
    return story.family, Example(f"{story.id}{rendering}-g", fields)


COUNTS = (1, 2, 3, 4)
_PROTOCOLS: dict[str, tuple[Builder, Builder]] = {
    "sentence": (sentence_queries, sentence_gallery),
    "paragraph": (paragraph_queries, paragraph_gallery),
    **{
        f"observed-{n}": (partial(paragraph_queries, observed=n), partial(paragraph_gallery, observed=n))
        for n in COUNTS
    },
    **{f"uniform-{k}": (paragraph_queries, partial(proposal_gallery, proposals=k)) for k in COUNTS},
}
QUERY_BUILDERS = {("retrieval", protocol): queries for protocol, (queries, _) in _PROTOCOLS.items()}
GALLERY_BUILDERS = {("retrieval", protocol): gallery for protocol, (_, gallery) in _PROTOCOLS.items()}
"""(task, protocol) → builder of what is looked for, and of where."""
