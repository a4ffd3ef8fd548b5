"""Defaults ← preset ← recipe ← variant ← suite, with where each value came from."""

from __future__ import annotations

import pytest

import reelbench
from reelbench import Phase, Recipe
from reelbench.errors import UnknownNameError, UsageError
from reelbench.resolution import Resolved, override_keys, resolve, variants_of


class Layered(reelbench.Method):
    """Has a value of every origin."""

    name = "layered"

    class Config(reelbench.Config):
        width: int = 512
        depth: int = 2
        attention: bool = True

    class Predict(reelbench.Config):
        beam: int = 1

    recipes = {
        "match": Recipe(
            serves=("retrieval",), config={"depth": 3, "warm.epochs": 1}, ensemble=2,
            phases=(Phase(name="warm", relation="captions"), Phase(name="joint", relation="captions", rates={"head.": 0.1})),
        ),
        "bare": Recipe(serves=("tagging",)),
    }  # fmt: skip
    variants = {
        "flat": {"depth": 1, "predict.beam": 4, "joint.losses": ["rank"]},
        "no-warm": {"warm.epochs": 0},
    }
    presets = {"tiny": {"width": 64, "depth": 9, "joint.batch_size": 8}, "paper": {}}


def resolved(
    recipe: str = "match", variant: str = "full", preset: str = "tiny", **overrides: object
) -> Resolved:
    return resolve(
        Layered(), recipe, variant, preset, {k.replace("__", "."): v for k, v in overrides.items()}
    )


def test_a_later_layer_wins_and_its_origin_is_kept() -> None:
    plain, flat = resolved(), resolved(variant="flat", width=7)
    assert (plain.config.width, plain.config.depth, plain.config.attention) == (64, 3, True)  # type: ignore[attr-defined]
    assert (flat.config.width, flat.config.depth) == (7, 1)  # type: ignore[attr-defined]
    assert plain.origins["depth"] == "recipe match"
    assert flat.origins == {
        "width": "suite", "depth": "variant flat", "predict.beam": "variant flat", "joint.losses": "variant flat",
        "joint.batch_size": "preset tiny", "warm.epochs": "recipe match",
    }  # fmt: skip


def test_a_phase_s_fields_are_overridden_by_its_name_and_lists_become_tuples() -> None:
    phases = {p.name: p for p in resolved(variant="flat").phases}
    assert phases["joint"].batch_size == 8
    assert phases["joint"].losses == ("rank",)
    assert (phases["warm"].epochs, phases["warm"].batch_size) == (1, 32)


def test_a_phase_without_epochs_and_steps_is_left_out() -> None:
    assert [p.name for p in resolved(variant="no-warm").phases] == ["joint"]
    assert [p.name for p in resolved(variant="no-warm", warm__steps=5).phases] == ["warm", "joint"]


def test_predict_settings_are_kept_apart_from_the_configuration() -> None:
    flat = resolved(variant="flat")
    assert flat.settings.model_dump() == {"beam": 4}
    assert "beam" not in flat.config.model_dump()


def test_the_size_of_an_ensemble_can_be_overridden() -> None:
    assert resolved().ensemble == 2
    assert resolved(ensemble=5).ensemble == 5
    assert resolved("bare").ensemble == 1


def test_overrides_of_another_recipe_s_phases_are_no_origin_of_this_one() -> None:
    assert set(resolved("bare").origins) == {"width", "depth"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recipe": "mach"}, "unknown recipe of layered 'mach'; did you mean 'match'?"),
        ({"variant": "flatt"}, "unknown variant of layered 'flatt'; did you mean 'flat'?"),
        ({"preset": "huge"}, "unknown preset of layered 'huge'; known: paper, tiny"),
        ({"widht": 3}, "unknown config key of layered 'widht'; did you mean 'width'?"),
        ({"joint__epoch": 3}, "unknown config key of layered 'joint.epoch'; did you mean 'joint.epochs'?"),
        ({"predict__bean": 3}, "did you mean 'predict.beam'?"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        resolved(**arguments)  # type: ignore[arg-type]
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("width", "wide", "config of layered: width: Input should be a valid integer"),
        ("joint__epochs", -1, "config of layered: joint.epochs must be at least 0, got -1"),
        ("joint__learning_rate", "fast", "joint.learning_rate: Input should be a valid number, got 'fast'"),
        ("joint__batch_size", True, "joint.batch_size: Input should be a valid integer, got True"),
        ("joint__batch_size", 0, "joint.batch_size must be at least 1, got 0"),
        ("joint__learning_rate", float("nan"), "joint.learning_rate must be at least 0, got nan"),
        ("joint__epochs", 1.5, "joint.epochs: Input should be a valid integer, got 1.5"),
        ("joint__steps", "many", "joint.steps: Input should be a valid integer, got 'many'"),
        (
            "joint__optimizer",
            "adm",
            "joint.optimizer: Input should be 'adam', 'adamw', 'sgd', 'rmsprop' or 'adadelta', got 'adm'",
        ),
        ("joint__select", "bset", "joint.select: Input should be 'last', 'best' or 'average', got 'bset'"),
        ("joint__validate", "metrics", "joint.validate: Input should be 'metric' or 'loss', got 'metrics'"),
        ("ensemble", 0, "ensemble must be a whole number of at least 1, got 0"),
        ("ensemble", "three", "ensemble must be a whole number of at least 1, got 'three'"),
    ],
)
def test_a_value_of_the_wrong_type_is_one_line_that_names_the_key(
    key: str, value: object, message: str
) -> None:
    with pytest.raises(UsageError) as error:
        resolved(**{key: value})
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_every_method_has_the_variant_full_first() -> None:
    assert list(variants_of(Layered())) == ["full", "flat", "no-warm"]


def test_keys_that_may_be_set_are_config_phases_settings_and_ensemble() -> None:
    keys = override_keys(Layered)
    assert {"width", "ensemble", "predict.beam", "warm.epochs", "joint.select"} <= keys
    assert "joint.name" not in keys
