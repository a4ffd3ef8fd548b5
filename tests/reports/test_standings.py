"""How rows of a table stand, in each of its special cases: against hand computation and SciPy's t, not our own statistics."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import fields
from itertools import combinations
from pathlib import Path
from statistics import mean, median, variance
from typing import Any

import numpy as np
import pytest
from plain_trials import CLUSTERS, DRAWS, METRIC, Trials, noise, row_of
from scipy import stats
from synthetic import SPECS

from reelbench.reports import figures
from reelbench.reports.formats.structured import table_object
from reelbench.reports.leaderboard import Board
from reelbench.reports.published import Published
from reelbench.reports.standing_notes import standing_notes
from reelbench.reports.tables import board_table

SCORES = {
    "best": (0.60, 0.62, 0.61), "near": (0.585, 0.605, 0.600), "middle": (0.45, 0.48, 0.47), "last": (0.20, 0.19, 0.22),
}  # fmt: skip
"""Four rows: two that no test can tell apart, and two that stand for themselves."""


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    return Trials(tmp_path)


@pytest.fixture
def four(trials: Trials) -> Board:
    for method, values in SCORES.items():
        trials.row(method, values)
    return trials.board()


def label(method: str) -> str:
    return f"{method}/full/match/tiny/frames#{method}"


def difference(left: str, right: str) -> tuple[float, float, float]:
    """Estimate, standard error and degrees of freedom as docs/statistics.md has them, written out."""
    one, other = SCORES[left], SCORES[right]
    draws = np.float32(mean(one) + noise(left)) - np.float32(mean(other) + noise(right))
    clusters = variance(map(float, draws)) * CLUSTERS / (CLUSTERS - 1)
    seeds = [variance(values) / len(values) for values in (one, other)]
    total = clusters + sum(seeds)
    freedom = total**2 / (clusters**2 / (CLUSTERS - 1) + sum(s**2 / 2 for s in seeds))
    return mean(one) - mean(other), math.sqrt(total), freedom


def p_of(estimate: float, error: float, freedom: float) -> float:
    return float(2 * stats.t.sf(abs(estimate) / error, freedom))


def holm(p: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Step down: the k-th smallest times how many are left, never below the one before."""
    adjusted, largest = {}, 0.0
    for k, pair in enumerate(sorted(p, key=p.__getitem__)):
        largest = max(largest, min(1.0, (len(p) - k) * p[pair]))
        adjusted[pair] = largest
    return adjusted


# --- ranks and differences ---------------------------------------------------------------------------------------


def test_two_rows_by_hand(trials: Trials):
    """Draws of the difference: 0.10, 0.20 in turn, so a variance of 4 x 0.05^2 / 3, times 20 / 19 for the clusters: 0.0035088.

    Seeds 0.54 and 0.56, 0.39 and 0.41: 0.0002 / 2 = 0.0001 each. In all 0.0037088, its root 0.0609; and 0.0037088^2 /
    (0.0035088^2 / 19 + 2 x 0.0001^2 / 1) = 20.6 degrees of freedom. 0.15 / 0.0609 = 2.463: p is 0.0226, below 0.05.
    """
    swing = np.array([-0.05, 0.05, -0.05, 0.05])
    trials.row("a", (0.54, 0.56), draws=swing)
    trials.row("b", (0.39, 0.41), draws=np.zeros(4))
    standings = trials.board().standings
    found = standings.places[label("b")].to_best
    assert found is not None
    assert (found.estimate, found.error, found.freedom) == pytest.approx((-0.15, 0.0609, 20.6), rel=1e-3)
    assert found.p == pytest.approx(0.0226, abs=1e-4)
    assert standings.adjusted[0][1] == found.p
    assert [standings.places[label(m)].rank for m in "ab"] == [(1, 1), (2, 2)]
    # found with 80 % power at 5 %: 0.0609 x (t(20.6) of 97.5 %, 2.082, and of 80 %, 0.859)
    assert standings.resolvable == pytest.approx(0.0609 * (2.082 + 0.859), rel=1e-3)


def test_ranks_and_adjusted_p_of_all_pairs(four: Board):
    p = {pair: p_of(*difference(*pair)) for pair in combinations(SCORES, 2)}
    standings, adjusted = four.standings, holm(p)
    assert standings.ranked == tuple(map(label, SCORES))
    assert (standings.pairs, standings.best) == (6, label("best"))
    for (one, other), wanted in adjusted.items():
        i, k = (list(SCORES).index(m) for m in (one, other))
        assert standings.adjusted[i][k] == standings.adjusted[k][i] == pytest.approx(wanted, rel=1e-3)
    assert (
        adjusted["best", "near"] > 0.05 > max(v for pair, v in adjusted.items() if pair != ("best", "near"))
    )
    assert [standings.places[label(m)].rank for m in SCORES] == [(1, 2), (1, 2), (3, 3), (4, 4)]


