from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import TINY

from reelbench.tasks.datasets.microworld.film import draw_frames
from reelbench.tasks.datasets.microworld.language import caption, naming, telling
from reelbench.tasks.datasets.microworld.script import (
    CLIPS,
    NOBODY,
    STORY_FRAMES,
    Story,
    holder_after,
    write_story,
)
from reelbench.tasks.datasets.microworld.staging import FRAME_SIZE, OFFSCREEN, RENDERINGS, stage_story
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.vision import see
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


@settings(max_examples=30, deadline=None)
@given(INDICES, st.sampled_from(RENDERINGS))
def test_everybody_who_is_on_screen_stands_in_the_frame(index: int, rendering: str) -> None:
    story = story_of(index)
    stage = stage_story(TINY, story, rendering)
    for event in story.events:
        xy = stage.people_xy[list(event.visible), event.first : event.last]
        assert ((xy >= 0) & (xy + np.array((16, 24)) <= FRAME_SIZE)).all()
        absent = [p for p in range(len(story.cast)) if p not in event.visible]
        assert (stage.people_xy[absent, event.first : event.last] == OFFSCREEN).all()


@pytest.mark.parametrize("way", ["left", "right", "up", "down"])
def test_who_walks_a_way_moves_that_way(way: str) -> None:
    axis, sign = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}[way]
    found = [(s, e) for s in map(story_of, range(60)) for e in s.events if e.action == f"walk {way}"]
    assert found
    for story, event in found:
        path = stage_story(TINY, story, "a").people_xy[event.actor, event.first : event.last].astype(int)
        moved = path[-1] - path[0]
        assert moved[axis] * sign > 5
        assert moved[1 - axis] == 0


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


def test_the_two_renderings_of_a_script_differ_and_are_drawn_the_same_again() -> None:
    one, other, again = (draw_frames(TINY, "train", 0, r) for r in ("a", "b", "a"))
    assert one.shape == (STORY_FRAMES, FRAME_SIZE, FRAME_SIZE, 3)
    assert (one != other).mean() > 0.3
    np.testing.assert_array_equal(one, again)


def test_features_do_not_depend_on_which_frames_come_after() -> None:
    frames = np.pad(draw_frames(TINY, "train", 1, "a"), ((0, 0), (0, 0), (0, 0), (0, 1)))
    whole, part = see(frames), see(frames[:60].copy())
    for name, rows in part.items():
        np.testing.assert_array_equal(rows, whole[name][: len(rows)])


@given(st.integers(2, 1000), st.integers(0, 9))
def test_a_stream_stays_in_bounds_and_depends_on_its_name_only(bound: int, name: int) -> None:
    one, other = Stream("bounds", name), Stream("bounds", name)
    values = [one.below(bound) for _ in range(70)]
    assert values == [other.below(bound) for _ in range(70)]
    assert all(0 <= value < bound for value in values)
    assert sorted(one.shuffled(range(bound))) == list(range(bound))
