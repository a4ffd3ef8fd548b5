"""The paper behind a method: its reference, reported numbers and claims, from the ``paper.toml`` beside its module."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any


def read_paper(cls: type) -> dict[str, Any] | None:
    """The parsed ``paper.toml`` of a method's class, if there is one."""
    source = getattr(sys.modules.get(cls.__module__), "__file__", None)
    path = Path(source).with_name("paper.toml") if source else None
    return tomllib.loads(path.read_text(encoding="utf-8")) if path and path.exists() else None
