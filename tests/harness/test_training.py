"""What a fit does with its phases: it learns, repeats, freezes, stops, and says clearly why it cannot go on."""

import json
import math

import pytest
import torch
from safetensors.torch import load_file
from toys import VALIDATION, Painter, ToyDataset, fit, phase_of

from reelbench.data import Example
from reelbench.errors import FeatureError, TrainingError
from reelbench.method import Method, Phase, Recipe
from reelbench.training.optim import schedule_factor


class Exploding(Painter):
    """Its loss is NaN at the fourth step."""

    def training_step(self, module, batch, ctx):
        losses = super().training_step(module, batch, ctx)
        return {"loss": losses["loss"] * (math.nan if ctx.step == 3 else 1.0)}


def weights(folder, index=0):
    return load_file(folder / f"weights-{index}.safetensors")


def test_a_fit_learns_and_says_what_it_cost(tmp_path):
    method = Painter()
    phases = phase_of(method, epochs=12, learning_rate=0.02)
    done = fit(method, tmp_path, phases=phases, validation=VALIDATION)
    curve = [p["values"]["val/accuracy"] for p in done["curve"] if "val/accuracy" in p["values"]]
    assert max(curve) > 0.9
    assert done["steps"] == 12 * 6
    assert done["parameters"] == done["trainable_parameters"] > 0
    assert done["train_seconds"] > 0
    assert done["peak_memory_bytes"] > 1 << 20
    assert done["examples_per_second"] == pytest.approx(48 * 12 / done["train_seconds"])
    json.dumps(done)


def test_the_same_fit_twice_gives_the_same_weights_and_other_seeds_do_not(tmp_path):
    digests = [fit(Painter(), tmp_path / str(i), seed=seed)["digest"] for i, seed in enumerate((0, 0, 1))]
    assert digests[0] == digests[1] != digests[2]


def test_validating_does_not_move_the_weights(tmp_path):
    phases = phase_of(Painter(), select="last")
    seen = fit(Painter(), tmp_path / "seen", phases=phases, validation=VALIDATION)
    blind = fit(Painter(), tmp_path / "blind", phases=phase_of(Painter(), select="last", validate=None))
    assert seen["digest"] == blind["digest"]


def test_each_step_of_the_curve_is_logged_once_with_its_time(tmp_path):
    curve = fit(Painter(), tmp_path)["curve"]
    steps = [p["step"] for p in curve if "train/loss" in p["values"]]
    assert steps == sorted(set(steps))
    assert steps[-1] == 18
    assert all(p["time_ms"] > 1e12 for p in curve)
    assert set(curve[0]["values"]) == {"train/loss", "train/naming", "train/matching"}


def test_a_phase_without_a_benchmark_is_validated_on_its_loss(tmp_path):
    curve = fit(Painter(), tmp_path)["curve"]
    assert sum("val/loss" in p["values"] for p in curve) == 3


def test_frozen_prefixes_stay_as_they_were(tmp_path):
    before = fit(Painter(), tmp_path / "a", phases=phase_of(Painter(), steps=1, learning_rate=0.0))
    fit(Painter(), tmp_path / "b", phases=phase_of(Painter(), frozen=["look"], select="last"))
    assert before["steps"] == 1
    old, new = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert torch.equal(old["look.weight"], new["look.weight"])
    assert not torch.equal(old["words.weight"], new["words.weight"])


def test_rates_by_prefix_scale_the_update(tmp_path):
    still = phase_of(Painter(), rates={"look": 0.0}, select="last")
    fit(Painter(), tmp_path / "a", phases=phase_of(Painter(), steps=1, learning_rate=0.0))
    fit(Painter(), tmp_path / "b", phases=still)
    assert torch.equal(weights(tmp_path / "a")["look.bias"], weights(tmp_path / "b")["look.bias"])


