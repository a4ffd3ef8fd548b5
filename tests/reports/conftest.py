"""A store for a test, copied from one that was migrated once: making a database takes seconds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from synthetic import Synthetic, fill

from reelbench.tracking.store import Store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    Store(f"sqlite:///{path}")
    return path


@pytest.fixture
def synthetic(empty_database: Path, tmp_path: Path) -> Synthetic:
    """An empty store of the test's own."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return Synthetic(f"sqlite:///{tmp_path / 'mlflow.db'}")


@pytest.fixture(scope="session")
def small(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthetic:
    """Two benchmarks of seven rows and three seeds, to read only."""
    folder = tmp_path_factory.mktemp("small")
    shutil.copy(empty_database, folder / "mlflow.db")
    made = Synthetic(f"sqlite:///{folder / 'mlflow.db'}")
    fill(made, benchmarks=2)
    return made


@pytest.fixture(scope="session")
def site(small: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the small store."""
    from reelbench.reports.render import draw_site

    return draw_site(small.uri, tmp_path_factory.mktemp("site")).parent


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a store that a real bench of two quick baselines filled."""
    folder = tmp_path_factory.mktemp("bench")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    told = (
        "run --method nearest-neighbour --against chance --benchmark multiple_choice@microworld/smoke --seeds 2 --executor in-process "
        f"--no-report --store {uri} --workspace {folder / 'workspace'}"
    )
    subprocess.run([sys.executable, "-m", "reelbench", *told.split()], check=True, cwd=folder)
    return uri


@pytest.fixture
def compared(bench: str) -> Callable[..., Result]:
    """``reelbench compare`` on that store."""
    from reelbench.reports.comparison.command import compare

    return lambda *words: CliRunner().invoke(compare, [*words, "--store", bench])


@pytest.fixture(scope="session")
def packed(bench: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a real bench, as a folder."""
    from reelbench.reports.bundles.command import bundle

    path = tmp_path_factory.mktemp("packed") / "bundle"
    told = CliRunner().invoke(bundle, [str(path), "--store", bench])
    assert told.exit_code == 0, told.output
    return path


@pytest.fixture
def copy(packed: Path, tmp_path: Path) -> Path:
    """A bundle of the test's own."""
    return Path(shutil.copytree(packed, tmp_path / "bundle"))
