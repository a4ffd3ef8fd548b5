"""Microworld's information rows: each claim can be true or false in it, and no shortcut reaches the answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import combinations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from reelbench.errors import UnknownNameError
from reelbench.tasks.datasets.microworld.information import leaks
from reelbench.tasks.datasets.microworld.information.identity import Pair, pairs_of_tracks
from reelbench.tasks.datasets.microworld.information.registry import CLAIMS, SHORTCUTS
from reelbench.tasks.datasets.microworld.information.rows import (
    Claim,
    Item,
    Row,
    Shortcut,
    measure_claim,
    measure_shortcut,
    summarize,
)
from reelbench.tasks.datasets.microworld.information.worlds import Habit, World, open_world
from reelbench.tasks.datasets.microworld.script import Story
from reelbench.tasks.datasets.microworld.sizes import CONTROLS, parse_path
from reelbench.tasks.datasets.microworld.source import MicroworldSource

SMOKE = open_world(parse_path("smoke"))
PAPERS = {"SLR", "GEAN", "CT-SAN", "JSFusion", "CiSIN", "TAPM", "HSE", "ASST", "BN-LSTM"}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_an_ingredient_is_worth_15_points_and_nothing_in_its_control_world(claim: Claim):
    assert measure_claim(claim, SMOKE).failure == ""


@pytest.mark.parametrize("shortcut", SHORTCUTS, ids=lambda shortcut: shortcut.name)
def test_a_shortcut_stays_near_chance(shortcut: Shortcut):
    assert measure_shortcut(shortcut, SMOKE).failure == ""


@pytest.mark.slow
def test_all_rows_hold_on_the_default_size():
    assert [f.name for f in MicroworldSource().verify("") if f.failure] == []


def test_every_control_world_is_the_control_of_a_row():
    assert {f"no-{claim.ingredient}" for claim in CLAIMS if not claim.elsewhere} == set(CONTROLS)


def _pairs_of_actors(story: Story) -> Iterator[Pair]:
    return combinations([(clip, event.act.actor) for clip, event in enumerate(story.events)], 2)


@pytest.mark.parametrize(("pairs", "worth"), [(pairs_of_tracks, 0.05), (_pairs_of_actors, 0.25)])
def test_gender_tells_who_is_who_where_looks_do_not(pairs: Callable[[Story], Iterable[Pair]], worth: float):
    """Why a lead over a side that sees no bodies is no leak in ``no-identity`` (``docs/statistics.md``): clothes and faces are
    somebody else's in each clip there, and genders are not."""
    world = open_world(parse_path("small/no-identity"))

    def right(knows: Callable[[Story, Pair], Hashable]) -> float:
        seen = ((story, pair) for story in world.train for pair in pairs(story))
        habit = Habit.learn((knows(story, pair), pair[0][1] == pair[1][1]) for story, pair in seen)
        asked = [(story, pair) for story in world.test for pair in pairs(story)]
        return float(np.mean([habit.guess(knows(s, p)) == (p[0][1] == p[1][1]) for s, p in asked]))

    def gender(story: Story, pair: Pair) -> Hashable:
        return len({story.cast[person].gender for _, person in pair})

    assert right(gender) > right(lambda story, pair: "nothing") + worth


def test_every_paper_has_a_row():
    assert {paper for claim in CLAIMS for paper in claim.methods.split(", ")} == PAPERS


def test_no_two_rows_share_a_name():
    names = [row.name for row in (*CLAIMS, *SHORTCUTS)]
    assert len(names) == len(set(names))


def test_rows_are_measured_in_the_world_that_is_named():
    with pytest.raises(UnknownNameError, match="tiny"):
        list(MicroworldSource().verify("tiny"))


def test_a_mean_stands_with_the_interval_over_families():
    scores = summarize(
        [_item("a", 1.0, 0.5), _item("a", 1.0, 0.5), _item("b", 1.0, 0.0), _item("b", 1.0, 1.0)]
    )
    assert (scores.items, scores.with_it, scores.without, scores.gap) == (4, 1.0, 0.5, 0.5)
    assert scores.error == 0.0  # both families' means are 0.5
    apart = summarize([_item("a", 1.0, 0.0), _item("b", 1.0, 1.0)])
    assert apart.error == pytest.approx(
        12.706 * 0.5, rel=1e-4
    )  # t with one degree of freedom, standard error 0.5
    assert apart.gap_noise > 30 * apart.error  # all rows together


