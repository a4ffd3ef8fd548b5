"""Serves the MLflow UI on this machine, opened at a leaderboard, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reelbench.errors import TrackingError, UnknownNameError
from reelbench.tracking.store import Store, absolute_uri, artifact_root, be_quiet, is_missing, redact
from reelbench.tracking.view import VIEW_TAG, view_path

HOST = "127.0.0.1"
START_S, END_S = 60.0, 5.0


@dataclass(frozen=True)
class Board:
    """Where a benchmark's leaderboard is, below the server's address."""

    benchmark: str
    path: str


def boards(uri: str) -> list[Board]:
    """The leaderboards of a store, the one that changed last first; plain experiments where no view was saved."""
    if is_missing(uri):
        raise TrackingError(
            f"nothing is recorded in {redact(absolute_uri(uri))} yet; run a bench first, or name another store with --store"
        )
    store = Store(uri)
    names = {name: i for name, i in store.experiments().items() if "@" in name}
    newest = {
        run.info.experiment_id: -k
        for k, run in enumerate(reversed(store.search(list(names.values()), limit=1000)))
    }
    order = sorted(names, key=lambda name: (newest.get(names[name], 1), name))
    return [Board(name.removeprefix("reelbench/"), _path(store, name)) for name in order]


def serve(
    uri: str,
    *,
    port: int = 5000,
    benchmark: str | None = None,
    say: Callable[[str], None] = print,
    browse: Callable[[str], object] | None = None,
) -> None:
    """Serve until interrupted; for a store that is a server already, only say where its leaderboards are.

    Parameters
    ----------
    browse
        Opens an address, ``webbrowser.open`` say; ``None`` opens nothing.

    Raises
    ------
    UnknownNameError
        If the store has no such benchmark.
    TrackingError
        If the store cannot be read or the server does not start.
    """
    found = chosen(boards(uri), benchmark)
    if uri.startswith(("http://", "https://")):
        _show(found, uri.rstrip("/"), say, browse)
        return
    with _ended_by_signals(), server(uri, port) as address:
        _show(found, address, say, browse)
        say("Ctrl-C ends the server")
        while True:
            time.sleep(3600)


def chosen(found: list[Board], benchmark: str | None) -> list[Board]:
    """All boards, or the one of a benchmark."""
    if benchmark is None:
        return found
    if benchmark not in (known := [b.benchmark for b in found]):
        raise UnknownNameError("benchmark", benchmark, known, hint="in this store")
    return [b for b in found if b.benchmark == benchmark]


@contextmanager
def server(uri: str, port: int = 0) -> Iterator[str]:
    """The address of an MLflow server on the loopback interface, in its light form; ended with all its processes.

    Parameters
    ----------
    port
        Taken if it is free, else another one.
    """
    be_quiet()
    port = _free_port(port)
    address = f"http://{HOST}:{port}"
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        HOST,
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    # the address of the store goes by the environment: arguments, which may hold a password, are everybody's to see
    environment = os.environ | {
        "MLFLOW_BACKEND_STORE_URI": absolute_uri(uri),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    if root := artifact_root(uri):
        environment["MLFLOW_DEFAULT_ARTIFACT_ROOT"] = root
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_up(address, process, uri)
        yield address
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything it started: workers of the server outlive its own end."""
    for number, patience in ((signal.SIGTERM, END_S), (signal.SIGKILL, 1.0)):
        deadline = time.monotonic() + patience
        _signal_group(process.pid, number)
        while _signal_group(process.pid, 0) and time.monotonic() < deadline:
            process.poll()  # a process that ended counts until it is waited for
            time.sleep(0.1)
    process.wait()


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; whether anybody was there."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _wait_until_up(address: str, process: subprocess.Popen[bytes], uri: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(f"{address}/health"):
            return
        time.sleep(0.2)
    raise TrackingError(
        f"the MLflow server for {redact(uri)} did not start; try: mlflow server --backend-store-uri URI"
    )


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port(port: int) -> int:
    for wanted in (port, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((HOST, wanted))
            except OSError:
                continue
            return int(tried.getsockname()[1])
    raise TrackingError(f"no free port on {HOST}")


def _show(
    found: list[Board], address: str, say: Callable[[str], None], browse: Callable[[str], object] | None
) -> None:
    for board in found:
        say(f"{board.benchmark}: {redact(address)}{board.path}")
    if not found:
        say(f"{redact(address)} (nothing is recorded yet)")
    if browse:
        browse(address + (found[0].path if found else ""))


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End the block quietly on Ctrl-C, SIGTERM, or when the terminal goes away."""
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _path(store: Store, name: str) -> str:
    benchmark = name.removeprefix("reelbench/")
    experiment = store.client.get_experiment(store.experiment(name))
    return (
        view_path(store, benchmark)
        if VIEW_TAG in experiment.tags
        else f"/#/experiments/{experiment.experiment_id}?workflowType=machine_learning"
    )
