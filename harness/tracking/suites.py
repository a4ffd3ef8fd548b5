"""The run of a whole suite: which stages it was made of, and what became of each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reelbench.stages import Stage
from reelbench.tracking.runs import RunWriter, heartbeat
from reelbench.tracking.store import SUITES, redact, tracking_errors

if TYPE_CHECKING:
    from reelbench.plan import Plan


class SuiteRun:
    """One suite's run, and what was heard of its stages."""

    def __init__(self, plan: Plan, facts: Mapping[str, Any]) -> None:
        self.plan = plan
        self.facts = {k: redact(v) if isinstance(v, str) else v for k, v in facts.items()}
        self.started_ms = round(time.time() * 1000)
        self.run_ids: list[str] = []
        self._status: dict[str, tuple[str, str | None]] = {}

    def start(self, writer: RunWriter) -> None:
        """Create the run, RUNNING, unless it is there."""
        if self.run_ids:
            return
        name = self.facts.get("suite", self.plan.suite.name)
        experiment = writer.store.experiment(SUITES)
        tags = {"rb.kind": "suite", "rb.suite": name, "rb.store": writer.store.shown, **heartbeat()}
        with tracking_errors(writer.store.uri):
            run = writer.client.create_run(experiment, start_time=self.started_ms, tags=tags, run_name=name)
        self.run_ids.append(run.info.run_id)

    def heard(self, stage: Stage, status: str, error: str | None = None) -> None:
        """Remember what became of a stage."""
        self._status[stage.fingerprint] = (status, error)

    def finish(self, writer: RunWriter, outcome: Mapping[str, Any]) -> None:
        """Keep the manifest and the counts, and end the run."""
        interrupted = bool(outcome.get("interrupted"))
        counts = {
            f"stages/{k}": v
            for k, v in outcome.items()
            if k in ("cached", "finished", "failed", "skipped", "interrupted")
        }
        now = round(time.time() * 1000)
        for run_id in self.run_ids:
            writer.log_json(run_id, self.manifest(interrupted), "manifest.json")
            writer.log(run_id, [(k, float(v), now, 0) for k, v in counts.items()])
            writer.end(run_id, "KILLED" if interrupted else "FINISHED", "interrupted" if interrupted else "")
        self.run_ids.clear()

    def manifest(self, interrupted: bool) -> dict[str, Any]:
        """The suite's stages with their fingerprints and what became of them."""
        unheard = ("not run" if interrupted else "cached", None)
        stages = [_row(s, *self._status.get(s.fingerprint, unheard)) for s in self.plan.stages]
        skipped = [
            {"method": s.method, "variant": s.variant, "benchmark": s.benchmark, "reason": s.reason}
            for s in self.plan.skipped
        ]
        return {
            "suite": self.plan.suite.name,
            "run": self.facts,
            "started_ms": self.started_ms,
            "stages": stages,
            "skipped": skipped,
        }


def _row(stage: Stage, status: str, error: str | None) -> dict[str, Any]:
    row = {
        "kind": stage.kind,
        "fingerprint": stage.fingerprint,
        "title": stage.title,
        "label": stage.label,
        "status": status,
    }
    return row | ({"error": error} if error else {})
