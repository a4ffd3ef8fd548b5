"""Fixtures for benches run by the real command line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk, Done, Run


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database: making one takes seconds, copying it none."""
    from reelbench.tracking.store import Store

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    Store(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def make_desk(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Callable[[], Desk]:
    """A new folder with an empty store, and a suite of the method that can take its time."""

    def make() -> Desk:
        desk = Desk(tmp_path_factory.mktemp("bench"))
        shutil.copy(migrated_database, desk.store)
        desk.suite('"plodder"')
        return desk

    return make


@pytest.fixture
def desk(make_desk: Callable[[], Desk]) -> Desk:
    """The test's own."""
    return make_desk()


@pytest.fixture(scope="session")
def undisturbed(make_desk: Callable[[], Desk]) -> tuple[Done, dict[str, Run]]:
    """A bench that nothing befell, and its runs by kind."""
    desk = make_desk()
    done = desk.bench().wait()
    assert done.status == 0, done.err
    return done, {r.tags["rb.kind"]: r for r in desk.runs()}
