"""Gaze metrics against cvzoya's and pysaliency's, SciPy and scikit-learn, and on bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_cases import gaze_differences
from random_trials import gaze as random_trial
from scipy.stats import pearsonr
from sklearn.metrics import roc_auc_score

from reelbench.data import EvaluationSet, Example
from reelbench.errors import PredictionError
from reelbench.predictions import Predictions
from reelbench.tasks.gaze import Gaze
from reelbench.tasks.metrics import gaze

task = Gaze()
seeds = st.integers(0, 2**32 - 1)


def clips(*fixations: Any) -> EvaluationSet:
    """One-frame clips with these fixations, each a cluster."""
    targets = {
        f"c{k}": {"fixations": [np.asarray(f, dtype=float).reshape(-1, 2)]} for k, f in enumerate(fixations)
    }
    return EvaluationSet(
        "gaze@x:frames",
        "test",
        [Example(i, {"frames": 1}) for i in targets],
        targets,
        {i: i for i in targets},
    )


def test_metrics_are_those_of_the_official_codes(shared: Path) -> None:
    assert max(map(abs, gaze_differences(shared).values())) < 1e-12


def test_correlation_is_pearsons() -> None:
    first, second = np.random.default_rng(0).random((2, 1, 49, 49))
    assert gaze.correlation(first, second)[0] == pytest.approx(
        pearsonr(first.ravel(), second.ravel()).statistic
    )


@settings(max_examples=20)
@given(seed=seeds)
def test_the_auc_between_fixations_is_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    saliency = rng.integers(5, size=(7, 7)).astype(float)
    here, elsewhere = rng.integers(3, size=(2, 7, 7)).astype(float)
    here[0, 0] = elsewhere[1, 1] = 1
    truth, weight = np.repeat([1, 0], 49), np.concatenate([here.ravel(), elsewhere.ravel()])
    expected = roc_auc_score(truth, np.tile(saliency.ravel(), 2), sample_weight=weight)
    assert gaze.auc_between(saliency, here, elsewhere) == pytest.approx(expected)


@settings(max_examples=20)
@given(seed=seeds)
def test_stretching_a_map_changes_no_auc_and_no_correlation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    saliency, counts = rng.random((49, 49)), rng.integers(2, size=(49, 49)).astype(float)
    assert gaze.auc_judd(3 * saliency + 1, counts > 0) == pytest.approx(gaze.auc_judd(saliency, counts > 0))
    there, back = (gaze.correlation(m[None], counts[None]) for m in (saliency, 3 * saliency + 1))
    assert there == pytest.approx(back)


def test_a_constant_map_prefers_nothing() -> None:
    evaluation = clips([[0.1, 0.1], [0.5, 0.6]], [[0.9, 0.9]])
    _, values = task.score(Predictions(("c0", "c1"), {"maps": np.ones((2, 1, 49, 49))}), evaluation)
    assert values["cc"] == 0.0
    assert values["auc_judd"] == values["auc_shuffled_all"] == 0.5
    assert values["sim_minmax"] == pytest.approx(values["sim_sum"])


def test_a_map_of_zeros_is_the_uniform_map() -> None:
    evaluation = clips([[0.1, 0.1]], [[0.9, 0.9]])
    zeros, ones = (
        task.score(Predictions(("c0", "c1"), {"maps": f((2, 1, 49, 49))}), evaluation)[1]
        for f in (np.zeros, np.ones)
    )
    assert zeros == pytest.approx(ones)


def test_a_centre_map_gains_nothing_on_the_shuffled_auc_when_all_look_alike() -> None:
    where = [[0.5, 0.5], [0.45, 0.55]]
    peak = np.exp(-((np.arange(49) - 24) ** 2) / 50)
    maps = np.broadcast_to(np.outer(peak, peak), (2, 1, 49, 49))
    _, values = task.score(Predictions(("c0", "c1"), {"maps": maps}), clips(where, where))
    assert values["auc_shuffled_all"] == 0.5
    assert values["auc_judd"] > 0.9


def test_the_shuffled_negatives_are_the_fixations_of_other_clips_only() -> None:
    # Clip 0 looks left, clip 1 right; a map of clip 0 that is high on the left ranks all its fixations first.
    left = np.zeros((49, 49))
    left[:, :24] = 1.0
    maps = np.stack([left, left[:, ::-1]])[:, None]
    _, values = task.score(Predictions(("c0", "c1"), {"maps": maps}), clips([[0.1, 0.5]] * 3, [[0.9, 0.5]]))
    assert values["auc_shuffled_all"] == 1.0


def test_frames_that_nobody_looked_at_are_left_out() -> None:
    evaluation = clips([[0.2, 0.3]], [])
    maps = np.random.default_rng(0).random((2, 1, 49, 49))
    sheet, values = task.score(Predictions(("c0", "c1"), {"maps": maps}), evaluation)
    assert values["cc"] == sheet.columns["cc"][0, 0]
    assert np.isnan(sheet.columns["cc"][1, 0])


def test_a_fixation_is_x_then_y_and_a_map_is_y_then_x() -> None:
    counts = gaze.fixation_counts([[0.99, 0.0]], 49)
    assert counts[0, 48] == counts.sum() == 1


def test_the_blurred_fixations_are_a_ceiling_of_one_for_cc() -> None:
    _, evaluation, _ = random_trial(np.random.default_rng(0))
    _, values = task.score(task.ceilings(evaluation)["blurred-fixations"], evaluation)
    assert values["cc"] == pytest.approx(1.0)
    assert values["sim_minmax"] == pytest.approx(1.0)
    assert values["auc_shuffled_all"] > 0.9


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (np.full((1, 1, 49, 49), -1.0), "column 'maps' is negative for example 'c0'"),
        (np.full((1, 1, 49, 49), np.nan), "column 'maps' is not finite for example 'c0'"),
        (np.ones((1, 2, 49, 49)), r"column 'maps' has shape \(1, 2, 49, 49\), expected \(1, 1, 49, 49\)"),
    ],
)
def test_bad_maps_are_refused_in_one_line(maps: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        task.validate(Predictions(("c0",), {"maps": maps}), clips([[0.5, 0.5]]))
