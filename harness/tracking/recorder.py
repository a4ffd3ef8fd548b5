"""The life-cycle plugin that records a bench in MLflow, from a thread of its own.

It runs in the process that runs the plan. Nothing that trains waits for it: hooks only put work in a queue. While the
store is away, results stay in their stage folders, and are sent at the end of the plan or by the next bench.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.errors import ReelbenchError, TrackingError
from reelbench.hookspecs import hookimpl
from reelbench.stages import Stage
from reelbench.tracking.abandoned import reclaim_abandoned
from reelbench.tracking.background import Background
from reelbench.tracking.entries import run_kind
from reelbench.tracking.leases import presence
from reelbench.tracking.pending import prune, send_pending
from reelbench.tracking.runs import RunWriter, UnrecordedError
from reelbench.tracking.store import Store, redact
from reelbench.tracking.suites import SuiteRun
from reelbench.tracking.superseding import supersede
from reelbench.tracking.view import save_views

if TYPE_CHECKING:
    from reelbench.plan import Plan

HEARTBEAT_S = 15.0


def _warn(line: str) -> None:
    print(f"reelbench: {line}", file=sys.stderr)


class MlflowRecorder:
    """Records one plan.

    Parameters
    ----------
    store
        Tracking URI.
    workspace
        Where stage folders are.
    say
        Shows a warning line.

    Attributes
    ----------
    problems
        What could not be recorded and why, one line each.
    """

    def __init__(self, store: str, workspace: Path, say: Callable[[str], None] = _warn) -> None:
        self.uri, self.workspace, self.say = store, workspace, say
        self.problems: list[str] = []
        self.away: str | None = None
        self._writer: RunWriter | None = None
        self._suite: SuiteRun | None = None
        self._running: dict[str, str] = {}
        self._progress: dict[str, str] = {}
        self._plan: Plan | None = None
        self._background: Background | None = None

    # --- hooks: each returns at once, but for the last ----------------------------------------------------------

    @hookimpl(tryfirst=True)
    def reelbench_plan_ready(self, plan: Plan, run: Mapping[str, Any]) -> None:
        """Open the store, clear up after killed benches, send what waited, open the suite's run."""
        presence(self.workspace)
        self._plan, self._suite = plan, SuiteRun(plan, run)
        self._background = Background(self._beat, self._failed, HEARTBEAT_S)
        self._submit(self._open)

    @hookimpl(tryfirst=True)
    def reelbench_stage_started(self, stage: Stage) -> None:
        """Create the run, RUNNING."""
        self._submit(self._start, stage)

    @hookimpl(tryfirst=True)
    def reelbench_progress(self, stage: Stage, progress: Mapping[str, Any]) -> None:
        """Remember how far the stage is, for the next heartbeat."""
        self._progress[stage.fingerprint] = f"{progress.get('done', '?')}/{progress.get('total', '?')} {progress.get('unit', '')}".strip()

    @hookimpl(tryfirst=True)
    def reelbench_stage_finished(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Send the stage's results."""
        self._submit(self._finish, stage, record)

    @hookimpl(tryfirst=True)
    def reelbench_stage_failed(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Record the failure."""
        self._submit(self._fail, stage, record)

    @hookimpl(tryfirst=True)
    def reelbench_plan_finished(self, plan: Plan, outcome: Mapping[str, Any]) -> None:
        """Send what is left, say which editions count, close the suite's run; returns when the store has everything."""
        self._submit(self._close, plan, outcome)
        if self._background:
            self._background.close()
            self._background = None

    def flush(self) -> None:
        """Wait until what has happened so far is in the store (or known to wait for it)."""
        if self._background:
            self._background.drain()

    def _submit(self, function: Callable[..., None], *args: Any) -> None:
        if self._background:
            self._background.submit(function, *args)

    # --- on the thread ------------------------------------------------------------------------------------------

    def _open(self) -> None:
        assert self._plan and self._suite
        writer = RunWriter(Store(self.uri), self.workspace)
        reclaim_abandoned(writer)
        self._suite.start(writer)
        self._writer = writer
        send_pending(writer, {s.fingerprint for s in self._plan.stages}, self._problem)

    def _start(self, stage: Stage) -> None:
        if self._writer and run_kind(_naming(stage)) is not None:
            self._running[stage.fingerprint] = self._writer.start(_naming(stage))

    def _finish(self, stage: Stage, record: Mapping[str, Any]) -> None:
        assert self._suite
        self._suite.heard(stage, "finished")
        run_id = self._running.pop(stage.fingerprint, None)
        if self._writer and run_kind(record) is not None:
            self._writer.finish(record, run_id)

    def _fail(self, stage: Stage, record: Mapping[str, Any]) -> None:
        assert self._suite
        self._suite.heard(stage, record["status"], record.get("error"))
        run_id = self._running.pop(stage.fingerprint, None)
        started = run_id or record["status"] == "failed"
        if self._writer and started:
            self._writer.fail({**_naming(stage), **record}, run_id)

    def _beat(self) -> None:
        if self._writer and self._suite:
            told = {run_id: self._progress[f] for f, run_id in self._running.items() if f in self._progress}
            self._writer.beat([*self._running.values(), *self._suite.run_ids], told)

    def _close(self, plan: Plan, outcome: Mapping[str, Any]) -> None:
        assert self._suite
        if self._writer is None:
            self.away = None
            self._open()  # the store may be back
        writer = self._writer
        assert writer
        send_pending(writer, (), self._problem)
        for run_id in self._running.values():
            writer.end(run_id, "KILLED", "the bench ended first")
        supersede(writer, plan.stages)
        save_views(writer, plan, outcome.get("site"))
        self._suite.finish(writer, outcome)
        prune(writer)

    # --- what goes wrong ----------------------------------------------------------------------------------------

    def _failed(self, error: Exception) -> None:
        """A store that is away is said once; a stage that cannot be recorded, each; a bug, with its traceback."""
        if isinstance(error, UnrecordedError):
            self._problem(str(error))
        elif isinstance(error, TrackingError):
            self._store_away(str(error))
        else:
            where = "" if isinstance(error, ReelbenchError) else "".join(traceback.format_exception(error))
            self._problem(redact(f"recording failed: {error}\n{where}".strip()))

    def _store_away(self, reason: str) -> None:
        self._writer = None
        if self.away is None:
            self.say(f"{reason}; results are kept in {self.workspace} and sent later")
        self.away = reason

    def _problem(self, line: str) -> None:
        self.problems.append(line)
        self.say(line)


def _naming(stage: Stage) -> dict[str, Any]:
    return {**stage.spec, "kind": stage.kind}
