"""Fixtures that every test folder uses."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("reelbench", deadline=None)  # a busy machine is no fault of an example
settings.load_profile("reelbench")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background; tests press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Test data kept outside the repository: ``REELBENCH_SHARED``, by default ``../shared``."""
    folder = Path(os.environ.get("REELBENCH_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "oracles").is_dir():
        pytest.skip(
            f"no test data in {folder}; set REELBENCH_SHARED to the folder that holds oracles/ and data/"
        )
    return folder


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is derived and cached during tests stays out of the user's home."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REELBENCH_CACHE", str(folder))
        yield folder
