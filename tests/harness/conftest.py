"""Fixtures for the harness's own tests."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import toy_project

from reelbench.registry import Registry


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The toy project's folder, importable while the test runs."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield toy_project.write_project(tmp_path)
    for name in [n for n in sys.modules if n.partition(".")[0] == "toyplug"]:
        del sys.modules[name]


@pytest.fixture
def registry(project: Path) -> Registry:
    """The registry with the toy project's plugin only."""
    return toy_project.project_registry()


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database: making one takes seconds, copying it none."""
    from reelbench.tracking.store import Store

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    Store(f"sqlite:///{path}")
    return path


@pytest.fixture
def store_uri(migrated_database: Path, tmp_path: Path) -> str:
    """The address of an empty store of the test's own."""
    shutil.copy(migrated_database, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"
