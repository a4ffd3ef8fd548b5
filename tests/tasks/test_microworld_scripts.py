"""Scripts and sentences: what the kinds of stories promise, and what the control worlds leave out."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import TINY

from reelbench.tasks.datasets.microworld.annotation import annotate_text
from reelbench.tasks.datasets.microworld.language import after, caption, naming, ordinal, telling
from reelbench.tasks.datasets.microworld.plots import kind_of
from reelbench.tasks.datasets.microworld.queries import AFTER, ORDINAL, PLAIN, write_queries
from reelbench.tasks.datasets.microworld.script import (
    CLIPS,
    NOBODY,
    STORY_FRAMES,
    Event,
    Story,
    holder_after,
)
from reelbench.tasks.datasets.microworld.sizes import CONTROLS, FAMILY, Corpus
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.tags import tag_numbers
from reelbench.tasks.datasets.microworld.world import (
    ACTIONS,
    COMPOUNDS,
    HAIRS,
    HEARD_ONLY,
    LEGS,
    OBJECTS,
    PLACES,
    SHIRTS,
    SKINS,
    TAGS,
    UNSEEN_ACTIONS,
    VERBS,
)
from reelbench.tasks.datasets.microworld.writing import write_story

INDICES = st.integers(0, 500)
POS = {"NOUN", "VERB", "ADJ", "ADV", "ADP", "DET", "PRON", "PROPN", "SCONJ", "AUX"}


def corpus_of(control: str) -> Corpus:
    return dataclasses.replace(TINY, control=control)


def story_of(index: int, split: str = "test", control: str = "") -> Story:
    return write_story(corpus_of(control), split, index)


def families(kind: str, count: int = 20, control: str = "") -> list[list[Story]]:
    numbers = [n for n in itertools.islice(itertools.count(), 5 * count) if kind_of("test", n) == kind]
    return [[story_of(FAMILY * n + member, control=control) for member in range(FAMILY)] for n in numbers]


def facts(event: Event) -> tuple[object, ...]:
    return event.place, event.act.actor, event.act.deed, event.act.recipient


def test_no_two_things_share_a_colour() -> None:
    colours = [c for place in PLACES for c in (place.wall, place.floor, place.accent)]
    colours += [*SHIRTS.values(), *LEGS.values(), *SKINS, *HAIRS, *OBJECTS.values()]
    assert [c for c, n in Counter(colours).items() if n > 1] == []


def test_label_spaces_hold_no_name_twice_and_unseen_actions_come_last() -> None:
    assert len(set(TAGS)) == len(TAGS) > 190
    assert len(set(ACTIONS)) == len(ACTIONS)
    assert ACTIONS[-len(UNSEEN_ACTIONS) :] == UNSEEN_ACTIONS


@settings(max_examples=60)
@given(INDICES)
def test_acts_follow_one_another_in_clips_of_people_who_are_there(index: int) -> None:
    story = story_of(index)
    assert [event.first for event in story.events] + [STORY_FRAMES] == [0] + [e.last for e in story.events]
    assert len(story.events) == CLIPS
    for event in story.events:
        assert 16 <= event.last - event.first <= 32
        assert len(event.acts) in (2, 3)
        bounds = [event.first, *(frame for act in event.acts for frame in (act.first, act.last)), event.last]
        assert bounds == sorted(bounds)
        assert all(act.last - act.first >= 2 for act in event.acts)
        assert {act.actor for act in event.acts} <= set(event.visible)
        for act in event.acts:
            assert (act.recipient != NOBODY) == (act.deed.verb == "give")
            assert bool(act.deed.thing) == bool(VERBS[act.deed.verb].needs)
            assert not act.handles_treasure or act.deed.thing == story.treasure


@pytest.mark.parametrize("family", families("chained", 8))
def test_a_chained_story_goes_on_where_it_was_and_tells_of_who_keeps_the_treasure(
    family: list[Story],
) -> None:
    for story in family:
        holder = keeper = story.events[0].holder
        for event in story.events:
            act, needs = event.act, VERBS[event.act.deed.verb].needs
            assert event.holder == holder
            assert act.actor == keeper or needs == "ground"
            assert needs != "held" or holder == act.actor
            assert needs != "ground" or holder == NOBODY
            holder = holder_after(event)
            keeper = holder if holder != NOBODY else act.actor


@pytest.mark.parametrize("family", families("bound", 8))
def test_in_a_bound_family_people_and_deeds_are_the_same_and_each_sentence_is_true_once(
    family: list[Story],
) -> None:
    for events in zip(*(story.events for story in family), strict=True):
        assert len({(event.place, frozenset(event.visible)) for event in events}) == 1
        true = [{(act.actor, act.deed) for act in event.acts} for event in events]
        told = [(event.act.actor, event.act.deed) for event in events]
        for number, what in enumerate(told):
            assert [what in acts for acts in true] == [k == number for k in range(FAMILY)]
        deeds = Counter(frozenset(act.deed for act in event.acts) for event in events)
        assert sorted(deeds.values()) == [1, 4]


@pytest.mark.parametrize("family", families("sequel", 8))
def test_a_sequel_family_shares_four_scenes_of_five_or_all_in_another_order(family: list[Story]) -> None:
    base, one, other, *mixed = [[facts(event) for event in story.events] for story in family]
    assert [sum(a == b for a, b in zip(base, changed, strict=True)) for changed in (one, other)] == [4, 4]
    for order in mixed:
        assert order != base
        assert Counter(order) == Counter(base)


@settings(max_examples=60)
@given(INDICES)
def test_sentences_are_trees_whose_words_say_what_happens(index: int) -> None:
    story = story_of(index)
    stream = Stream("language", index)
    captions = [caption(stream, event) for event in story.events]
    others = [ordinal(stream, story.events[1], 2), after(stream, story.events[2], story.events[1])]
    told = [*telling(stream, story), *naming(stream, story, linked=True)]
    for sentence in [*captions, *others, *told]:
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
        assert story.cast[event.act.actor].shirt in sentence.tokens
        assert event.act.deed.manner in ("", *sentence.tokens)
        assert event.act.deed.thing in ("", *sentence.tokens)


@settings(max_examples=40)
@given(INDICES)
def test_mentions_stand_at_someone_and_name_who_acts_or_is_away(index: int) -> None:
    story = story_of(index)
    for event, sentence in zip(story.events, naming(Stream("n"), story, linked=True), strict=True):
        assert [p for p, _ in sentence.mentions] == [
            i for i, t in enumerate(sentence.tokens) if t == "[someone]"
        ]
        people = [person for _, person in sentence.mentions]
        there = {event.act.actor, event.act.recipient} - {NOBODY}
        assert there <= set(people)
        away = set(people) - there
        assert ("away" in sentence.tokens) == bool(away)
        assert not away & set(event.visible)


@settings(max_examples=60)
@given(INDICES)
def test_gender_and_shirt_tell_the_people_of_a_story_apart(index: int) -> None:
    cast = story_of(index).cast
    assert len({(person.gender, person.shirt) for person in cast}) == len(cast)
    shirts, faces = {p.shirt for p in cast}, {(p.skin, p.hair) for p in cast}
    assert len(shirts) < len(cast) or len(faces) < len(cast)


def test_queries_are_told_by_themselves_or_by_what_was_before() -> None:
    kinds = Counter[str]()
    for story in [story for family in families("chained", 12) for story in family]:
        for clip, kind, sentence in write_queries(TINY, story):
            kinds[kind] += 1
            done = [e.act.deed.action for e in story.events]
            assert (kind == ORDINAL) == ("time" in sentence.tokens)
            assert (kind == AFTER) == ("after" in sentence.tokens)
            assert kind == PLAIN or done.count(done[clip]) > 1
    assert min(kinds[kind] for kind in (PLAIN, ORDINAL, AFTER)) > 5


def test_a_compound_tag_is_there_with_both_its_parts_and_at_random_in_its_control() -> None:
    agree = {}
    for control in ("", "no-cooccurrence"):
        corpus, same, all_of_them = corpus_of(control), 0, 0
        for index in range(60):
            for clip in range(CLIPS):
                names = {TAGS[k] for k in tag_numbers(corpus, story_of(index, control=control), clip)}
                due = {tag for tag, parts in COMPOUNDS.items() if names.issuperset(parts)}
                same, all_of_them = (
                    same + len(due & names),
                    all_of_them + len(due | (names & COMPOUNDS.keys())),
                )
        agree[control] = same / all_of_them
    assert agree[""] == 1
    assert agree["no-cooccurrence"] < 0.2


def words_of_texts(control: str) -> list[Counter[str]]:
    told = [annotate_text(corpus_of(control), index) for index in range(5)]
    return [Counter(word for text, *_ in story for word in text.split()) for story in told]


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_world_lacks_its_ingredient(control: str) -> None:
    stories = [story_of(index, control=control) for index in range(50)]
    events = [event for story in stories for event in story.events]
    acts = [act for event in events for act in event.acts]
    followed = sum(event.watched == event.act.actor for event in events) / len(events)
    kept = sum(event.holder == event.act.actor for event in events if event.holder != NOBODY)
    checks = {
        "no-gaze": followed < 0.6 and kept / len(events) < 0.7,
        "no-audio": not {act.deed.verb for act in acts} & set(HEARD_ONLY),
        "no-binding": all(len(event.acts) == 1 for event in events),
        "no-order": all(
            kind == PLAIN for s in stories for _, kind, _ in write_queries(corpus_of(control), s)
        ),
        "no-objects": not any(act.deed.thing for act in acts),
        "no-identity": any(len({event.looks for event in story.events}) > 1 for story in stories),
        "no-text": words_of_texts(control) == words_of_texts("")
        and annotate_text(corpus_of(control), 0) != annotate_text(TINY, 0),
        "no-cooccurrence": any(
            tag_numbers(corpus_of(control), s, 0) != tag_numbers(TINY, s, 0) for s in stories
        ),
    }
    assert checks[control]
    assert (control == "no-gaze") == (followed < 1)


@given(st.integers(2, 1000), st.integers(0, 9))
def test_a_stream_stays_in_bounds_and_depends_on_its_name_only(bound: int, name: int) -> None:
    one, other = Stream("bounds", name), Stream("bounds", name)
    values = [one.below(bound) for _ in range(70)]
    assert values == [other.below(bound) for _ in range(70)]
    assert all(0 <= value < bound for value in values)
    assert sorted(one.shuffled(range(bound))) == list(range(bound))
