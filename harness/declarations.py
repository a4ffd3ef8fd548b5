"""What a method's class must say before anything of it runs: checked when its plugin is registered.

Only declarations are looked at (names, recipes, phases, presets); what a method computes is checked by
:mod:`reelbench.conformance`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel

from reelbench.method import Method, Phase, Recipe
from reelbench.phases import check_phase
from reelbench.resolution import check_method_overrides

SLUG = re.compile(r"[a-z][a-z0-9_-]*\Z")


def check_declarations(cls: type[Method]) -> None:
    """Raise on the first thing that is missing or of the wrong type.

    Raises
    ------
    TypeError
        Naming the attribute, what it must be, and what it is.
    UsageError
        If a preset, variant or recipe sets a key that the method does not have.
    """
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not SLUG.match(name):
        raise TypeError(f"{cls.__name__}.name must be lower-case letters, digits and dashes, got {name!r}")
    if not (cls.__doc__ or "").strip():
        raise TypeError(f"{cls.__name__} has no docstring; its first line is what tables show")
    _check_names(f"{cls.__name__}.modalities", cls.modalities)
    for attribute in ("recipes", "presets"):
        _check_filled(cls, attribute)
    for attribute in ("Config", "Predict"):
        value = getattr(cls, attribute)
        if not (isinstance(value, type) and issubclass(value, BaseModel)):
            raise TypeError(
                f"{cls.__name__}.{attribute} must be a sub-class of reelbench.Config, got {value!r}"
            )
    for recipe_name, recipe in cls.recipes.items():
        _check_recipe(f"{cls.__name__}.recipes[{recipe_name!r}]", recipe)
    check_method_overrides(cls)


def _check_filled(cls: type[Method], attribute: str) -> None:
    value = getattr(cls, attribute)
    if not isinstance(value, Mapping):
        raise TypeError(f"{cls.__name__}.{attribute} must be a mapping by name, got {value!r}")
    if not value:
        raise TypeError(f"{cls.__name__}.{attribute} is empty; a method needs at least one")


def _check_recipe(place: str, recipe: object) -> None:
    if not isinstance(recipe, Recipe):
        raise TypeError(f"{place} must be a reelbench.Recipe, got {recipe!r}")
    _check_names(f"{place}.serves", recipe.serves)
    if not isinstance(recipe.phases, tuple | list) or not all(isinstance(p, Phase) for p in recipe.phases):
        raise TypeError(f"{place}.phases must be a list of reelbench.Phase, got {recipe.phases!r}")
    for phase in recipe.phases:
        check_phase(f"{place}: phase {phase.name!r}", phase)


def _check_names(place: str, names: object) -> None:
    if (
        isinstance(names, str)
        or not isinstance(names, tuple | list)
        or not all(isinstance(n, str) for n in names)
    ):
        raise TypeError(
            f"{place} must be a tuple of names, got {names!r}; write ({names!r},)"
            if isinstance(names, str)
            else f"{place} must be a tuple of names, got {names!r}"
        )
