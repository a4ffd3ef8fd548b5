"""A fit that starts from another one, keeps parts of it frozen, inherits its assets, or learns from its predictions."""

import pytest
import torch
from safetensors.torch import load_file
from toys import TASKS, Painter, ToyDataset, fit, phase_of, predict_spec, quiet

from reelbench.errors import TrainingError
from reelbench.evaluation import run_predict


def start(name="base", **changes):
    """An upstream as a specification has it."""
    return [
        {
            "name": name,
            "recipe": "colours",
            "parameters": {"": ""},
            "frozen": [],
            "assets": [],
            "predicts": None,
            "fingerprint": "a",
            "digest": "b",
            **changes,
        }
    ]


def weights(folder):
    return load_file(folder / "weights-0.safetensors")


@pytest.fixture
def base(tmp_path):
    fit(Painter(), tmp_path / "base", seed=5, phases=phase_of(Painter(), learning_rate=0.02))
    return tmp_path / "base"


def test_parameters_are_copied_by_prefix_and_stay_frozen(tmp_path, base):
    spec = start(parameters={"look.": "look."}, frozen=["look."])
    fit(Painter(), tmp_path / "next", upstream={"base": base}, ups=spec)
    old, new = weights(base), weights(tmp_path / "next")
    assert torch.equal(old["look.weight"], new["look.weight"])
    assert not torch.equal(old["words.weight"], new["words.weight"])


def test_parameters_may_go_to_another_place(tmp_path, base):
    class Twin(Painter):
        def build(self, data, config):
            model = super().build(data, config)
            model.second = torch.nn.Linear(8, 16)
            return model

        def training_step(self, module, batch, ctx):
            losses = super().training_step(module, batch, ctx)
            return {"loss": losses["loss"] + module.second.weight.sum() * 0}

    fit(Twin(), tmp_path / "next", upstream={"base": base}, ups=start(parameters={"look": "second"}))
    assert torch.equal(weights(tmp_path / "next")["second.weight"], weights(base)["look.weight"])


def test_a_prefix_without_a_place_is_an_error(tmp_path, base):
    with pytest.raises(
        TrainingError,
        match="no parameter under 'gaze' has a place under 'look'; upstream has head, look, words",
    ):
        fit(Painter(), tmp_path / "next", upstream={"base": base}, ups=start(parameters={"gaze": "look"}))


def test_another_shape_is_an_error(tmp_path, base):
    with pytest.raises(
        TrainingError, match=r"parameter 'look.weight' has shape \(16, 8\) there and \(4, 8\) here"
    ):
        fit(
            Painter(),
            tmp_path / "next",
            upstream={"base": base},
            config={"hidden": 4},
            ups=start(parameters={"look.w": "look.w"}),
        )


def test_assets_are_inherited_where_named(tmp_path, base):
    class Heir(Painter):
        def assets(self, source, config, recipe):
            assert source.upstream["base"]["mean"].shape == (8,)
            return {"own": 1}

    fit(Heir(), tmp_path / "next", upstream={"base": base}, ups=start(assets=["vocabulary"]))
    with pytest.raises(TrainingError, match="upstream 'base' has no asset 'words'; it has: mean, vocabulary"):
        fit(Heir(), tmp_path / "none", upstream={"base": base}, ups=start(assets=["words"]))


def test_an_upstreams_predictions_are_targets_of_a_phase(tmp_path, base):
    seen = []

    class Student(Painter):
        def training_step(self, module, batch, ctx):
            soft = batch.targets["scores"].data  # (B, 4)
            seen.append(soft.shape[1])
            return torch.nn.functional.mse_loss(module.scores(batch["video"]["look"]), soft)

    spec = predict_spec(Painter(), "labels", relation=["colours", "train"])
    run_predict(
        spec,
        method=Painter(),
        dataset=ToyDataset(),
        task=TASKS["labels"],
        fits=[base],
        folder=tmp_path / "soft",
        emit=quiet,
    )
    ups = start("soft", predicts=["labels", "colours", "train"])
    done = fit(
        Student(),
        tmp_path / "next",
        upstream={"soft": tmp_path / "soft"},
        ups=ups,
        phases=phase_of(Painter(), relation="soft"),
    )
    assert done["steps"] == 18
    assert set(seen) == {4}