def test_the_difference_to_the_best_is_that_of_the_pair_alone(four: Board):
    assert four.standings.places[label("best")].to_best is None
    for method in list(SCORES)[1:]:
        estimate, error, freedom = difference(method, "best")
        found = four.standings.places[label(method)].to_best
        assert found is not None
        half = float(stats.t.ppf(0.975, freedom)) * error
        assert found.interval() == pytest.approx((estimate - half, estimate + half), rel=1e-3)
        assert found.p == pytest.approx(p_of(estimate, error, freedom), rel=1e-3)


def test_what_can_be_resolved_is_that_of_the_pair_in_the_middle_at_holms_strictest_level(four: Board):
    found = [difference(*pair)[1:] for pair in combinations(SCORES, 2)]
    wanted = median(e * (stats.t.ppf(1 - 0.05 / 6 / 2, f) + stats.t.ppf(0.8, f)) for e, f in found)
    assert four.standings.resolvable == pytest.approx(wanted, rel=1e-3)


def test_a_rows_own_interval_is_over_clusters_and_its_seeds(four: Board):
    values = SCORES["middle"]
    clusters = variance(map(float, np.float32(mean(values) + noise("middle")))) * CLUSTERS / (CLUSTERS - 1)
    seeds = variance(values) / 3
    freedom = (clusters + seeds) ** 2 / (clusters**2 / (CLUSTERS - 1) + seeds**2 / 2)
    half = float(stats.t.ppf(0.975, freedom)) * math.sqrt(clusters + seeds)
    found = four.standings.places[label("middle")].intervals[METRIC].interval()
    assert found == pytest.approx((mean(values) - half, mean(values) + half), rel=1e-3)


def test_where_lower_is_better_the_lowest_row_is_the_best(trials: Trials):
    specs = [{**s, "primary": True} for s in SPECS if s["name"] == "median_rank"]
    for method, values in SCORES.items():
        for seed, value in enumerate(values):
            trials.trial(method, seed, {"median_rank": value}, metric_specs=specs)
    standings = trials.board().standings
    assert standings.ranked == tuple(map(label, reversed(SCORES)))
    assert [standings.places[label(m)].rank for m in SCORES] == [(3, 4), (3, 4), (2, 2), (1, 1)]
    found = standings.places[label("middle")].to_best
    assert found is not None
    assert found.estimate == pytest.approx(mean(SCORES["middle"]) - mean(SCORES["last"]))


def test_rows_with_identical_predictions_are_never_apart(trials: Trials):
    for method in ("one", "twin"):
        trials.row(method, (0.6, 0.6, 0.6), draws=noise("one"))
    trials.row("far", (0.1, 0.1, 0.1))
    standings = trials.board().standings
    found = standings.places[label("twin")].to_best
    assert found is not None
    assert (found.estimate, found.error, found.p) == (0.0, 0.0, 1.0)
    assert standings.adjusted[0][1] == 1.0
    assert [standings.places[label(m)].rank for m in ("one", "twin", "far")] == [(1, 2), (1, 2), (3, 3)]


def test_a_deterministic_row_is_ranked_by_one_seed_and_another_is_not(trials: Trials):
    trials.row("sure", (0.6,), deterministic=True)
    trials.row("once", (0.5,))
    trials.row("thrice", (0.2, 0.21, 0.22))
    places = trials.board().standings.places
    assert [(places[label(m)].rank, places[label(m)].why) for m in ("sure", "once", "thrice")] == [
        ((1, 1), ""), (None, "one seed"), ((2, 2), ""),
    ]  # fmt: skip
    for method in ("sure", "once"):  # neither has a seed term: clusters alone
        own = places[label(method)].intervals[METRIC]
        alone = variance(map(float, noise(method))) * CLUSTERS / (CLUSTERS - 1)
        assert (own.error, own.freedom) == pytest.approx((math.sqrt(alone), CLUSTERS - 1), rel=1e-3)
    assert [row_of(trials.board(), m).seeds for m in ("sure", "once")] == ["1, deterministic", "1"]


# --- what is not ranked ------------------------------------------------------------------------------------------

