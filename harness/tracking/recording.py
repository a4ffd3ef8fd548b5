"""How one plan is recorded, step by step; every method but the first runs on the recorder's thread.

While the store is away, results stay in their stage folders, and are sent at the end of the plan or by the next bench.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.errors import TrackingError
from reelbench.stages import Stage, StageFolder
from reelbench.tracking.abandoned import reclaim_abandoned
from reelbench.tracking.entries import run_kind, stage_naming
from reelbench.tracking.lost import LostStages
from reelbench.tracking.markers import recorded_run
from reelbench.tracking.pending import pending_stages, prune, send_pending
from reelbench.tracking.runs import RunWriter, UnrecordedError
from reelbench.tracking.store import Store, absolute_uri, redact
from reelbench.tracking.suites import SuiteRun
from reelbench.tracking.superseding import supersede
from reelbench.tracking.view import save_views

if TYPE_CHECKING:
    from reelbench.plan import Plan


class Recording:
    """The record of one plan in the making.

    Attributes
    ----------
    progress
        Fingerprint of a running stage → how far it is.
    refused
        Results that no store will take as they are, one line each.
    """

    def __init__(
        self, uri: str, workspace: Path, plan: Plan, facts: Mapping[str, Any], say: Callable[[str], None]
    ) -> None:
        self.uri, self.workspace, self.plan, self.say = uri, workspace, plan, say
        self.progress: dict[str, str] = {}
        self.refused: list[str] = []
        self._suite = SuiteRun(plan, facts)
        self._reused = {told["family"] for told in facts.get("reused", {}).values()}
        self._running: dict[str, str] = {}
        self._lost = LostStages()
        self._unsent: list[tuple[Mapping[str, Any], str | None]] = []
        self._writer: RunWriter | None = None
        self._warned = False
        planned = {s.fingerprint for s in plan.stages}
        self._waiting = pending_stages(
            workspace, redact(absolute_uri(uri)), planned
        )  # before this plan's own stages finish

    def open(self) -> None:
        """Open the store, clear up after killed benches, open the suite's run, send what waited."""
        writer = RunWriter(Store(self.uri), self.workspace)
        reclaim_abandoned(writer)
        self._suite.start(writer)
        self._writer = writer
        send_pending(writer, self._waiting, self._refuse)
        self._send_failures()

    def start(self, stage: Stage) -> None:
        """Create the stage's run."""
        if self._writer and run_kind(stage_naming(stage)) is not None:
            self._running[stage.fingerprint] = self._writer.start(stage_naming(stage))

    def finish(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Send a finished stage."""
        self._suite.heard(stage, "finished")
        run_id = self._running.pop(stage.fingerprint, None)
        if self._writer and run_kind(record) is not None and (run_id or not self._sent(stage)):
            self._writer.finish(record, run_id)

    def fail(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Record a stage that failed or was interrupted, and a trial lost with a fit before it; all else that was skipped makes no run."""
        self._suite.heard(stage, record["status"], record.get("error"))
        run_id = self._running.pop(stage.fingerprint, None)
        lost = self._lost.heard(stage, record)
        if run_id or lost or record["status"] == "failed":
            self._fail({**stage_naming(stage), **record, **lost}, run_id)

    def beat(self) -> None:
        """Refresh the heartbeats of what runs; try again a store that was away."""
        if self._writer is None and self._warned:
            self.open()
        if self._writer:
            told = {run_id: self.progress[f] for f, run_id in self._running.items() if f in self.progress}
            self._writer.beat([*self._running.values(), *self._suite.run_ids], told)

    def close(self, outcome: Mapping[str, Any]) -> None:
        """Send what is left, say which editions count, save the views, close the suite's run, clear the workspace."""
        if self._writer is None:
            self.open()  # the store may be back
        assert self._writer is not None
        send_pending(self._writer, pending_stages(self.workspace, self._writer.store.shown), self._refuse)
        for run_id in self._running.values():
            self._writer.end(run_id, "KILLED", "the bench ended first")
        supersede(self._writer, self.plan.stages, self._reused)
        save_views(self._writer, self.plan, outcome.get("site"))
        self._suite.finish(self._writer, outcome)
        prune(self._writer)

    def _fail(self, record: Mapping[str, Any], run_id: str | None) -> None:
        """Record a failure, or keep it while the store is away: no stage folder does."""
        if self._writer is None:
            self._unsent.append((record, run_id))
            return
        try:
            self._writer.fail(record, run_id)
        except TrackingError:
            self._unsent.append((record, run_id))
            raise

    def _send_failures(self) -> None:
        """Record those that were kept; one that the store will not take now is given up, or nothing would come after it."""
        while self._writer and self._unsent:
            self._writer.fail(*self._unsent.pop(0))

    def _sent(self, stage: Stage) -> bool:
        """Whether the stage was sent while the store was tried again, before its turn came."""
        return (
            recorded_run(
                StageFolder(self.workspace, stage.kind, stage.fingerprint).path,
                redact(absolute_uri(self.uri)),
            )
            is not None
        )

    def failed(self, error: Exception) -> None:
        """A store that is away is said once; a stage that cannot be recorded, each; a bug, with its traceback."""
        if isinstance(error, UnrecordedError):
            self._refuse(str(error))
        elif isinstance(error, TrackingError):
            self._store_away(str(error))
        else:
            self.say(redact("recording failed: " + "".join(traceback.format_exception(error)).strip()))

    def _refuse(self, line: str) -> None:
        self.refused.append(line)
        self.say(line)

    def _store_away(self, reason: str) -> None:
        self._writer = None
        if not self._warned:
            self.say(f"{reason}; results are kept in {self.workspace} and sent later")
        self._warned = True
