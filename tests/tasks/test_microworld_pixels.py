from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from worlds import TINY

from reelbench.tasks.datasets.microworld.film import FEATURE_SPECS, draw_frames, film
from reelbench.tasks.datasets.microworld.gaze import VIEWERS, frame_times, watch
from reelbench.tasks.datasets.microworld.hearing import hear
from reelbench.tasks.datasets.microworld.people import list_tracks, see_people
from reelbench.tasks.datasets.microworld.props import BEHIND, halfway
from reelbench.tasks.datasets.microworld.render import COLOUR_COUNT, GRAINS, render
from reelbench.tasks.datasets.microworld.script import (
    NOBODY,
    STORY_FRAMES,
    Act,
    Deed,
    Event,
    Story,
    holder_after,
)
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sound import record
from reelbench.tasks.datasets.microworld.sprites import FRAME_SIZE, OFFSCREEN, PERSON_SHAPE, POSE
from reelbench.tasks.datasets.microworld.staging import RENDERINGS, Stage, stage_story
from reelbench.tasks.datasets.microworld.vision import see
from reelbench.tasks.datasets.microworld.world import HAIRS, HEARD_ONLY, SHIRTS
from reelbench.tasks.datasets.microworld.writing import write_story

INDICES = st.integers(0, 400)
SIZE = np.array((PERSON_SHAPE[1], PERSON_SHAPE[0]))


def world_without(ingredient: str) -> Corpus:
    return Corpus("tiny", TINY.stories, control=f"no-{ingredient}")


def story_of(index: int, corpus: Corpus = TINY) -> Story:
    return write_story(corpus, "test", index)


def find_acts(verb: str, count: int = 120) -> Iterator[tuple[Stage, Event, Act]]:
    """Acts of somebody who does nothing else in the clip."""
    for story in map(story_of, range(count)):
        stage = stage_story(TINY, story, "a")
        for event in story.events:
            actors = [act.actor for act in event.acts]
            for act in event.acts:
                if act.deed.verb == verb and actors.count(act.actor) == 1:
                    yield stage, event, act


def with_deeds(story: Story, verb: str) -> Story:
    """The story, in which everybody who makes themselves heard does it in this way."""
    events = [
        replace(
            event,
            acts=tuple(
                replace(act, deed=Deed(verb)) if act.deed.verb in HEARD_ONLY else act for act in event.acts
            ),
        )
        for event in story.events
    ]
    return replace(story, events=tuple(events))


def in_hand(stage: Stage, person: int, t: int) -> bool:
    """Whether the treasure is behind somebody's back, unless the picture's edge keeps it from there."""
    x = BEHIND[0] if stage.facing[person, t] == 0 else PERSON_SHAPE[1] - BEHIND[0] - 10
    place = stage.people_xy[person, t] + np.array((x, BEHIND[1]))
    return bool((stage.thing_xy[0, t] == place.clip(0, FRAME_SIZE - 10)).all())


def spoken_story() -> Story:
    """A story in which somebody sings, shouts or whistles."""
    stories = map(story_of, range(200))
    return next(s for s in stories if any(act.deed.verb in HEARD_ONLY for e in s.events for act in e.acts))


def test_every_colour_and_grain_has_a_number_of_one_byte() -> None:
    assert COLOUR_COUNT * GRAINS <= 256


