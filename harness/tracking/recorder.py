"""The life-cycle plugin that records a bench in MLflow.

It runs in the process that runs the plan, and nothing that trains waits for it: its hooks put work in a queue, and
:class:`reelbench.tracking.recording.Recording` does it on a thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.hookspecs import hookimpl
from reelbench.tracking.background import Background
from reelbench.tracking.leases import presence
from reelbench.tracking.recording import Recording

if TYPE_CHECKING:
    from reelbench.plan import Plan
    from reelbench.stages import Stage

HEARTBEAT_S = 15.0


def _warn(line: str) -> None:
    print(f"reelbench: {line}", file=sys.stderr)


class MlflowRecorder:
    """Records plans, one after another.

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
    refused
        Those among them that no later bench will record either.
    """

    def __init__(self, store: str, workspace: Path, say: Callable[[str], None] = _warn) -> None:
        self.uri, self.workspace, self.say = store, workspace, say
        self.problems: list[str] = []
        self.refused: list[str] = []
        self._work: tuple[Recording, Background] | None = None

    @hookimpl(tryfirst=True)
    def reelbench_plan_ready(self, plan: Plan, run: Mapping[str, Any]) -> None:
        """Open the store, clear up after killed benches, send what waited, open the suite's run."""
        presence(self.workspace)
        recording = Recording(self.uri, self.workspace, plan, run, self._problem)
        self._work = recording, Background(recording.beat, recording.failed, HEARTBEAT_S)
        self._submit("open")

    @hookimpl(tryfirst=True)
    def reelbench_stage_started(self, stage: Stage) -> None:
        """Create the run, RUNNING."""
        self._submit("start", stage)

    @hookimpl(tryfirst=True)
    def reelbench_progress(self, stage: Stage, progress: Mapping[str, Any]) -> None:
        """Remember how far the stage is, for the next heartbeat."""
        if self._work:
            self._work[0].progress[stage.fingerprint] = (
                f"{progress.get('done', '?')}/{progress.get('total', '?')} {progress.get('unit', '')}".strip()
            )

    @hookimpl(tryfirst=True)
    def reelbench_stage_finished(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Send the stage's results."""
        self._submit("finish", stage, record)

    @hookimpl(tryfirst=True)
    def reelbench_stage_failed(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Record the failure."""
        self._submit("fail", stage, record)

    @hookimpl(tryfirst=True)
    def reelbench_plan_finished(self, outcome: Mapping[str, Any]) -> None:
        """Send what is left, say which editions count, close the suite's run; returns when the store has everything."""
        self._submit("close", outcome)
        if self._work:
            recording, background = self._work
            background.close()
            self.refused = recording.refused
            self._work = None

    def flush(self) -> None:
        """Wait until what has happened so far is in the store, or known to wait for it."""
        if self._work:
            self._work[1].drain()

    def _submit(self, step: str, *args: Any) -> None:
        if self._work:
            recording, background = self._work
            background.submit(getattr(recording, step), *args)

    def _problem(self, line: str) -> None:
        self.problems.append(line)
        self.say(line)
