"""From a method's defaults to one fit's configuration: defaults ← preset ← recipe ← variant ← suite.

Keys of an override: a ``Config`` field (``hidden``), a phase's field (``joint.epochs``), a predict setting
(``predict.beam``), or ``ensemble``. A phase with no epochs and no steps is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from reelbench.errors import UnknownNameError, UsageError
from reelbench.method import Config, Method, Phase
from reelbench.phases import PHASE_FIELDS, check_phase

FULL = "full"


@dataclass(frozen=True)
class Resolved:
    """A fit's configuration, and where each value that is not a default came from."""

    config: Config
    settings: Config
    phases: tuple[Phase, ...]
    ensemble: int
    origins: Mapping[str, str]


def variants_of(method: Method) -> dict[str, Mapping[str, Any]]:
    """Every variant by name, ``full`` first."""
    return {FULL: {}, **method.variants}


def resolve(method: Method, recipe: str, variant: str, preset: str, overrides: Mapping[str, Any]) -> Resolved:
    """Resolve one fit's configuration.

    Raises
    ------
    UnknownNameError
        For a recipe, variant, preset or key that the method does not have.
    UsageError
        For a value of the wrong type.
    """
    if recipe not in method.recipes:
        raise UnknownNameError(f"recipe of {method.name}", recipe, method.recipes)
    if variant not in variants_of(method):
        raise UnknownNameError(f"variant of {method.name}", variant, variants_of(method))
    if preset not in method.presets:
        raise UnknownNameError(f"preset of {method.name}", preset, method.presets)
    layers = (
        (f"preset {preset}", method.presets[preset]),
        (f"recipe {recipe}", method.recipes[recipe].config),
        (f"variant {variant}", variants_of(method)[variant]),
        ("suite", overrides),
    )
    return _merge(method, recipe, layers)


def _merge(method: Method, recipe: str, layers: tuple[tuple[str, Mapping[str, Any]], ...]) -> Resolved:
    values: dict[str, dict[str, Any]] = {"": {}, "predict": {}}
    origins: dict[str, str] = {}
    known = override_keys(type(method))
    for origin, layer in layers:
        for key, value in layer.items():
            if key not in known:
                raise UnknownNameError(f"config key of {method.name}", key, known)
            scope, _, name = key.rpartition(".")
            values.setdefault(scope, {})[name] = value
            origins[key] = origin
    plan = method.recipes[recipe]
    ensemble = values[""].pop("ensemble", plan.ensemble)
    phases = tuple(_phase(method, phase, values.get(phase.name, {})) for phase in plan.phases)
    own = {p.name for p in plan.phases}
    return Resolved(
        config=_typed(method, method.Config, values[""]),
        settings=_typed(method, method.Predict, values["predict"]),
        phases=tuple(p for p in phases if p.epochs or p.steps),
        ensemble=_count(method, ensemble),
        origins={k: v for k, v in origins.items() if "." not in k or k.split(".")[0] in own | {"predict"}},
    )


def _phase(method: Method, phase: Phase, changes: Mapping[str, Any]) -> Phase:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
    changed = replace(phase, **values)
    check_phase(f"config of {method.name}: {phase.name}", changed)
    return changed


def _count(method: Method, ensemble: Any) -> int:
    if isinstance(ensemble, bool) or not isinstance(ensemble, int) or ensemble < 1:
        raise UsageError(
            f"config of {method.name}: ensemble must be a whole number of at least 1, got {ensemble!r}"
        )
    return ensemble


def _typed(method: Method, cls: type[Config], values: Mapping[str, Any]) -> Config:
    try:
        return cls(**values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"config of {method.name}: {problems}") from None


def override_keys(cls: type[Method]) -> frozenset[str]:
    """Every key that a preset, variant or suite may set for a method."""
    phases = {p.name for r in cls.recipes.values() for p in r.phases}
    return frozenset(
        {*cls.Config.model_fields, "ensemble"}
        | {f"predict.{name}" for name in cls.Predict.model_fields}
        | {f"{phase}.{name}" for phase in phases for name in PHASE_FIELDS}
    )


def check_method_overrides(cls: type[Method]) -> None:
    """Raise if a preset, variant or recipe of a class sets a key that it does not have, or repeats a phase."""
    known = override_keys(cls)
    places = {f"preset {n}": v for n, v in cls.presets.items()} | {
        f"variant {n}": v for n, v in cls.variants.items()
    }
    places |= {f"recipe {n}": r.config for n, r in cls.recipes.items()}
    for place, values in places.items():
        if unknown := sorted(set(values) - known):
            raise UnknownNameError(f"config key in {place} of {cls.name}", unknown[0], known)
    for name, recipe in cls.recipes.items():
        phases = [p.name for p in recipe.phases]
        if len(set(phases)) != len(phases):
            raise UsageError(f"recipe {name} of {cls.name} has two phases of one name: {phases}")
