"""Runs the command line as a user does: in a process of its own, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Reelbench = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def reelbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reelbench:
    """``reelbench("list", "--json")`` → the finished process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, timeout_s: float = 240, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", **environment}
        command = [sys.executable, "-m", "reelbench", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    return run