def test_an_ingredient_that_is_worth_too_little_fails():
    assert "worth 10.0 points, less than 15" in _row(here=0.1, there=0.0).failure


def test_an_ingredient_that_carries_something_in_its_control_world_fails():
    assert "worth 20.0 points in its control world" in _row(here=0.5, there=0.2).failure


def test_an_ingredient_that_carries_nothing_in_its_control_world_holds():
    assert _row(here=0.5, there=0.01).failure == ""


def test_a_question_that_no_control_world_should_have_fails_where_one_has_it():
    assert "its control world has 40 riddles" in _row(here=0.5, there=0.0, asked_of="riddles").failure


@pytest.mark.parametrize(("blind", "holds"), [(0.59, True), (0.61, False)])
def test_a_shortcut_may_go_half_the_way_to_the_oracle(blind: float, holds: bool):
    row = measure_shortcut(Shortcut("", "", "", _items(lambda world: blind)), SMOKE)
    assert (row.failure == "") is holds


@pytest.mark.parametrize(("blind", "holds"), [(0.22, True), (0.24, False)])
def test_a_shortcut_that_has_to_be_at_chance_has_three_points(blind: float, holds: bool):
    row = measure_shortcut(Shortcut("", "", "", _items(lambda world: blind), at_chance=True), SMOKE)
    assert (row.failure == "") is holds


def test_a_habit_falls_back_to_what_is_frequent():
    habit = Habit.learn([("rain", "wet"), ("rain", "wet"), ("sun", "dry")])
    assert (habit.guess("sun"), habit.guess("snow")) == ("dry", "wet")


def test_the_classifier_reads_a_leak_where_there_is_one():
    digits = np.random.default_rng(0).integers(16, size=(200, 3)).tolist()
    planted = [(str(i), row, row[1] % 4) for i, row in enumerate(digits)]
    scores = summarize(leaks.score(planted[:150], planted[150:]))
    assert scores.without > 0.9
    assert scores.chance < 0.4


@pytest.mark.parametrize("answer", [leaks.who, leaks.what, leaks.where], ids=lambda answer: answer.__name__)
def test_a_forest_reads_no_answer_from_ids_order_and_lengths(answer: Callable[..., object]):
    cases = leaks.names_and_lengths(answer)
    train, test = list(cases(SMOKE.train_records)), list(cases(SMOKE.test_records))
    forest = RandomForestClassifier(100, random_state=0).fit(_numbers(train), [str(c[2]) for c in train])
    guesses = forest.predict(_numbers(test))
    right = [str(c[2]) for c in test]
    items = [
        _item(case[0], 1.0, float(guess == true), right.count(guess) / len(right))
        for case, guess, true in zip(test, guesses, right, strict=True)
    ]
    scores = summarize(items)
    assert scores.above < max(0.03, scores.above_noise)


def _numbers(cases: list[leaks.Case]) -> list[list[int]]:
    """Features as numbers: hex digits by their value, a rendering's letter by its place in the alphabet."""
    return [[int(str(f), 36) for f in features] for _, features, _ in cases]


def _item(family: str, with_it: float, without: float, chance: float = 0.2) -> Item:
    return Item(family, with_it, without, chance)


def _items(without: Callable[[World], float]) -> Callable[[World], Iterator[Item]]:
    return lambda world: (_item(str(i), 1.0, without(world)) for i in range(40))


def _row(*, here: float, there: float, asked_of: str = "") -> Row:
    """The row of a claim that is worth so much in the world, and so much in its control."""
    measure = _items(lambda world: 1 - (there if world.corpus.control else here))
    return measure_claim(dataclasses.replace(CLAIMS[0], measure=measure, asked_of=asked_of), SMOKE)
