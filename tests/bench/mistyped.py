"""A plugin whose hook returns the wrong type."""

from __future__ import annotations

from typing import Any

from reelbench import hookimpl


@hookimpl
def reelbench_methods() -> Any:
    return ["a name is not a method"]
