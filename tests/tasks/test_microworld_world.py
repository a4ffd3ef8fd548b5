from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import TINY

from reelbench.tasks.datasets.microworld.language import caption, naming, telling
from reelbench.tasks.datasets.microworld.script import (
    CLIPS,
    NOBODY,
    STORY_FRAMES,
    Story,
    holder_after,
    write_story,
)
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import (
    ACTIONS,
    HAIRS,
    LEGS,
    OBJECTS,
    PLACES,
    SHIRTS,
    SKINS,
    TAGS,
    UNSEEN_ACTIONS,
    VERBS,
)

INDICES = st.integers(0, 500)
POS = {"NOUN", "VERB", "ADJ", "ADV", "ADP", "DET", "PRON", "PROPN"}


def story_of(index: int, split: str = "test") -> Story:
    return write_story(TINY, split, index)


def test_no_two_things_share_a_colour() -> None:
    colours = [c for place in PLACES for c in (place.wall, place.floor, place.accent)]
    colours += [*SHIRTS.values(), *LEGS.values(), *SKINS, *HAIRS, *OBJECTS.values()]
    assert [c for c, n in Counter(colours).items() if n > 1] == []


def test_label_spaces_hold_no_name_twice_and_unseen_actions_come_last() -> None:
    assert len(set(TAGS)) == len(TAGS) >= 60
    assert len(set(ACTIONS)) == len(ACTIONS)
    assert ACTIONS[-len(UNSEEN_ACTIONS) :] == UNSEEN_ACTIONS


@settings(max_examples=60, deadline=None)
@given(INDICES)
def test_only_who_holds_the_object_can_use_it_and_each_event_starts_where_the_last_ended(index: int) -> None:
    story = story_of(index)
    assert len(story.events) == CLIPS
    holder = NOBODY
    for event in story.events:
        assert event.holder == holder
        needs = VERBS[event.verb].needs
        assert needs != "held" or event.holder == event.actor
        assert needs != "ground" or event.holder == NOBODY
        assert event.first < event.action_first < event.action_last < event.last
        assert event.actor in event.visible
        assert (event.recipient != NOBODY) == (event.verb == "give")
        holder = holder_after(event)
    assert story.events[-1].last == STORY_FRAMES


@settings(max_examples=60, deadline=None)
@given(INDICES)
def test_sentences_are_trees_whose_words_say_what_happens(index: int) -> None:
    story = story_of(index)
    stream = Stream("language", index)
    captions = [caption(stream, story, event) for event in story.events]
    for sentence in [*captions, *telling(stream, story), *naming(stream, story)]:
        assert len(sentence.tokens) == len(sentence.pos) == len(sentence.heads)
        assert sentence.heads.count(-1) == 1
        assert sentence.pos[sentence.heads.index(-1)] == "VERB"
        assert set(sentence.pos) <= POS
        for start in range(len(sentence.heads)):
            seen, word = set(), start
            while word >= 0:
                assert word not in seen
                seen.add(word)
                word = sentence.heads[word]
    for event, sentence in zip(story.events, captions, strict=True):
        assert story.cast[event.actor].shirt in sentence.tokens
        assert event.manner in ("", *sentence.tokens)


def test_mentions_stand_at_someone() -> None:
    story = next(s for s in map(story_of, range(50)) if any(e.verb == "give" for e in s.events))
    for event, sentence in zip(story.events, naming(Stream("names"), story), strict=True):
        places = [i for i, token in enumerate(sentence.tokens) if token == "[someone]"]
        assert [place for place, _ in sentence.mentions] == places
        assert {person for _, person in sentence.mentions} == {event.actor, event.recipient} - {NOBODY}


@given(st.integers(2, 1000), st.integers(0, 9))
def test_a_stream_stays_in_bounds_and_depends_on_its_name_only(bound: int, name: int) -> None:
    one, other = Stream("bounds", name), Stream("bounds", name)
    values = [one.below(bound) for _ in range(70)]
    assert values == [other.below(bound) for _ in range(70)]
    assert all(0 <= value < bound for value in values)
    assert sorted(one.shuffled(range(bound))) == list(range(bound))