@settings(max_examples=40)
@given(INDICES, st.sampled_from(RENDERINGS))
def test_who_acts_or_gets_something_stays_in_the_picture_and_all_others_are_half_in_it(
    index: int, rendering: str
) -> None:
    story = story_of(index)
    stage = stage_story(TINY, story, rendering)
    for event in story.events:
        frames = slice(event.first, event.last)
        busy = {person for act in event.acts for person in (act.actor, act.recipient)}
        for person in range(len(story.cast)):
            xy = stage.people_xy[person, frames]
            if person not in event.visible:
                assert (xy == OFFSCREEN).all()
                continue
            outside = np.maximum(-xy, 0) + np.maximum(xy + SIZE - FRAME_SIZE, 0)
            assert (outside <= (0 if person in busy else SIZE // 2)).all()
        shown = stage.thing[:, event.first] >= 0
        assert (
            (stage.thing_xy[shown, frames] >= 0) & (stage.thing_xy[shown, frames] <= FRAME_SIZE - 10)
        ).all()


@settings(max_examples=40)
@given(INDICES)
def test_only_who_does_nothing_turns_their_back_for_a_whole_clip(index: int) -> None:
    story = story_of(index)
    stage = stage_story(TINY, story, "a")
    for event in story.events:
        for act in event.acts:
            for person in {act.actor, act.recipient} - {NOBODY}:
                assert (stage.pose[person, event.first : event.last] == POSE["stand"]).any()


def test_people_are_turned_in_a_fifth_of_the_clips_and_cropped_in_an_eighth() -> None:
    turned = cropped = clips = 0
    for story in map(story_of, range(200)):
        stage = stage_story(TINY, story, "a")
        for event in story.events:
            people, frames = list(event.visible), slice(event.first, event.last)
            x = stage.people_xy[people, event.first, 0]
            clips += 1
            turned += bool((stage.pose[people, frames] == POSE["back"]).all(axis=1).any())
            cropped += bool(((x < 0) | (x > FRAME_SIZE - SIZE[0])).any())
    assert 0.15 < turned / clips < 0.25
    assert 0.08 < cropped / clips < 0.16


@pytest.mark.parametrize("verb", ["walk", "run", "push", "carry"])
def test_who_moves_goes_the_right_way_during_the_act_and_stands_still_otherwise(verb: str) -> None:
    found = set()
    for stage, event, act in find_acts(verb):
        axis, sign = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}[act.deed.direction]
        path = stage.people_xy[act.actor].astype(int)
        moved = path[act.last] - path[act.first]
        assert moved[axis] * sign == act.deed.step * (act.last - act.first)
        assert moved[1 - axis] == 0
        assert (path[event.first : act.first] == path[act.first]).all()
        assert (path[act.last : event.last] == path[act.last]).all()
        found.add(act.deed.direction)
    assert len(found) == 4


def test_what_is_thrown_flies_the_way_it_is_thrown_and_stays_where_it_falls() -> None:
    found = 0
    for stage, event, act in find_acts("throw"):
        path = stage.thing_xy[1 + event.acts.index(act)].astype(int)
        axis, sign = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}[act.deed.direction]
        assert (path[act.last] - path[act.first])[axis] * sign >= 16
        assert (path[act.last : event.last] == path[act.last]).all()
        found += 1
    assert found > 5


def test_what_is_lifted_is_at_the_foot_before_and_overhead_now_and_then() -> None:
    found = 0
    for stage, event, act in find_acts("lift"):
        height = (
            stage.thing_xy[1 + event.acts.index(act), :, 1].astype(int) - stage.people_xy[act.actor, :, 1]
        )
        assert (height[event.first : act.first] > 10).all()
        assert (height[act.first : act.last] < 0).any()
        found += 1
    assert found > 5


@settings(max_examples=60)
@given(INDICES)
def test_the_treasure_is_in_its_holders_hand_when_a_clip_starts_and_when_it_ends(index: int) -> None:
    story = story_of(index)
    stage = stage_story(TINY, story, "b")
    for event in story.events:
        assert (stage.thing[0, event.first] >= 0) == event.treasure_seen
        for holder, t in ((event.holder, event.first), (holder_after(event), event.last - 1)):
            if event.treasure_seen and holder != NOBODY:
                assert in_hand(stage, holder, t)


