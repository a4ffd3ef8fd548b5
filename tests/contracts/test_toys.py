"""What the contract must be able to say, one toy a thing, run from registry to scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from in_process import Ran, run_suite

CHOICE = "multiple_choice@toybox/main:choice"
SEEN, UNSEEN = (f"action_recognition@toybox/main:{p}" for p in ("seen", "unseen"))


def run(tmp_path: Path, method: str | dict[str, Any], benchmarks: list[str], **suite: Any) -> Ran:
    return run_suite(
        ["toybox", "toy_methods", "own_task"], tmp_path, methods=[method], benchmarks=benchmarks, **suite
    )


def test_a_fit_starts_from_another_with_some_parameters_frozen(tmp_path: Path) -> None:
    ran = run(tmp_path, "starter", [CHOICE, "retrieval@toybox/main"])
    language, match = ran.stages("fit")
    assert (language.spec["recipe"], match.spec["recipe"]) == ("words", "match")
    before, after = ran.weights(language), ran.weights(match)
    assert torch.equal(before["words.weight"], after["words.weight"])
    assert not torch.equal(before["video.weight"], after["video.weight"])
    assert ran.metric("accuracy", CHOICE) > 0.5


def test_an_upstream_s_asset_is_taken_over_instead_of_made_again(tmp_path: Path) -> None:
    from reelbench.training.assets import load_data

    ran = run(tmp_path, "starter", [CHOICE])
    language, match = (load_data(ran.folder(s)).assets["vocabulary"] for s in ran.stages("fit"))
    assert language == match


def test_a_trial_averages_an_ensemble_of_three_fits(tmp_path: Path) -> None:
    ran = run(tmp_path, "committee", [CHOICE])
    (predict,) = ran.stages("predict")
    assert len(predict.needs["fits"]) == len({s.spec["seed"] for s in ran.stages("fit")}) == 3
    together = ran.predictions(predict).columns["scores"]
    alone = run(tmp_path, {"name": "committee", "config": {"ensemble": 1}}, [CHOICE])
    assert len(alone.stages("fit")) == 1
    assert alone.outcome.cached == {alone.stages("fit")[0].fingerprint}, (
        "the first member is the single fit of that seed"
    )
    assert not np.allclose(together, alone.predictions(alone.stages("predict")[0]).columns["scores"])


def test_the_predictions_of_the_last_five_checkpoints_are_averaged(tmp_path: Path) -> None:
    ran = run(tmp_path, "averager", [CHOICE, "retrieval@toybox/main"])
    (fit,) = ran.stages("fit")
    files = sorted(p.name for p in ran.folder(fit).glob("weights-*"))
    assert files == [f"weights-{k}.safetensors" for k in range(5)]
    assert not torch.equal(ran.weights(fit, 0)["video.weight"], ran.weights(fit, 4)["video.weight"])
    assert ran.metric("accuracy", CHOICE) > 0.5


def test_a_prediction_feeds_a_fit(tmp_path: Path) -> None:
    ran = run(tmp_path, "pupil", [SEEN])
    assert [s.kind for s in ran.plan.stages] == ["fit", "predict", "fit", "predict", "score"]
    teaching, own = ran.stages("predict")
    assert teaching.spec["relation"] == ["clips", "unlabelled"]
    assert ran.predictions(teaching).columns["scores"].shape == (36, 16)
    assert ran.stages("fit")[1].needs["upstream"] == (teaching.fingerprint,)
    assert ran.metric("top_1", SEEN) > 0.3
    assert own.needs["fits"] == (ran.stages("fit")[1].fingerprint,)


def test_a_phase_reads_another_training_set(tmp_path: Path) -> None:
    ran = run(tmp_path, "traveller", [CHOICE])
    (fit,) = ran.stages("fit")
    assert [p["dataset"] for p in fit.spec["phases"]] == ["toybox/more", None]
    assert ran.outcome.records[fit.fingerprint]["steps"] == 6 * 4 + 4
    assert ran.metric("accuracy", CHOICE) > 0.5


def test_a_method_draws_its_own_negatives(tmp_path: Path) -> None:
    from toy_methods import Chooser
    from toybox import Toybox

    from reelbench.conformance.parts import first_batch, loader_of
    from reelbench.training.fit import Fit

    ran = run(tmp_path, "chooser", [CHOICE])
    assert ran.metric("accuracy", CHOICE) > 0.5
    fit = Fit(
        ran.stages("fit")[0].spec,
        Chooser(),
        lambda name: Toybox("main"),
        lambda name: None,
        {},
        tmp_path / "again",
        lambda *a: None,
    )  # type: ignore[arg-type, return-value]
    batch = first_batch(loader_of(fit, fit.phases[0], fit.fresh_data()))
    assert all(
        a != b for a, b in zip(batch["content"].tolist(), batch["negative_content"].tolist(), strict=True)
    )


def test_classes_never_seen_in_training_are_recognised_by_their_names(tmp_path: Path) -> None:
    ran = run(tmp_path, "namer", [SEEN, UNSEEN])
    assert len(ran.stages("fit")) == 1, "one fit serves both protocols"
    assert ran.metric("top_5", UNSEEN) > 2 * 5 / 16


def test_a_method_brings_its_own_task(tmp_path: Path) -> None:
    name = "averaging@toybox/main:mean"
    ran = run(tmp_path, "autoencoder", ["averaging@toybox"])
    assert ran.stages("fit")[0].spec["validation"][0]["benchmark"] == name
    assert ran.metric("mse", name) < 0.1


@pytest.mark.parametrize(
    "method", ["Starter", "Committee", "Averager", "Traveller", "Chooser", "Namer", "Pupil"]
)
def test_every_toy_keeps_the_contract(method: str) -> None:
    import toy_methods

    from reelbench.conformance import try_method

    report = try_method(getattr(toy_methods, method), dataset="toybox/main", plugins=["toybox"])
    assert {
        "assets",
        "build",
        "examples",
        "training_step",
        "gradients",
        "fit",
        "predict",
        "alone",
        "stateless",
    } <= {f.check for f in report.findings}


def test_a_method_with_its_own_task_keeps_the_contract() -> None:
    from own_task import Autoencoder

    from reelbench.conformance import check_method

    report = check_method(Autoencoder, dataset="toybox/main", plugins=["toybox", "own_task"])
    assert {"determinism", "resume", "imports"} <= {f.check for f in report.findings}
