"""The tutorial's files are written out and its commands run, as a reader would."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
FILES = re.compile(r'```python title="([^"]+)"\n(.*?)```', re.DOTALL)
COMMANDS = re.compile(r"^\$ reelbench (.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tutorial's files."""
    folder = tmp_path_factory.mktemp("tutorial")
    for name, text in FILES.findall(TUTORIAL.read_text(encoding="utf-8")):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reelbench", *arguments]
    return subprocess.run(
        command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, timeout=280, check=False
    )


def test_every_command_of_the_tutorial_runs(folder: Path):
    commands = COMMANDS.findall(TUTORIAL.read_text(encoding="utf-8"))
    assert len(commands) == 3
    for command in commands:
        done = run(folder, shlex.split(command))
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_tutorials_method_learns_and_the_second_run_is_cached(folder: Path):
    arguments = [
        "run",
        "--plugin",
        "my_retrieval",
        "--method",
        "my-retrieval",
        "--against",
        "chance",
        "--seeds",
        "1",
        "--no-report",
        "--json",
    ]
    trials = json.loads(run(folder, [*arguments, "--benchmark", "retrieval@microworld/smoke"]).stdout)[
        "trials"
    ]
    scores = {t["method"]: t["metrics"]["t2v_recall_at_10"] for t in trials if t["role"] != "ceiling"}
    assert scores["my-retrieval"] > scores["chance"]
    assert {t["status"] for t in trials} == {"cached"}
