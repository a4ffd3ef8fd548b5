"""The toy plugins are importable as modules, as an author's would be."""

from __future__ import annotations

import pytest

from reelbench.registry import ALLOW_VARIABLE


@pytest.fixture(autouse=True)
def _builtins_and_toys_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOW_VARIABLE, raising=False)