NAN = np.where(np.arange(DRAWS) < DRAWS * 0.11, np.nan, 0.0)
ODD: dict[str, tuple[Sequence[float], dict[str, Any]]] = {
    "a ceiling": ((0.9,), {"tags": {"rb.role": "ceiling"}}),
    "predicted elsewhere": ((0.9, 0.8), {"tags": {"rb.role": "external"}}),
    "answers without having looked": ((0.1, 0.11), {"floor": True}),
    "no seed finished": ((0.1, 0.1), {"status": "FAILED"}),
    "one seed": ((0.5,), {}),
    "scored on another test set": ((0.5, 0.6), {"clusters_digest": "other"}),
    "undefined in too many draws of the test set": ((0.5, 0.6), {"draws": NAN}),
}


def stand_beside(trials: Trials, *reference: str) -> Board:
    """Rows that are ranked beside what the trials have; the newest, so that the test set is theirs."""
    for method in reference or ("best", "last"):
        trials.row(method, SCORES[method], started_ms=9)
    return trials.board()


def check_unranked(board: Board, why: str) -> None:
    place = board.standings.places[label("odd")]
    assert (place.why, place.rank, place.to_best) == (why, None, None)
    assert board.standings.ranked == (label("best"), label("last"))
    assert [board.standings.places[label(m)].rank for m in ("best", "last")] == [(1, 1), (2, 2)]
    assert f"Not ranked: Odd ({why})." in standing_notes(board, board.names)


@pytest.mark.parametrize("why", ODD)
def test_each_reason_not_to_rank_a_row_is_told_and_leaves_the_others_as_they_are(trials: Trials, why: str):
    values, told = ODD[why]
    trials.row("odd", values, **told)
    check_unranked(stand_beside(trials), why)


def test_a_metric_undefined_in_few_draws_is_ranked(trials: Trials):
    trials.row("odd", (0.5, 0.6), draws=np.where(np.arange(DRAWS) < DRAWS * 0.09, np.nan, 0.0))
    assert stand_beside(trials).standings.places[label("odd")].rank is not None


def test_a_seed_without_a_finite_score(trials: Trials):
    trials.trial("odd", 0, {METRIC: 0.5})
    trials.trial("odd", 1, {"cider": 0.5})
    check_unranked(stand_beside(trials), "a seed's score is not finite")


def test_seeds_that_were_scored_on_different_test_sets(trials: Trials):
    for seed, digest in enumerate(("c0ffee", "other")):
        trials.trial("odd", seed, {METRIC: 0.5}, clusters_digest=digest)
    check_unranked(stand_beside(trials), "the seeds were scored on different test sets")


def test_a_row_without_replicates(trials: Trials):
    trials.row("odd", (0.5, 0.6))
    (trials.folder / "odd-1-1" / "sheet" / "replicates.safetensors").unlink()
    board = stand_beside(trials)
    check_unranked(board, "no replicates of the score")
    assert board.standings.places[label("odd")].intervals == {}


def test_of_few_clusters_no_row_is_ranked_but_each_has_its_interval(trials: Trials):
    for method in ("best", "last"):
        trials.row(method, SCORES[method], clusters=9)
    standings = trials.board().standings
    assert {place.why for place in standings.places.values()} == {"only 9 clusters of test examples"}
    assert all(METRIC in place.intervals for place in standings.places.values())
    assert (standings.best, standings.ranked, standings.resolvable, standings.pairs) == ("", (), None, 0)
    assert figures.ranks(trials.board()) is figures.differences(trials.board()) is None


def test_ten_clusters_are_enough(trials: Trials):
    for method in ("best", "last"):
        trials.row(method, SCORES[method], clusters=10)
    assert len(trials.board().standings.ranked) == 2


# --- what stands below the table ---------------------------------------------------------------------------------

INTERVALS = (
    "Intervals are 95 % for one number each, over 20 clusters of test examples and over seeds (Satterthwaite's t); of a row with one seed, given that seed. "
    "Only the primary metric's ranks are corrected for how many there are."
)


def ranked_note(compared: str) -> str:
    return (
        f"Rank: the places that are left possible when {compared} are compared on R@1 (Holm, 5 % for the whole table). "
        "Where ranks overlap, the order of the means may be noise."
    )


def resolution_note(board: Board, seeds: str, level: str = "") -> str:
    assert board.standings.resolvable is not None
    return (
        f"Smallest difference that this test set (20 clusters) and these seeds ({seeds}) resolve with 80 % power{level}, "
        f"for a pair with the median error: {100 * board.standings.resolvable:.1f} points."
    )


