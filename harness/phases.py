"""Checks a phase's values, whether a method's author, a preset or a suite gave them."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from reelbench.errors import UsageError
from reelbench.method import Phase

PHASE_FIELDS = frozenset(f.name for f in fields(Phase)) - {"name"}
_AT_LEAST = {
    "epochs": 0, "steps": 0, "batch_size": 1, "accumulate": 1, "learning_rate": 0, "weight_decay": 0, "warmup_steps": 0,
    "decay_every": 1, "clip_norm": 0, "validate_every": 1, "keep": 1, "patience": 1,
}  # fmt: skip


def check_phase(place: str, phase: Phase) -> None:
    """Raise :class:`UsageError` on the first value of a wrong type or below its least, named ``place.field``."""
    for name, adapter in _types().items():
        value = getattr(phase, name)
        try:
            adapter.validate_python(value, strict=True)
        except ValidationError as error:
            raise UsageError(f"{place}.{name}: {error.errors()[0]['msg']}, got {value!r}") from None
        if name in _AT_LEAST and value is not None and not value >= _AT_LEAST[name]:
            raise UsageError(f"{place}.{name} must be at least {_AT_LEAST[name]}, got {value!r}")


@cache
def _types() -> dict[str, TypeAdapter[Any]]:
    return {name: TypeAdapter(hint) for name, hint in get_type_hints(Phase).items()}