@pytest.mark.parametrize("changes", [{"frozen": ["lok"]}, {"rates": {"lok": 0.1}}])
def test_a_prefix_that_matches_nothing_is_an_error(tmp_path, changes):
    with pytest.raises(
        TrainingError, match="prefix 'lok' matches no parameter; parameters start with: head, look, words"
    ):
        fit(Painter(), tmp_path, phases=phase_of(Painter(), **changes))


def test_everything_frozen_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="nothing is left to train"):
        fit(Painter(), tmp_path, phases=phase_of(Painter(), frozen=["look", "words", "head"]))


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "adadelta"])
def test_every_optimizer_takes_steps(tmp_path, optimizer):
    done = fit(Painter(), tmp_path, phases=phase_of(Painter(), optimizer=optimizer, epochs=1))
    assert done["steps"] == 6


def test_accumulation_takes_fewer_larger_steps(tmp_path):
    done = fit(Painter(), tmp_path, phases=phase_of(Painter(), accumulate=4, epochs=2))
    assert done["steps"] == 4
    assert done["curve"][-1]["step"] == 4


def test_steps_win_over_epochs(tmp_path):
    assert fit(Painter(), tmp_path, phases=phase_of(Painter(), steps=8))["steps"] == 8


@pytest.mark.parametrize(("length", "taken"), [({"steps": 7}, 3), ({"epochs": 50}, 3), ({"steps": 2}, 2)])
def test_no_phase_is_longer_than_its_cap(tmp_path, length, taken):
    record = fit(Painter(), tmp_path, phases=phase_of(Painter(), **length, max_steps=3))
    assert record["steps"] == taken


def test_patience_ends_a_phase_early(tmp_path):
    phases = phase_of(Painter(), epochs=50, learning_rate=0.0, patience=2)
    done = fit(Painter(), tmp_path, phases=phases, validation=VALIDATION)
    assert done["steps"] == 3 * 6


def test_schedules_are_functions_of_the_step():
    at = lambda phase, step: schedule_factor(phase, step, 100, 10)  # noqa: E731
    warm = Phase(name="p", relation="r", schedule="cosine", warmup_steps=10)
    assert [at(warm, s) for s in (0, 9, 10)] == [0.1, 1.0, 1.0]
    assert at(warm, 55) == pytest.approx(0.5)
    assert at(Phase(name="p", relation="r", schedule="linear"), 75) == pytest.approx(0.25)
    assert at(Phase(name="p", relation="r", schedule="step", decay=0.1, decay_every=2), 45) == pytest.approx(
        0.01
    )
    assert at(Phase(name="p", relation="r"), 99) == 1.0


def test_a_loss_that_is_not_finite_names_phase_step_and_remedy(tmp_path):
    with pytest.raises(
        TrainingError, match=r"phase 'main' \(18 steps\), step 4: the loss is nan; try a lower learning_rate"
    ):
        fit(Exploding(), tmp_path)
    assert not list(tmp_path.glob("weights-*"))


def test_a_time_limit_ends_the_fit(tmp_path):
    with pytest.raises(TrainingError, match=r"over the time limit of 0.05 s"):
        fit(
            Painter(),
            tmp_path,
            phases=phase_of(Painter(), epochs=1000),
            limits={"seconds": 0.05, "memory_bytes": None},
        )


def test_a_memory_limit_ends_the_fit(tmp_path):
    with pytest.raises(TrainingError, match="over the memory limit of 1 MiB"):
        fit(Painter(), tmp_path, limits={"seconds": None, "memory_bytes": 1 << 20})


def test_a_missing_modality_names_those_there_are(tmp_path):
    with pytest.raises(FeatureError, match="dataset 'toy' has no modality 'look'; it has: sound"):
        fit(Painter(), tmp_path, datasets={"toy": ToyDataset(modalities=("sound",))})


def test_the_test_split_cannot_be_trained_on(tmp_path):
    with pytest.raises(TrainingError, match="may not read the test split"):
        fit(Painter(), tmp_path, phases=phase_of(Painter(), split="test"))


def test_assets_cannot_read_evaluation_splits(tmp_path):
    class Peeking(Painter):
        def assets(self, source, config, recipe):
            return {"n": len(source.relation("colours", "validation"))}

    with pytest.raises(TrainingError, match="come from training data only"):
        fit(Peeking(), tmp_path)


