"""``reelbench new-method`` writes a distribution that works unchanged: builds, keeps the contract, runs beside JSFusion."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from built_wheels import unpack_wheel
from click.testing import CliRunner
from in_process import run_suite

from reelbench.errors import UsageError
from reelbench.registry import build_registry
from reelbench.scaffold import Names, check_name, write_distribution
from reelbench.suite import load_suite

NAME = "first-steps"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_distribution(Names(NAME), tmp_path / NAME)
    return tmp_path / NAME


@pytest.fixture
def site(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    unpack_wheel(project, tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield tmp_path / "site"
    for module in [m for m in sys.modules if m.partition(".")[0] == "first_steps"]:
        del sys.modules[module]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My Method", "must be lower-case words of letters and digits joined by dashes, like my-method"),
        ("my_method", "must be lower-case words"),
        ("-x", "must be lower-case words"),
        ("../escape", "must be lower-case words"),
        ("import", "is a word of Python's own"),
        ("json", "is a word of Python's own"),
        ("jsfusion", "a method named 'jsfusion' is registered already"),
        ("numpy", "a Python package named 'numpy' is installed already"),
    ],
)
def test_a_name_that_cannot_work_is_refused_with_the_reason(name: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        check_name(name, {"jsfusion"})
    assert message in str(error.value)


def test_a_name_has_a_spelling_for_each_use() -> None:
    names = check_name("very-first-steps", set())
    assert (names.package, names.cls, names.title) == (
        "very_first_steps",
        "VeryFirstSteps",
        "Very first steps",
    )


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("precious")
    with pytest.raises(UsageError, match="mine exists already; nothing was written"):
        write_distribution(Names("mine"), folder)
    assert [p.name for p in folder.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*: Not a directory"):
        write_distribution(Names("mine"), tmp_path / "file" / "mine")


def test_the_command_says_what_to_do_next(tmp_path: Path) -> None:
    from reelbench.cli.new_method import new_method

    done = CliRunner().invoke(new_method, [NAME, "--into", str(tmp_path)], standalone_mode=False)
    assert done.exception is None
    assert f"reelbench try {NAME}" in done.output
    assert (tmp_path / NAME / "src" / "first_steps" / "method.py").exists()


def test_no_placeholder_is_left_in_any_file(project: Path) -> None:
    for path in project.rglob("*"):
        assert path.is_dir() or not {"{{", "{%"} & set(path.read_text().split()), path


def test_its_suite_names_it_beside_jsfusion(project: Path) -> None:
    suite = load_suite(str(project / "suite.toml"))
    assert {"first-steps", "jsfusion"} <= {m.name for m in suite.methods}
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["entry-points"][
        "reelbench"
    ] == {NAME: "first_steps.method"}
    assert "reelbench run {posargs:suite.toml}" in (project / "tox.ini").read_text()


def test_installed_it_is_registered_and_carries_its_paper(site: Path) -> None:
    from reelbench.papers import read_paper

    registry = build_registry()
    method = registry.method(NAME)
    assert registry.owners["method", NAME].distribution == "first-steps 0.1.0"
    assert (read_paper(type(method)) or {})["paper"]["title"] == "First steps"


def test_its_own_tests_pass(site: Path, project: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(project)],
        env=environment,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_it_runs_beside_jsfusion_unchanged(site: Path, tmp_path: Path) -> None:
    name = "multiple_choice@microworld/smoke:choice"
    short = {"name": "jsfusion", "config": {"match.steps": 2, "match.validate": None}}
    ran = run_suite([], tmp_path / "work", methods=[NAME, short], benchmarks=[name])
    rows = {s.spec["method"]: ran.outcome.records[s.fingerprint] for s in ran.plan.trials()}
    assert set(rows) == {NAME, "jsfusion"}
    assert all(0 <= r["metrics"]["accuracy"] <= 1 for r in rows.values())
    assert rows[NAME]["paper"]["paper"]["title"] == "First steps"
