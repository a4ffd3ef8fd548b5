"""Which store, opened by many at once, and never with its password shown."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from reelbench.errors import TrackingError
from reelbench.tracking.store import DEFAULT_URI, Store, artifact_root, redact, resolve_uri


@pytest.fixture
def closed_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A loopback port on which nobody listens, and no patience with it."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_the_flag_wins_over_the_environment_which_wins_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert resolve_uri(None) == DEFAULT_URI == "sqlite:///mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert resolve_uri(None) == "http://tracking:5000"
    assert resolve_uri("sqlite:///own.db") == "sqlite:///own.db"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://me:secret@host:5000/x", "http://***@host:5000/x"),
        ("https://token@host/x", "https://***@host/x"),
        ("postgresql+psycopg://me:se/cr@t@db:5432/ml", "postgresql+psycopg://***@db:5432/ml"),
        ("postgresql://db/ml?user=me&password=secret&x=1", "postgresql://db/ml?user=me&password=***&x=1"),
        ("cannot reach http://me:secret@host: refused", "cannot reach http://***@host: refused"),
        (
            "http://127.0.0.1:5000/#/x?q=retrieval@microworld",
            "http://127.0.0.1:5000/#/x?q=retrieval@microworld",
        ),
        ("sqlite:////home/me@work/mlflow.db", "sqlite:////home/me@work/mlflow.db"),
    ],
)
def test_a_password_is_not_shown(address: str, shown: str) -> None:
    assert redact(address) == shown


def test_an_unreachable_server_is_one_line_without_its_password(closed_port: int) -> None:
    with pytest.raises(TrackingError) as caught:
        Store(f"http://me:secret@127.0.0.1:{closed_port}")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"MLflow store http://***@127.0.0.1:{closed_port}: ")


def test_files_of_a_sqlite_store_lie_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_DEFAULT_ARTIFACT_ROOT", raising=False)
    assert artifact_root(f"sqlite:///{tmp_path}/mlflow.db") == (tmp_path / "mlruns").as_uri()
    assert artifact_root("http://tracking:5000") is None
    monkeypatch.setenv("MLFLOW_DEFAULT_ARTIFACT_ROOT", "s3://bucket/")
    assert artifact_root(f"sqlite:///{tmp_path}/mlflow.db") == "s3://bucket"


@pytest.mark.slow
def test_four_processes_may_create_one_store_at_once(tmp_path: Path) -> None:
    code = "import sys; from reelbench.tracking.store import Store; print(Store(sys.argv[1]).experiment('reelbench/fits'))"
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/deep/mlflow.db"]
    several = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = [process.communicate(timeout=120) for process in several]
    assert [p.returncode for p in several] == [0] * 4, answers
    assert len({out for out, _ in answers}) == 1
    assert {err for _, err in answers} == {""}


def test_importing_the_recorder_does_not_import_mlflow() -> None:
    code = "import sys, reelbench.tracking.recorder, reelbench.tracking.cache, reelbench.tracking.ui; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
