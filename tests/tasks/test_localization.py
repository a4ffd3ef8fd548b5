"""Localization against DiDeMo's and TALL's own codes, by hand, and on bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_cases import SECONDS, localization_cases, one_cluster_each

from reelbench.errors import DatasetError, PredictionError
from reelbench.predictions import Predictions
from reelbench.tasks.localization import Localization
from reelbench.tasks.metrics.temporal import best_three_iou, segment_iou, suppress

task = Localization()
times = st.integers(0, 40).map(lambda n: n / 4)
segments = st.tuples(times, times).filter(lambda s: s[0] < s[1])


def candidates_of(truths: list[Any]) -> Any:
    return one_cluster_each("localization@x:candidates", {"q": {"segments": truths}}, {"candidates": SECONDS})


def spans_of(truths: list[Any], protocol: str = "spans") -> Any:
    return one_cluster_each(f"localization@x:{protocol}", {"q": {"segments": truths}})


def predicted(ranked: Any) -> Predictions:
    return Predictions(("q",), {"segments": [ranked]})


def test_scores_are_those_of_the_official_codes(shared: Path) -> None:
    for case in localization_cases(shared):
        assert max(map(abs, case.differences().values())) < 1e-12, case.oracle


def test_the_best_three_of_four_annotators_count() -> None:
    # Three say chunk 0, one says chunk 5: ranks 1, 1, 1 and overlaps 1, 1, 1 are left.
    _, values = task.score(predicted(SECONDS), candidates_of([[0, 5]] * 3 + [[25, 30]]))
    assert values == {"miou": 1.0, "rank_at_1": 1.0, "rank_at_5": 1.0}


def test_two_agreeing_annotators_are_not_enough_for_rank_at_1() -> None:
    # Ranks 1, 1, 2, 2 (chunks 0-0 and 0-1): the best three average 4/3. Overlaps 1, 1, 1/2 average 5/6.
    _, values = task.score(predicted(SECONDS), candidates_of([[0, 5], [0, 5], [0, 10], [0, 10]]))
    assert values == pytest.approx({"miou": 5 / 6, "rank_at_1": 0.0, "rank_at_5": 1.0})


def test_the_ceiling_of_rank_at_1_is_the_share_of_queries_on_which_three_agree() -> None:
    truths = {"agreed": [[0, 5]] * 3 + [[5, 10]], "split": [[0, 5]] * 2 + [[5, 10]] * 2}
    targets = {name: {"segments": t} for name, t in truths.items()}
    evaluation = one_cluster_each("localization@x:candidates", targets, {"candidates": SECONDS})
    _, values = task.score(task.ceilings(evaluation)["annotators"], evaluation)
    assert values["rank_at_1"] == 0.5
    assert values["rank_at_5"] == 1.0


def test_the_ceiling_is_perfect_where_one_annotator_answers() -> None:
    evaluation = spans_of([[1, 2]])
    _, values = task.score(task.ceilings(evaluation)["annotators"], evaluation)
    assert values["miou"] == 1.0


@given(truths=st.lists(segments, min_size=2, max_size=5), guess=segments)
def test_no_span_overlaps_more_than_the_ceiling(truths: list[Any], guess: tuple[float, float]) -> None:
    evaluation = spans_of(truths)
    _, best = task.score(task.ceilings(evaluation)["annotators"], evaluation)
    _, values = task.score(predicted([list(guess)]), evaluation)
    assert values["miou"] <= best["miou"] + 1e-12


def test_a_span_on_the_threshold_is_right() -> None:
    _, values = task.score(predicted([[0, 5]]), spans_of([[0, 10]]))
    assert values["miou"] == values["recall_at_1_iou_0.5"] * 0.5 == 0.5
    assert values["recall_at_1_iou_0.7"] == 0.0


def test_suppression_frees_places_among_the_first_five() -> None:
    # Five copies of a wrong span hide the right one, until suppression leaves one of them.
    ranked = [[0.0, 2.0]] * 5 + [[10.0, 12.0]]
    plain, tall = (task.score(predicted(ranked), spans_of([[10, 12]], p))[1] for p in ("spans", "spans-tall"))
    assert plain["recall_at_5_iou_0.5"] == 0.0
    assert tall["recall_at_5_iou_0.5"] == 1.0


@given(st.lists(segments, min_size=1, max_size=20), st.floats(0, 1))
def test_kept_segments_overlap_at_most_by_the_threshold(pool: list[Any], threshold: float) -> None:
    table = np.asarray(pool)
    kept = suppress(table, threshold, keep=len(pool))
    iou = segment_iou(table[kept], table[kept])
    assert kept[0] == 0
    assert (iou[~np.eye(len(kept), dtype=bool)] <= threshold).all()


@given(segments, segments)
def test_overlap_is_symmetric_within_bounds_and_one_only_for_equals(a: Any, b: Any) -> None:
    there, back = (float(segment_iou(np.asarray([x]), np.asarray([y]))[0, 0]) for x, y in ((a, b), (b, a)))
    assert there == back
    assert 0 <= there <= 1
    assert (there == 1) == (a == b)


def test_fewer_than_three_annotators_are_all_averaged() -> None:
    assert best_three_iou(np.asarray([0.2, 0.6])) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("ranked", "message"),
    [
        (SECONDS[:20], "20 of its 21 candidates are ranked, all must be"),
        ([*SECONDS, SECONDS[0]], r"candidate \[0, 5\] s is ranked twice"),
        ([*SECONDS[:20], [0, 7]], r"\[0, 7\] s is not one of its 21 candidates"),
        ([[0, float("nan")]], "holds NaN or infinity"),
        ([[0, 1, 2, 3]], "has shape 1 x 4, expected n x 2"),
        ([[0, 5, 0.9], [0, 10]], "is not a table of numbers"),
        ([[0, 1], [2]], "is not a table of numbers"),
        ("moment", "is not a table of numbers"),
    ],
)
def test_a_bad_ranking_is_refused_in_one_line_with_its_example(ranked: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=f"^column 'segments' of example 'q'.*{message}$"):
        task.validate(predicted(ranked), candidates_of([[0, 5]]))


@pytest.mark.parametrize(
    ("ranked", "message"),
    [
        ([], "no span was predicted"),
        ([[0, 1], [3, 3]], r"span 1 ends at 3.0 s, not after its start at 3.0 s"),
    ],
)
def test_a_bad_span_is_refused_in_one_line_with_its_example(ranked: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        task.validate(predicted(ranked), spans_of([[0, 5]]))


def test_a_score_beside_each_segment_changes_nothing() -> None:
    evaluation = candidates_of([[0, 5], [0, 10], [0, 5]])
    scored = predicted([[*segment, 1.0 - 0.01 * k] for k, segment in enumerate(SECONDS)])
    task.validate(scored, evaluation)
    got, expected = (task.measure(p, evaluation).columns for p in (scored, predicted(list(SECONDS))))
    assert {name: values.tolist() for name, values in got.items()} == {
        name: values.tolist() for name, values in expected.items()
    }


def test_an_annotation_that_is_no_candidate_is_the_datasets_mistake() -> None:
    with pytest.raises(DatasetError, match=r"example 'q': annotated segment \[0, 7\] s is not a candidate"):
        task.measure(predicted(SECONDS), candidates_of([[0, 7]]))
