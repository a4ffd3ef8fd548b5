"""What holds for every task: order does not matter, weights are resampling, and bad predictions are refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_trials import TRIALS, Trial

from reelbench.data import EvaluationSet, Example
from reelbench.errors import PredictionError
from reelbench.predictions import Predictions
from reelbench.scoring import ScoreSheet

every_task = pytest.mark.parametrize("name", TRIALS)
seeds = st.integers(0, 2**32 - 1)
SPLIT_WIDE = {"auc_shuffled_all"}  # its negatives are the whole split's, whatever is resampled


def trial(name: str, seed: int) -> Trial:
    return TRIALS[name](np.random.default_rng(seed))


def taken(predictions: Predictions, order: list[int], ids: tuple[str, ...]) -> Predictions:
    """Rows in the given order, which may repeat some, under new ids."""
    columns = {
        name: column[order] if isinstance(column, np.ndarray) else [column[k] for k in order]
        for name, column in predictions.columns.items()
    }
    return Predictions(ids, columns)


def copied(
    evaluation: EvaluationSet, predictions: Predictions, copies: dict[str, int]
) -> tuple[EvaluationSet, Predictions]:
    """Each cluster as often as asked, each copy a cluster of its own: resampling done by hand."""
    picked = [
        (row, copy) for row, i in enumerate(evaluation.ids) for copy in range(copies[evaluation.clusters[i]])
    ]
    ids = tuple(f"{evaluation.ids[row]}#{copy}" for row, copy in picked)
    old = [evaluation.ids[row] for row, _ in picked]
    again = replace(
        evaluation,
        examples=[
            Example(i, evaluation.examples[row].fields) for i, (row, _) in zip(ids, picked, strict=True)
        ],
        targets={i: evaluation.targets[o] for i, o in zip(ids, old, strict=True)},
        clusters={
            i: f"{evaluation.clusters[o]}#{copy}" for i, o, (_, copy) in zip(ids, old, picked, strict=True)
        },
    )
    return again, taken(predictions, [row for row, _ in picked], ids)


def assert_same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert found.keys() == wanted.keys()
    for name in found:
        np.testing.assert_allclose(found[name], wanted[name], rtol=0, atol=1e-9, err_msg=name)


@every_task
def test_metrics_that_are_declared_are_those_that_are_computed(name: str) -> None:
    task, evaluation, predictions = trial(name, 1)
    protocol = evaluation.benchmark.rpartition(":")[2]
    declared = {m.name: m for m in task.metrics(protocol)}
    _, values = task.score(predictions, evaluation)
    assert values.keys() == declared.keys()
    assert protocol in task.protocols
    assert all(declared[m].low <= v <= declared[m].high for m, v in values.items() if np.isfinite(v))


@every_task
@settings(max_examples=15)
@given(seed=seeds)
def test_the_order_of_predictions_and_examples_does_not_matter(name: str, seed: int) -> None:
    task, evaluation, predictions = trial(name, seed)
    order = np.random.default_rng(seed).permutation(len(predictions.ids)).tolist()
    shuffled = taken(predictions, order, tuple(predictions.ids[k] for k in order))
    turned = replace(evaluation, examples=list(evaluation.examples)[::-1])
    assert_same(task.score(shuffled, turned)[1], task.score(predictions, evaluation)[1])


@every_task
@settings(max_examples=15)
@given(seed=seeds, copies=st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(any))
def test_whole_weights_are_resampling_with_copied_rows(name: str, seed: int, copies: list[int]) -> None:
    task, evaluation, predictions = trial(name, seed)
    sheet = task.measure(predictions, evaluation)
    weighted = task.aggregate(sheet, np.asarray([copies, [1, 1, 1, 1]], dtype=np.float64))
    by_name = dict(zip(sheet.cluster_names, copies, strict=True))
    _, naive = task.score(*reversed(copied(evaluation, predictions, by_name)))
    assert_same(
        {m: v[0] for m, v in weighted.items() if m not in SPLIT_WIDE},
        {m: v for m, v in naive.items() if m not in SPLIT_WIDE},
    )


@every_task
@settings(max_examples=15)
@given(seed=seeds)
def test_weights_of_one_give_the_plain_metric_and_scaled_weights_change_nothing(name: str, seed: int) -> None:
    task, evaluation, predictions = trial(name, seed)
    sheet, plain = task.score(predictions, evaluation)
    draws = np.repeat([[1.0], [0.25]], len(sheet.cluster_names), axis=1)
    found = task.aggregate(sheet, draws)
    assert_same({m: v[0] for m, v in found.items()}, plain)
    assert_same({m: v[1] for m, v in found.items()}, plain)


@every_task
def test_a_draw_without_weight_is_nan_and_not_zero(name: str) -> None:
    task, evaluation, predictions = trial(name, 2)
    sheet = task.measure(predictions, evaluation)
    values = task.aggregate(sheet, np.zeros((1, len(sheet.cluster_names))))
    assert all(np.isnan(v).all() for v in values.values())


@every_task
def test_a_sheet_survives_saving(name: str, tmp_path: Any) -> None:
    task, evaluation, predictions = trial(name, 3)
    sheet, values = task.score(predictions, evaluation)
    sheet.save(tmp_path)
    again = ScoreSheet.load(tmp_path)
    assert_same({m: float(v[0]) for m, v in task.aggregate(again, again.unit_weights()).items()}, values)


@every_task
def test_examples_get_one_score_each_and_words_to_show(name: str) -> None:
    task, evaluation, predictions = trial(name, 4)
    sheet = task.measure(predictions, evaluation)
    assert task.example_scores(sheet).shape == (len(evaluation.ids),)
    example = Example("e0", {"query": ("a", "man"), "sentences": [], **evaluation.examples[0].fields})
    shown = task.show(example, evaluation.targets["e0"], predictions.row(0), evaluation)
    assert {"Answer", "Predicted"} <= shown.keys()
    assert all(isinstance(text, str) for text in shown.values())


@every_task
def test_no_prediction_beats_a_ceiling_of_the_primary_metric(name: str) -> None:
    task, evaluation, predictions = trial(name, 5)
    primary = task.metrics(evaluation.benchmark.rpartition(":")[2])[0].name
    reached = task.score(predictions, evaluation)[1][primary]
    for ceiling in task.ceilings(evaluation).values():
        assert task.score(ceiling, evaluation)[1][primary] >= reached


@every_task
def test_missing_duplicate_and_unknown_ids_are_refused_by_name(name: str) -> None:
    task, evaluation, predictions = trial(name, 6)
    ids = predictions.ids
    for wrong, message in (
        (("e0", "e0", *ids[2:]), r"1 duplicate ids \(first 'e0'\), 1 missing ids \(first 'e1'\)"),
        (("nobody", *ids[1:]), r"1 missing ids \(first 'e0'\), 1 unknown ids \(first 'nobody'\)"),
    ):
        with pytest.raises(PredictionError, match=message):
            task.validate(Predictions(wrong, predictions.columns), evaluation)


@every_task
def test_a_missing_column_is_refused_by_name(name: str) -> None:
    task, evaluation, predictions = trial(name, 7)
    with pytest.raises(PredictionError, match="predictions have no column"):
        task.validate(Predictions(predictions.ids, {}), evaluation)


def test_importing_the_tasks_and_datasets_imports_no_numpy() -> None:
    modules = (
        "localization",
        "detection",
        "tagging",
        "action_recognition",
        "gaze",
        "reconstruction",
        "reidentification",
        "datasets.didemo",
    )
    lines = [f"import reelbench.tasks.{m}" for m in modules]
    code = ";".join([*lines, "import sys", "sys.exit(bool({'numpy', 'torch', 'scipy'} & set(sys.modules)))"])
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