def test_what_is_given_goes_from_one_person_to_the_other_within_reach() -> None:
    found = 0
    for stage, event, act in find_acts("give", 300):
        apart = np.abs(stage.people_xy[act.actor, act.first] - stage.people_xy[act.recipient, act.first])
        assert apart[0] < 30
        assert apart[1] == 0
        assert in_hand(stage, act.actor, act.first - 1)
        assert in_hand(stage, act.recipient, halfway(act))
        assert event.last > act.last
        found += 1
    assert found > 3


def test_singing_shouting_and_whistling_look_the_same_and_sound_different() -> None:
    story = spoken_story()
    stories = [with_deeds(story, verb) for verb in HEARD_ONLY]
    stages = [stage_story(TINY, s, "a") for s in stories]
    pixels = [render(TINY, s, stage) for s, stage in zip(stories, stages, strict=True)]
    sounds = [hear(record(TINY, s, stages[0].name)) for s in stories]
    event, act = next((e, a) for e in story.events for a in e.acts if a.deed.verb in HEARD_ONLY)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        np.testing.assert_array_equal(pixels[one], pixels[other])
        apart = np.abs(sounds[one] - sounds[other])
        assert apart[act.first : act.last].max() > 1
        assert apart[event.first : act.first - 1].max() == 0


def test_a_voice_is_heard_whoever_sings_shouts_or_whistles() -> None:
    story = spoken_story()
    event, act = next((e, a) for e in story.events for a in e.acts if a.deed.verb in HEARD_ONLY)
    for verb in HEARD_ONLY:
        heard = []
        for voice in range(4):
            looks = tuple(replace(person, voice=voice) for person in event.looks)
            events = tuple(replace(e, looks=looks) for e in with_deeds(story, verb).events)
            bands = hear(record(TINY, replace(story, events=events), "x"))
            heard.append(int(bands[act.first, 10:].argmax()))
        assert len(set(heard)) == 4


def test_without_audio_the_sound_says_nothing_about_what_happens() -> None:
    silent = world_without("audio")
    one, other = (write_story(silent, "train", index) for index in (0, 1))
    other = replace(other, key=one.key)
    assert one.events != other.events
    np.testing.assert_array_equal(record(silent, one, "same"), record(silent, other, "same"))
    assert (record(TINY, one, "same") != record(TINY, other, "same")).any()


def shirt_colour(pixels: NDArray[np.uint8], stage: Stage, person: int, t: int) -> NDArray[np.uint8]:
    """Which of the four levels the middle of a person's shirt has."""
    x, y = (int(v) for v in stage.people_xy[person, t])
    return pixels[t, y + 13, x + 8, :3] // 64


@pytest.mark.parametrize("control", ["", "no-identity"])
def test_everybody_wears_the_same_in_all_clips_except_in_a_world_without_identity(control: str) -> None:
    corpus = Corpus("tiny", TINY.stories, control=control)
    changed = 0
    for index in range(6):
        story = story_of(index, corpus)
        stage = stage_story(corpus, story, "a")
        pixels = render(corpus, story, stage)
        for event in story.events:
            for act in event.acts:
                look = event.looks[act.actor]
                t = event.first if act.first > event.first else event.last - 1
                if stage.pose[act.actor, t] == POSE["stand"]:
                    assert tuple(shirt_colour(pixels, stage, act.actor, t)) == SHIRTS[look.shirt]
                changed += look.shirt != story.cast[act.actor].shirt
    assert (changed > 0) == (control == "no-identity")


def test_the_two_renderings_of_a_script_differ_and_are_drawn_the_same_again() -> None:
    one, other, again = (draw_frames(TINY, "train", 0, r) for r in ("a", "b", "a"))
    assert one.shape == (STORY_FRAMES, FRAME_SIZE, FRAME_SIZE, 3)
    assert (one != other).mean() > 0.3
    np.testing.assert_array_equal(one, again)


def padded_frames(index: int) -> NDArray[np.uint8]:
    return np.pad(draw_frames(TINY, "train", index, "a"), ((0, 0), (0, 0), (0, 0), (0, 1)))


