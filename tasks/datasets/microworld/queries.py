"""Queries of localization: sentences that hold for one clip of their story, by themselves or by what was before."""

from __future__ import annotations

from collections.abc import Iterator

from reelbench.tasks.datasets.microworld.language import Sentence, after, caption, ordinal
from reelbench.tasks.datasets.microworld.script import Act, Event, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.streams import Stream

PLAIN, ORDINAL, AFTER = "plain", "ordinal", "after"
AFTER_PERCENT = 50
Query = tuple[int, str, Sentence]


def write_queries(corpus: Corpus, story: Story) -> Iterator[Query]:
    """(clip, kind, sentence) for each clip that a sentence can single out.

    What is done once needs no more than to be told (``plain``). What is told in several clips needs to be counted
    (``ordinal``) or to be told with what is told in the clip before it (``after``).
    """
    stream = Stream(corpus.seed, story.key, "queries")
    for clip, event in enumerate(story.events):
        same = [c for c, other in enumerate(story.events) if any(_alike(a, other, event) for a in other.acts)]
        if same == [clip]:
            yield clip, PLAIN, caption(stream, event)
        elif corpus.has("order") and all(_alike(story.events[c].act, story.events[c], event) for c in same):
            yield _by_order(stream, story, clip, same)


def _by_order(stream: Stream, story: Story, clip: int, same: list[int]) -> Query:
    events = story.events
    before = [[what_is_said(events[c - 1], events[c - 1].act)] if c else [] for c in same]
    only = (
        clip
        and before.count([what_is_said(events[clip - 1], events[clip - 1].act)]) == 1
        and clip - 1 not in same
    )
    if only and stream.chance(AFTER_PERCENT):
        return clip, AFTER, after(stream, events[clip], events[clip - 1])
    return clip, ORDINAL, ordinal(stream, events[clip], same.index(clip) + 1)


def _alike(act: Act, event: Event, asked: Event) -> bool:
    """Whether a sentence about what is asked also holds for this act."""
    return what_is_said(event, act) == what_is_said(asked, asked.act)


def what_is_said(event: Event, act: Act) -> tuple[object, ...]:
    """What sentences say of an act, but for its manner."""
    people = [event.looks[person] for person in (act.actor, act.recipient) if person >= 0]
    return act.deed.action, act.deed.thing, *((person.gender, person.shirt) for person in people)