def test_a_phase_on_another_training_set_reads_its_features(tmp_path):
    other = ToyDataset("elsewhere", shift=3.0)
    fit(Painter(), tmp_path, datasets={"elsewhere": other}, phases=phase_of(Painter(), dataset="elsewhere"))
    own = fit(Painter(), tmp_path / "own")
    assert other.reads > 0
    assert (
        own["digest"]
        != fit(
            Painter(),
            tmp_path / "again",
            datasets={"elsewhere": other},
            phases=phase_of(Painter(), dataset="elsewhere"),
        )["digest"]
    )


def test_negatives_are_drawn_by_the_method_from_the_relation(tmp_path):
    drawn = []

    class Contrasting(Painter):
        def sample(self, example: Example, source, ctx):
            other = source[int(ctx.rng.integers(len(source)))]
            drawn.append((example.id, ctx.epoch, other.id))
            return example.with_fields(negative=other["video"])

        def training_step(self, module, batch, ctx):
            assert batch["negative"]["look"].data.shape[0] == len(batch)
            return super().training_step(module, batch, ctx)

    fit(Contrasting(), tmp_path / "a")
    first, drawn[:] = {d for d in drawn if d[0].startswith("train")}, []
    fit(Contrasting(), tmp_path / "b", phases=phase_of(Painter(), batch_size=5))
    assert first == {d for d in drawn if d[0].startswith("train")}  # whatever the batches
    assert len({d[2] for d in first if d[0] == "train-3"}) > 1  # and other ones in other epochs


def test_a_method_without_parameters_keeps_its_assets_only(tmp_path):
    class Counting(Method):
        name = "counting"
        recipes = {"colours": Recipe(serves=("labels",))}

        def assets(self, source, config, recipe):
            counts = [0] * 4
            for e in source.relation("colours"):
                counts[e.targets["label"]] += 1
            return {"counts": counts}

    done = fit(Counting(), tmp_path)
    assert done["parameters"] == done["steps"] == done["weights"] == 0
    assert json.loads((tmp_path / "assets.json").read_text())["assets"] == {"counts": [12] * 4}


@pytest.mark.parametrize(("returned", "message"), [
    ({"naming": torch.zeros(())}, r"got names \['naming'\]"),
    (torch.zeros(3), r"of shape \(3,\)"),
    (1.0, "got a float"),
])  # fmt: skip
def test_a_training_step_that_returns_no_loss_is_told_so(tmp_path, returned, message):
    class Lossless(Painter):
        def training_step(self, module, batch, ctx):
            return returned

    with pytest.raises(TrainingError, match="training_step must return a scalar tensor.*" + message):
        fit(Lossless(), tmp_path)


def test_a_method_can_take_over_a_phase(tmp_path):
    class OwnLoop(Painter):
        def fit_phase(self, module, loaders, ctx):
            optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
            for epoch in range(2):
                for batch in loaders.train(epoch):
                    loaders.fabric.backward(self.training_step(module, batch, ctx)["loss"])
                    optimizer.step()
                    optimizer.zero_grad()
            assert loaders.validate(module).value > 0

    done = fit(OwnLoop(), tmp_path)
    assert done["steps"] == 0
    assert len(weights(tmp_path)) == 5


def test_phases_and_progress_are_reported(tmp_path):
    seen = []
    fit(Painter(), tmp_path, emit=lambda event, payload: seen.append((event, payload)), validation=VALIDATION)
    assert ("phase", {"phase": "main", "steps": 18}) in seen
    assert [p["done"] for e, p in seen if e == "progress" and "accuracy" in p] == [6, 12, 18]


def test_bf16_trains(tmp_path):
    done = fit(Painter(), tmp_path, precision="bf16-mixed", validation=VALIDATION)
    assert all(t.dtype == torch.float32 for t in weights(tmp_path).values())
    assert done["steps"] == 18
