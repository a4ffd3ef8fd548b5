"""The paper behind a method: its reference, reported numbers and claims, from the ``paper.toml`` beside its module."""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reelbench.errors import UsageError


def read_paper(cls: type) -> dict[str, Any] | None:
    """The parsed ``paper.toml`` of a method's class, if there is one.

    Raises
    ------
    UsageError
        If it is not TOML, or has a number that is not finite; the message says where.
    """
    source = getattr(sys.modules.get(cls.__module__), "__file__", None)
    path = Path(source).with_name("paper.toml") if source else None
    if not (path and path.exists()):
        return None
    try:
        paper = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    for where, value in _not_finite(paper, ""):
        raise UsageError(f"{path}: {where} is {value}; a paper's numbers are finite")
    return paper


def _not_finite(value: Any, where: str) -> Iterator[tuple[str, float]]:
    """Where a number is not finite: ``reported[3].value``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _not_finite(inner, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _not_finite(inner, f"{where}[{i}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield where, value
