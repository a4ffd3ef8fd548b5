"""What of a record becomes tags, params and metrics."""

from __future__ import annotations

from pathlib import Path

import pytest
from records import make_trial

from reelbench.tracking.entries import (
    clean_name,
    experiment_of,
    finite_points,
    naming_tags,
    params,
    result_tags,
    row_of,
    run_kind,
    run_name,
    stage_naming,
)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("test/recall_at_1", "test/recall_at_1"),
        ("R@1", "R_at_1"),
        ("mAP@IoU≥0.5", "mAP_at_IoU_ge_0.5"),
        ("x,y%", "x_y_percent"),
    ],
)
def test_metric_names_are_what_mlflow_takes(name: str, kept: str) -> None:
    assert clean_name(name) == kept


def test_numbers_that_are_not_finite_are_counted_and_not_logged(tmp_path: Path) -> None:
    trial = make_trial(
        tmp_path, metrics={"recall_at_1": 0.5, "median_rank": float("inf"), "mean_rank": float("nan")}
    )
    record = trial.records["score"]
    assert {name for name, *_ in finite_points(record) if name.startswith("test/")} == {"test/recall_at_1"}
    assert result_tags(record)["rb.not_finite"] == "2: test/mean_rank, test/median_rank"


def test_a_trials_predictions_make_no_run_and_those_for_a_fit_do(tmp_path: Path) -> None:
    predict = stage_naming(make_trial(tmp_path, write=False).predict)
    assert run_kind(predict) is None
    assert (
        run_kind(predict | {"relation": ["captions", "train"]}),
        experiment_of(predict | {"relation": ["captions", "train"]}),
    ) == ("predict", "reelbench/fits")


def test_a_run_is_named_after_its_row_and_seed(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, seed=2, write=False)
    assert run_name(stage_naming(trial.score)) == "jsfusion/full/match/tiny/frames+audio s2"


def test_params_hold_the_configs_digest_and_what_somebody_chose(tmp_path: Path) -> None:
    record = make_trial(tmp_path).records["score"]
    found = params(record)
    assert set(found) == {"config_digest", "hidden", "predict.beam"}
    assert (
        params(record | {"config": {**record["config"], "hidden": 65}})["config_digest"]
        != found["config_digest"]
    )


def test_another_edition_is_the_same_row_and_another_benchmark_is_not(tmp_path: Path) -> None:
    first, edited, elsewhere = (
        row_of(naming_tags(stage_naming(make_trial(tmp_path, write=False, **kw).score)))
        for kw in ({}, {"edition": "second", "seed": 1}, {"benchmark": "captioning@microworld/small"})
    )
    assert first == edited != elsewhere


def test_a_phase_s_value_that_somebody_chose_is_a_param_and_part_of_the_digest(tmp_path: Path) -> None:
    record = make_trial(tmp_path).records["score"]
    chosen = record | {
        "phases": [{"name": "joint", "epochs": 3, "steps": None}],
        "origins": {**record["origins"], "joint.epochs": "suite"},
    }
    assert params(chosen)["joint.epochs"] == "3"
    assert params(chosen)["config_digest"] != params(record)["config_digest"]


def test_an_ensemble_that_somebody_chose_is_a_param_and_part_of_the_digest(tmp_path: Path) -> None:
    record = make_trial(tmp_path).records["score"]
    of_three = record | {"ensemble": 3, "origins": {**record["origins"], "ensemble": "suite"}}
    assert params(of_three) == params(record) | {
        "ensemble": "3",
        "config_digest": params(of_three)["config_digest"],
    }
    assert params(of_three)["config_digest"] != params(record)["config_digest"]
    assert params(record | {"ensemble": 1}) == params(record)  # as it was before records told it