def test_the_footer_of_a_whole_table(four: Board):
    assert standing_notes(four, four.names) == [
        INTERVALS,
        ranked_note("all 6 pairs of 4 ranked rows"),
        resolution_note(four, "3 a ranked row", " at the strictest of Holm's levels for 6 pairs"),
    ]


def test_the_footer_says_what_no_draw_of_clusters_changes(trials: Trials):
    from reelbench.tasks.retrieval import Retrieval

    for method in ("best", "last"):
        trials.row(method, SCORES[method], given=Retrieval.given)
    first, *_ = standing_notes(trials.board(), trials.board().names)
    expected = (
        "given that seed. All are given this gallery: queries are drawn, and each is ranked among all of it. "
    )
    assert first == INTERVALS.replace("given that seed. ", expected)


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ({"present": 40, "left_out": 1.234}, " Of 40 classes, a draw of the clusters has no positive of 1.2 on average; its mean over classes leaves them out."),
        ({"present": 4000, "left_out": 123.4}, " Of 4000 classes, a draw of the clusters has no positive of 123.4 on average; its mean over classes leaves them out."),
        ({"present": 40, "left_out": 0.0}, ""),
        (None, ""),
    ],
)  # fmt: skip
def test_the_footer_counts_classes_that_draws_leave_out(trials: Trials, classes: object, said: str):
    for method in ("best", "last"):
        trials.row(method, SCORES[method], classes=classes)
    first, *_ = standing_notes(trials.board(), trials.board().names)
    assert first == INTERVALS.replace("given that seed. ", f"given that seed.{said} ")