def test_features_do_not_depend_on_which_frames_come_after() -> None:
    frames = padded_frames(1)
    whole, part = see(frames), see(frames[:60].copy())
    for name, rows in part.items():
        np.testing.assert_array_equal(rows, whole[name][: len(rows)])


def test_mirrored_maps_are_the_maps_of_mirrored_pixels() -> None:
    frames = padded_frames(2)
    straight, turned = see(frames), see(np.ascontiguousarray(frames[:, :, ::-1]))
    np.testing.assert_array_equal(straight["spatial_mirrored"], turned["spatial"])
    np.testing.assert_array_equal(straight["spatial"], turned["spatial_mirrored"])


def test_thumbnails_are_every_second_frame_six_times_smaller() -> None:
    frames = padded_frames(3)
    thumbnails = see(frames)["thumbnail"].astype(float)
    means = frames[::2, ..., :3].reshape(60, 14, 6, 14, 6, 3).mean(axis=(2, 4))
    assert np.abs(thumbnails - means).max() < 2


def test_every_video_has_every_modality_in_the_shape_that_is_declared() -> None:
    features = film(TINY, "train", 0)
    videos = set(features["appearance"])
    assert features.keys() == FEATURE_SPECS.keys()
    for name, spec in FEATURE_SPECS.items():
        assert name.startswith("person_") or set(features[name]) == videos
        for rows in features[name].values():
            assert rows.shape[1:] == tuple(spec.shape)
            assert rows.dtype == np.dtype(spec.dtype)


@settings(max_examples=10)
@given(INDICES)
def test_there_is_a_track_for_everybody_on_screen_also_who_is_turned_or_half_out_of_the_picture(
    index: int,
) -> None:
    story = story_of(index)
    tracks = list_tracks(TINY, story, "a")
    for clip, event in enumerate(story.events):
        assert {t.person for t in tracks if t.clip == clip} == set(event.visible)
    stage = stage_story(TINY, story, "a")
    features = see_people(story, stage, render(TINY, story, stage), tracks)
    for track in tracks:
        event = story.events[track.clip]
        for of_tracks in features.values():
            assert len(of_tracks[track.id]) == -(-(event.last - event.first) // 4)


def test_who_turns_their_back_shows_hair_where_the_face_would_be() -> None:
    seen = 0
    for story in map(story_of, range(20)):
        stage = stage_story(TINY, story, "a")
        pixels = render(TINY, story, stage)
        for event in story.events:
            for person in event.visible:
                if (stage.pose[person, event.first : event.last] == POSE["back"]).all():
                    x, y = (int(v) for v in stage.people_xy[person, event.first])
                    colour = pixels[event.first, y + 4, x + 8, :3] // 64
                    assert tuple(colour) == HAIRS[event.looks[person].hair]
                    seen += 1
    assert seen > 5


def test_viewers_stay_with_the_person_they_follow_also_while_others_act() -> None:
    near, elsewhere = [], []
    for index in range(40):
        story = story_of(index)
        stage = stage_story(TINY, story, "a")
        for clip, event in enumerate(story.events):
            for t, fixations in zip(frame_times(event), watch(TINY, story, stage, clip), strict=True):
                assert len(fixations) == VIEWERS
                act = next((a for a in event.acts if a.first <= t < a.last), None)
                if act is not None and event.watched not in (act.actor, act.recipient):
                    near += [distance(stage, event.watched, t, point) < 14 for point in fixations]
                    elsewhere += [distance(stage, act.actor, t, point) < 14 for point in fixations]
    assert np.mean(near) > 0.6
    assert np.mean(elsewhere) < 0.35


def distance(stage: Stage, person: int, t: int, point: list[int]) -> float:
    return float(np.abs(stage.people_xy[person, t] + np.array((8, 9)) - np.array(point)).max())
