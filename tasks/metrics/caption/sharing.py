"""One METEOR for a whole bench: the process that runs the plan answers its workers over a Unix socket.

Starting METEOR takes seven seconds and half a gigabyte, so worker processes ask their parent's. The socket's path
travels in the environment variable ``REELBENCH_JAVA_SOCKET``; where it is not set, a process keeps its own.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from reelbench.tasks.metrics.caption.java import JavaError

SOCKET = "REELBENCH_JAVA_SOCKET"

Ask = Callable[[Sequence[str]], list[str]]


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, ask: Ask) -> None:
        self.ask = ask
        super().__init__(path, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer each line of JSON, a list of questions, with one line of JSON."""
        for request in self.rfile:
            try:
                answer = {"replies": self.server.ask(json.loads(request))}
            except JavaError as error:
                answer = {"error": [str(error)]}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


@contextmanager
def serve(ask: Ask) -> Iterator[str]:
    """Answer processes started inside the block, through :func:`ask_parent`; gives the socket's path.

    The socket lies in a fresh folder that only this user can enter.
    """
    with TemporaryDirectory(
        prefix="reelbench-java-", dir=_short_folder(), ignore_cleanup_errors=True
    ) as folder:
        path = str(Path(folder) / "meteor")
        with _Server(path, ask) as server, _variable(SOCKET, path):
            threading.Thread(target=server.serve_forever, daemon=True, name="reelbench-meteor").start()
            try:
                yield path
            finally:
                server.shutdown()


def _short_folder() -> str | None:
    """Where temporary files go, unless a socket's path would be too long there (108 bytes)."""
    return None if len(gettempdir().encode()) < 70 else "/tmp"


def ask_parent(path: str, lines: Sequence[str]) -> list[str] | None:
    """Ask the server at ``path``; ``None`` where there is none any more.

    Raises
    ------
    JavaError
        If the program behind it failed, or the server went away before answering.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError as error:
            logging.getLogger(__name__).warning("no shared METEOR at %s (%s); starting one here", path, error)
            return None
        answer = _converse(connection, list(lines))
    if "error" in answer:
        raise JavaError(answer["error"][0])
    return answer["replies"]


def _converse(connection: socket.socket, lines: list[str]) -> dict[str, list[str]]:
    with connection.makefile("rwb") as stream:
        try:
            stream.write(json.dumps(lines).encode() + b"\n")
            stream.flush()
            line = stream.readline()
        except OSError as error:
            raise JavaError(f"the shared METEOR went away: {error}") from error
    if not line:
        raise JavaError("the shared METEOR went away before answering")
    answer: dict[str, list[str]] = json.loads(line)
    return answer


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before