def test_the_footer_of_two_rows_of_unequal_seeds(trials: Trials):
    trials.row("best", SCORES["best"])
    trials.row("last", SCORES["last"][:2])
    board = trials.board()
    assert standing_notes(board, board.names) == [
        INTERVALS, ranked_note("the two ranked rows"), resolution_note(board, "2 to 3 a ranked row"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sure", "seeds"),
    [
        (("best",), "3 a ranked row, deterministic ones aside"),
        (("best", "last"), "none: every ranked row is deterministic"),
    ],
)
def test_the_footer_counts_no_seeds_of_deterministic_rows(trials: Trials, sure: Sequence[str], seeds: str):
    for method in ("best", "last"):
        values = SCORES[method]
        trials.row(method, values[:1] if method in sure else values, deterministic=method in sure)
    board = trials.board()
    assert resolution_note(board, seeds) in standing_notes(board, board.names)


def test_the_footer_of_a_table_with_one_ranked_row_compares_nothing(trials: Trials):
    trials.row("best", SCORES["best"])
    trials.row("once", (0.3,))
    board = trials.board()
    assert standing_notes(board, board.names) == [INTERVALS, "Not ranked: Once (one seed)."]
    assert (board.standings.places[label("best")].rank, board.standings.resolvable) == ((1, 1), None)


def test_the_footer_where_nothing_has_replicates(trials: Trials):
    trials.row("best", SCORES["best"])
    for path in trials.folder.rglob("replicates.safetensors"):
        path.unlink()
    board = trials.board()
    assert standing_notes(board, board.names) == [
        "Rows are ordered by their mean; their record has no replicates, so that no difference was tested. Run the suite again to score them anew.",
        "Not ranked: Best (no replicates of the score).",
    ]


def test_reasons_not_to_rank_are_said_once_with_all_rows(trials: Trials):
    for method in ("one", "two"):
        trials.row(method, (0.3,))
    trials.row("chance", (0.01, 0.02), floor=True)
    board = stand_beside(trials)
    last = standing_notes(board, board.names)[-1]
    assert last == "Not ranked: One, Two (one seed); Chance (answers without having looked)."


def test_rows_whose_seeds_start_from_one_fit_are_named(trials: Trials):
    for method, upstream in (("shared", ["u", "u", "v"]), ("own", ["a", "b", "c"]), ("none", [None] * 3)):
        for seed, fit in enumerate(upstream):
            trials.trial(method, seed, {METRIC: 0.5 + seed / 100}, upstream=[fit] if fit else [])
    board = trials.board()
    assert standing_notes(board, board.names)[-1] == (
        "Given upstream: the seeds of Shared start from one shared fit, whose own spread is not in theirs."
    )


def test_a_lost_seed_is_counted_and_named_where_the_others_are_ranked(trials: Trials):
    trials.row("best", SCORES["best"][:2])
    trials.trial("best", 2, {}, status="FAILED", tags={"rb.error": "not run: fit best (shared) failed: NaN"})
    trials.row("last", SCORES["last"])
    board = trials.board()
    table = board_table(board)
    assert [line.seeds for line in table.sections[0].lines] == ["2 of 3", "3"]
    assert "Best: 2 of 3 seeds, 1 failed: seed 2: not run: fit best (shared) failed: NaN." in table.notes
    assert board.standings.places[label("best")].rank == (1, 1)


# --- pictures ----------------------------------------------------------------------------------------------------


def test_the_picture_of_ranks_has_a_bar_a_ranked_row(four: Board):
    """Ranks 1 to 4 lie on 210 to 624 of the picture's width: 138 apart."""
    picture = figures.ranks(four)
    assert picture is not None
    assert [(b.name, b.text, b.low, b.mark, b.high) for b in picture.bars] == [
        ("Best", "1–2", 210, 210, 348), ("Near", "1–2", 210, 348, 348), ("Middle", "3", 486, 486, 486), ("Last", "4", 624, 624, 624),
    ]  # fmt: skip
    assert [b.y for b in picture.bars] == [26, 46, 66, 86]  # lines of 20 below a margin of 16
    assert picture.ticks == ((210, "1"), (348, "2"), (486, "3"), (624, "4"))


def test_the_forest_has_a_mark_for_each_row_below_the_best(trials: Trials, four: Board):
    trials.row("once", (0.3,))
    picture = figures.differences(trials.board())
    assert picture is not None
    assert [(b.name, b.apart) for b in picture.bars] == [("Near", False), ("Middle", True), ("Last", True)]
    (at, first), (to, second) = picture.ticks[0], picture.ticks[-1]
    low, high = (float(text.replace("−", "-")) for text in (first, second))
    place = lambda points: at + (to - at) * (points - low) / (high - low)  # noqa: E731
    assert picture.zero == pytest.approx(place(0), abs=0.06)
    for bar, method in zip(picture.bars, list(SCORES)[1:], strict=True):
        estimate, error, freedom = difference(method, "best")
        half = float(stats.t.ppf(0.975, freedom)) * error
        ends = [place(100 * value) for value in (estimate - half, estimate, estimate + half)]
        assert (bar.low, bar.mark, bar.high) == pytest.approx(ends, abs=0.2)
        shown = [f"{100 * v:+.1f}".replace("-", "−") for v in (estimate, estimate - half, estimate + half)]
        assert bar.text.startswith(f"{shown[0]} [{shown[1]}, {shown[2].removeprefix('+')}], adjusted p ")


# --- JSON --------------------------------------------------------------------------------------------------------


def documented() -> str:
    """What the documentation says of a table's JSON, which ends where another command's begins."""
    text = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    return text.partition("## JSON\n")[2].partition("\n## ")[0].partition("\n`reelbench compare")[0]


def test_json_has_the_keys_that_are_documented_and_no_others(four: Board):
    found = json.loads(json.dumps(table_object(board_table(four)), allow_nan=False))
    table = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", documented(), re.MULTILINE))
    assert set(found) == set(table)
    assert {
        "clusters",
        "best",
        "ranked",
        "pairs",
        "correction",
        "adjusted_p",
        "smallest_resolvable_difference",
    } == set(found["tests"])
    for name, told in (("metrics", found["metrics"][0]), ("tests", found["tests"])):
        assert set(told) <= set(re.findall(r"`(\w+)`", table[name])), name
    of_rows, _, of_papers = documented().partition("A row has ")[2].partition("`paper` is a list")
    row = next(r for r in found["rows"] if r["method"] == "near")
    used = {*row, *row["to_best"], *row["metrics"][METRIC]}
    assert used - {"paper"} == set(re.findall(r"`(\w+)`", of_rows))
    assert {field.name for field in fields(Published)} == set(re.findall(r"`(\w+)`", of_papers))


def test_json_has_the_numbers_of_the_table(four: Board):
    found = table_object(board_table(four))
    near = next(r for r in found["rows"] if r["method"] == "near")
    estimate, error, freedom = difference("near", "best")
    told = [near["to_best"][k] for k in ("estimate", "standard_error", "degrees_of_freedom", "p")]
    assert told == pytest.approx([estimate, error, freedom, p_of(estimate, error, freedom)], rel=1e-3)
    assert (near["rank"], near["seeds"], near["not_ranked"]) == ([1, 2], [0, 1, 2], None)
    assert near["metrics"][METRIC]["by_seed"] == {"0": 0.585, "1": 0.605, "2": 0.6}
    assert (near["metrics"][METRIC]["n"], near["metrics"][METRIC]["sd"]) == (
        3,
        pytest.approx(0.0104083, rel=1e-4),
    )
    assert np.array(found["tests"]["adjusted_p"]).shape == (4, 4)
