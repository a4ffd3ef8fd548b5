"""What every contract test needs: no allow-list, and one thread, as a worker has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from reelbench.registry import ALLOW_VARIABLE


@pytest.fixture(autouse=True)
def _as_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(ALLOW_VARIABLE, raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
