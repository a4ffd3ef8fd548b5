"""What holds for choices, blanks and retrieval: order does not matter, weights are resampling, chance is chance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_trials import TRIALS, Trial
from sheets import assert_same, copied

from reelbench.errors import PredictionError
from reelbench.predictions import Predictions
from reelbench.scoring import ScoreSheet

every_task = pytest.mark.parametrize("name", TRIALS)
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=30)


def trial(name: str, seed: int) -> Trial:
    return TRIALS[name](np.random.default_rng(seed))


@every_task
def test_metrics_that_are_declared_are_those_that_are_computed(name: str) -> None:
    task, evaluation, predictions = trial(name, 1)
    declared = {metric.name: metric for metric in task.metrics(evaluation.benchmark.rpartition(":")[2])}
    _, values = task.score(predictions, evaluation)
    assert values.keys() == declared.keys()
    assert all(declared[k].low <= value <= declared[k].high for k, value in values.items())


@every_task
@few
@given(seed=seeds)
def test_the_order_of_predictions_examples_and_gallery_does_not_matter(name: str, seed: int) -> None:
    task, evaluation, predictions = trial(name, seed)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(predictions.ids))
    columns = rng.permutation(len(predictions.gallery_ids)) if predictions.gallery_ids else slice(None)
    shuffled = Predictions(
        tuple(predictions.ids[k] for k in rows),
        {"scores": predictions.columns["scores"][rows][:, columns]},
        tuple(predictions.gallery_ids[k] for k in columns) if predictions.gallery_ids else (),
    )
    turned = replace(evaluation, examples=evaluation.examples[::-1], gallery=evaluation.gallery[::-1])
    assert_same(task.score(shuffled, turned)[1], task.score(predictions, evaluation)[1])


@every_task
@few
@given(seed=seeds, copies=st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(any))
def test_whole_weights_are_resampling_with_copied_rows(name: str, seed: int, copies: list[int]) -> None:
    task, evaluation, predictions = trial(name, seed)
    sheet = task.measure(predictions, evaluation)
    weighted = task.aggregate(sheet, np.array([copies, [1] * 4], dtype=np.float64))
    naive = copied(sheet, copies)
    assert_same({k: v[:1] for k, v in weighted.items()}, task.aggregate(naive, naive.unit_weights()))
    assert_same({k: v[1] for k, v in weighted.items()}, task.score(predictions, evaluation)[1])


@every_task
def test_scaled_weights_change_nothing_and_a_draw_without_weight_is_nan(name: str) -> None:
    task, evaluation, predictions = trial(name, 2)
    sheet = task.measure(predictions, evaluation)
    values = task.aggregate(sheet, np.array([[1.0] * 4, [0.3] * 4, [0.0] * 4]))
    assert_same({k: v[0] for k, v in values.items()}, {k: v[1] for k, v in values.items()})
    assert all(np.isnan(v[2]) for v in values.values())


@every_task
def test_a_sheet_survives_saving(name: str, tmp_path: Any) -> None:
    task, evaluation, predictions = trial(name, 3)
    sheet, values = task.score(predictions, evaluation)
    sheet.save(tmp_path)
    again = ScoreSheet.load(tmp_path)
    assert_same({k: v[0] for k, v in task.aggregate(again, again.unit_weights()).items()}, values)


@every_task
def test_examples_get_one_score_each_and_words_to_show(name: str) -> None:
    task, evaluation, predictions = trial(name, 4)
    assert task.example_scores(task.measure(predictions, evaluation)).shape == (len(evaluation.ids),)
    shown = task.show(evaluation.examples[0], evaluation.targets["e0"], predictions.row(0), evaluation)
    assert shown.keys() == {"Question", "Answer", "Predicted"}
    assert all(isinstance(text, str) for text in shown.values())


@every_task
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p: replace(p, ids=("e1", *p.ids[1:])),
            r"1 duplicate ids \(first 'e1'\), 1 missing ids \(first 'e0'\)",
        ),
        (
            lambda p: replace(p, ids=("x", *p.ids[1:])),
            r"1 missing ids \(first 'e0'\), 1 unknown ids \(first 'x'\)",
        ),
        (lambda p: replace(p, columns={}), "predictions have no column 'scores'"),
        (
            lambda p: replace(p, columns={"scores": p.columns["scores"][:, :2]}),
            r"shape \(11, 2\), expected \(11, ",
        ),
        (
            lambda p: replace(p, columns={"scores": _with(p, np.nan)}),
            "'scores' is not finite for example 'e3'",
        ),
        (
            lambda p: replace(p, columns={"scores": _with(p, -np.inf)}),
            "'scores' is not finite for example 'e3'",
        ),
        (lambda p: replace(p, columns={"scores": [["much"]] * 11}), "'scores' is not numeric"),
    ],
)
def test_bad_predictions_are_refused_in_one_line(name: str, change: Any, message: str) -> None:
    task, evaluation, predictions = trial(name, 5)
    with pytest.raises(PredictionError, match=message) as caught:
        task.validate(change(predictions), evaluation)
    assert "\n" not in str(caught.value)


def _with(predictions: Predictions, value: float) -> Any:
    scores = predictions.columns["scores"].copy()
    scores[3, 1] = value
    return scores


@pytest.mark.parametrize(
    ("gallery", "message"),
    [
        (
            ("v0", "v0", "v2", "v3", "v4", "v5", "v6"),
            r"gallery: .*1 duplicate ids .*1 missing ids \(first 'v1'\)",
        ),
        (("v0",), r"gallery: predictions have 6 missing ids \(first 'v1'\)"),
    ],
)
def test_a_wrong_gallery_is_refused_in_one_line(gallery: tuple[str, ...], message: str) -> None:
    task, evaluation, predictions = trial("retrieval", 6)
    with pytest.raises(PredictionError, match=message):
        task.validate(replace(predictions, gallery_ids=gallery), evaluation)


@every_task
@few
@given(seed=seeds, value=st.floats(-5, 5))
def test_a_constant_scorer_earns_exactly_chance(name: str, seed: int, value: float) -> None:
    task, evaluation, predictions = trial(name, seed)
    constant = replace(predictions, columns={"scores": np.full_like(predictions.columns["scores"], value)})
    _, values = task.score(constant, evaluation)
    inside = np.mean([t.get("answer") != "unheard-of" for t in evaluation.targets.values()])
    chance = {"choice": {"accuracy": 1 / 5}, "blank": {"accuracy": inside / 10, "top_5": inside / 2}}
    retrieval = {
        "t2v_recall_at_1": 1 / 7,
        "t2v_recall_at_5": 5 / 7,
        "t2v_median_rank": 4.0,
        "t2v_mean_rank": 4.0,
    }
    wanted = {**chance, "retrieval": {**retrieval, "t2v_recall_at_1_worst": 0.0}}[name]
    assert_same({k: values[k] for k in wanted}, wanted)


@pytest.mark.parametrize("name", ["blank", "retrieval"])
@few
@given(seed=seeds)
def test_no_prediction_that_sees_only_the_text_beats_the_ceiling(name: str, seed: int) -> None:
    task, evaluation, predictions = trial(name, seed)
    if name == "retrieval":  # equal queries must be scored alike
        first = {query["query"]: k for k, query in reversed(list(enumerate(evaluation.examples)))}
        rows = [first[query["query"]] for query in evaluation.examples]
        predictions = replace(predictions, columns={"scores": predictions.columns["scores"][rows]})
    bounded = {
        "blank": ("accuracy",),
        "retrieval": ("t2v_recall_at_1", "t2v_recall_at_5", "v2t_recall_at_1"),
    }[name]
    ours = task.score(predictions, evaluation)[1]
    for ceiling in task.ceilings(evaluation).values():
        values = task.score(ceiling, evaluation)[1]
        assert all(values[metric] >= ours[metric] - 1e-12 for metric in bounded)


def test_the_vocabulary_ceiling_is_the_share_of_answers_inside() -> None:
    task, evaluation, _ = trial("blank", 7)
    inside = np.mean([target["answer"] != "unheard-of" for target in evaluation.targets.values()])
    values = task.score(task.ceilings(evaluation)["vocabulary"], evaluation)[1]
    assert values == pytest.approx({"accuracy": inside, "top_5": values["top_5"]})
    assert inside < 1
