"""A tracking server that is away, and then back, with a login in its address that is written down nowhere."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import Desk, Done

from reelbench.tracking.ui import server

LOGIN = "mona:geheim-4711"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def desk(make_desk: Callable[[], Desk]) -> Desk:
    return make_desk()


@pytest.fixture(scope="module")
def address(port: int) -> str:
    return f"http://{LOGIN}@127.0.0.1:{port}"


@pytest.fixture(scope="module")
def away(desk: Desk, address: str) -> Done:
    """A bench whose server does not answer."""
    return desk.bench("--store", address).wait()


@pytest.fixture(scope="module")
def back(desk: Desk, address: str, port: int, away: Done) -> Iterator[Done]:
    """The same bench when it does, with a site."""
    with server(f"sqlite:///{desk.store}", port):
        yield desk.call("run", "suite.toml", "--json", "--store", address)


def test_the_bench_finishes_and_keeps_its_records(desk: Desk, away: Done) -> None:
    assert away.status == 0, away.err
    assert away.json["trials"][0]["status"] == "finished"
    (line,) = away.lines("results are kept in")
    assert "MLflow store http://***@127.0.0.1" in line
    assert len(list(desk.folder.glob(".reelbench/stages/*/*/record.json"))) == 3
    assert "Traceback" not in away.err


def test_the_records_are_sent_when_the_server_is_back(desk: Desk, back: Done) -> None:
    assert back.status == 0, back.err
    assert back.json["stages"]["cached"] == 3
    assert {r.tags["rb.kind"]: r.status for r in desk.runs()} == {
        "fit": "FINISHED",
        "trial": "FINISHED",
        "suite": "FINISHED",
    }


def test_the_password_is_written_down_nowhere(desk: Desk, away: Done, back: Done) -> None:
    told = [away.out, away.err, back.out, back.err]
    files = [p for p in desk.folder.rglob("*") if p.is_file()]
    assert {"record.json", "index.html"} <= {p.name for p in files}
    for secret in LOGIN.split(":"):
        assert not [text for text in told if secret in text]
        assert not [p for p in files if _holds(p, secret)]


def _holds(path: Path, secret: str) -> bool:
    return secret.encode() in path.read_bytes()
