"""A folder in which a test runs benches by the real command line, and what lies in its store afterwards.

The store is read with plain SQL, so that the test process imports no MLflow.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
BENCHMARK = "action_recognition@pace/one:seen"
PATIENCE_S = 60.0


def until(met: Callable[[], Any], what: str) -> Any:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := met():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE_S:.0f} s in vain for {what}")


class Running:
    """A command that was started, in a process group of its own, as a shell starts it."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, environment: dict[str, str]) -> None:
        self.files = [folder / f"{time.monotonic_ns()}.{stream}" for stream in ("out", "err")]
        command = [sys.executable, "-m", "reelbench", *arguments]
        with self.files[0].open("w") as out, self.files[1].open("w") as err:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=out, stderr=err, start_new_session=True
            )
        self.seen: dict[int, psutil.Process] = {}

    def family(self) -> list[psutil.Process]:
        """The process and all that it started and that lives, by now."""
        me = psutil.Process(self.process.pid)
        self.seen |= {p.pid: p for p in (me, *me.children(recursive=True))}
        return list(self.seen.values())

    def ctrl_c(self) -> None:
        """What a terminal does: SIGINT to the whole group."""
        self.family()
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL to the bench alone, as the system does when memory is short."""
        self.family()
        self.process.kill()

    def wait(self) -> Done:
        """Its end; it may not leave a process behind."""
        self.process.wait(PATIENCE_S)
        until(lambda: not any(map(_lives, self.seen.values())), "the end of every process")
        status = self.process.returncode
        return Done(128 - status if status < 0 else status, *(f.read_text() for f in self.files))


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@dataclass(frozen=True)
class Done:
    """A command that ended; ``status`` as a shell sees it, 128 + n for one that signal n ended.

    A Ctrl-C in the middle of a text's evaluation (``namedtuple`` while a module is imported) makes CPython
    end itself with SIGINT, whatever status ``sys.exit`` was given.
    """

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output."""
        return json.loads(self.out)

    def lines(self, text: str) -> list[str]:
        """Lines of standard error with a text in them."""
        return [line for line in self.err.splitlines() if text in line]


class Desk:
    """A folder with a suite and a store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, folder / "mlflow.db"
        folder.mkdir(parents=True, exist_ok=True)

    def suite(
        self,
        *methods: str,
        plugins: tuple[str, ...] = ("paced",),
        benchmarks: tuple[str, ...] = (BENCHMARK,),
        workers: int = 1,
    ) -> None:
        """Write ``suite.toml``: these entries of ``methods``, one seed, no ceilings."""
        values = {"benchmarks": list(benchmarks), "plugins": list(plugins), "seeds": [0], "workers": workers}
        lines = [f"{k} = {json.dumps(v)}" for k, v in values.items()]
        (self.folder / "suite.toml").write_text(
            "\n".join(["ceilings = false", f"methods = [{', '.join(methods)}]", *lines])
        )

    def start(self, *arguments: str, **environment: str) -> Running:
        """Start a command in the folder."""
        path = os.pathsep.join([str(self.folder), str(HERE)])
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        return Running(
            arguments,
            self.folder,
            {**clean, "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": path, **environment},
        )

    def call(self, *arguments: str, **environment: str) -> Done:
        """Run a command to its end."""
        return self.start(*arguments, **environment).wait()

    def bench(self, *arguments: str, **environment: str) -> Running:
        """Start ``reelbench run suite.toml --json``, without a report."""
        return self.start(
            "run", "suite.toml", "--json", "--no-report", "--block", "reports", *arguments, **environment
        )

    def runs(self, kind: str | None = None, store: Path | None = None) -> list[Run]:
        """The runs of the store (of one kind), oldest first."""
        found = list(_runs(store or self.store))
        return [r for r in found if kind is None or r.tags.get("rb.kind") == kind]


@dataclass(frozen=True)
class Run:
    """A run as the database holds it."""

    id: str
    status: str
    tags: dict[str, str]
    metrics: list[tuple[str, int]]
    artifacts: Path


def _runs(store: Path) -> Iterator[Run]:
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=30) as base:
        for run_id, status, uri in base.execute(
            "select run_uuid, status, artifact_uri from runs order by start_time, rowid"
        ).fetchall():
            tags = dict(base.execute("select key, value from tags where run_uuid = ?", (run_id,)).fetchall())
            metrics = base.execute(
                "select key, step from metrics where run_uuid = ? order by key, step", (run_id,)
            ).fetchall()
            yield Run(run_id, status, tags, metrics, Path(uri.removeprefix("file://")))
    base.close()
