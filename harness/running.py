"""Runs a plan: what is cached, what is ready, who works on it, and what the life-cycle plugins hear.

One thread, no training: it waits for events of an executor and hands out the next ready stage, scores before
predictions before fits, earlier seeds first, so that the first table stands early.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from reelbench.executors import Event, Executor, Job
from reelbench.plan import Plan
from reelbench.stages import Stage, StageFolder

_URGENCY = {"score": 0, "predict": 1, "fit": 2}


class Cached(Protocol):
    """A finished stage found in the record."""

    @property
    def path(self) -> Path:
        """The folder that holds the stage's files and ``record.json``."""

    @property
    def record(self) -> Mapping[str, Any]:
        """The stage record."""


class Lease(Protocol):
    """Keeps two benches on one store off each other's stages."""

    def acquire(self, fingerprint: str) -> bool:
        """Whether the stage is ours to run now."""

    def release(self, fingerprint: str) -> None:
        """Let others have it."""


@dataclass
class Outcome:
    """What became of a plan.

    ``records`` holds the record of every stage that was cached, finished, failed, skipped or interrupted; ``refused``
    a line for every result that contradicts the store's.
    """

    records: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    cached: set[str] = field(default_factory=set)
    interrupted: bool = False
    seconds: float = 0.0
    refused: list[str] = field(default_factory=list)

    def count(self, plan: Plan) -> dict[str, int]:
        """Stages of the plan by status."""
        counts = dict.fromkeys(("cached", "finished", "failed", "skipped", "interrupted"), 0)
        for stage in plan.stages:
            if stage.fingerprint in self.cached:
                counts["cached"] += 1
            elif stage.fingerprint in self.records:
                counts[self.records[stage.fingerprint]["status"]] += 1
        return counts


class Runner:
    """Runs one plan once."""

    def __init__(
        self,
        plan: Plan,
        executor: Executor,
        hook: Any,
        workspace: Path,
        hits: Mapping[str, Cached],
        lease: Lease,
    ) -> None:
        self.plan, self.executor, self.hook, self.workspace, self.lease = (
            plan,
            executor,
            hook,
            workspace,
            lease,
        )
        self.outcome = Outcome(cached=set(hits))
        self.paths = {fingerprint: hit.path for fingerprint, hit in hits.items()}
        self.outcome.records.update({fingerprint: hit.record for fingerprint, hit in hits.items()})
        self.stages = plan.by_fingerprint()
        self.waiting = self._in_order(needed(plan, set(hits)))
        self.running: dict[str, Stage] = {}

    def run(self) -> Outcome:
        """Run everything that can run; Ctrl-C once saves and stops, twice kills."""
        started = time.monotonic()
        try:
            with _sigint(self._interrupt):
                self._loop()
        finally:
            self.executor.close(kill=self.outcome.interrupted)
            self.outcome.seconds = time.monotonic() - started
        return self.outcome

    def _loop(self) -> None:
        while self.running or (self.waiting and not self.outcome.interrupted):
            self._hand_out()
            for event in self.executor.events(0.5):
                self._hear(event)

    def _in_order(self, fingerprints: Iterable[str]) -> list[Stage]:
        seeds = {seed: i for i, seed in enumerate(self.plan.suite.seeds)}
        place = {s.fingerprint: i for i, s in enumerate(self.plan.stages)}

        def key(s: Stage) -> tuple[int, int, int]:
            return (
                seeds.get(s.spec["seed"], len(seeds)) if s.spec["seed"] >= 0 else 0,
                _URGENCY[s.kind],
                place[s.fingerprint],
            )

        return sorted((self.stages[f] for f in fingerprints), key=key)

    def _hand_out(self) -> None:
        while self.executor.idle and not self.outcome.interrupted:
            stage = self._next()
            if stage is None:
                return
            self.waiting.remove(stage)
            self.running[stage.fingerprint] = stage
            worker = self.executor.submit(self._job(stage))
            self.hook.reelbench_stage_started(stage=stage, worker=worker)

    def _next(self) -> Stage | None:
        for stage in list(self.waiting):
            failed = [
                f
                for f in stage.all_needs()
                if self.outcome.records.get(f, {}).get("status") in ("failed", "skipped", "interrupted")
            ]
            if failed:
                self._skip(stage, self.stages[failed[0]])
            elif all(f in self.paths for f in stage.all_needs()) and self._ours(stage):
                return stage
        return None

    def _ours(self, stage: Stage) -> bool:
        """Whether to run it: not while another bench does, and not if that one has just finished it."""
        if not self.lease.acquire(stage.fingerprint):
            return False
        folder = StageFolder(self.workspace, stage.kind, stage.fingerprint)
        if not folder.finished:
            return True
        self.lease.release(stage.fingerprint)
        self.waiting.remove(stage)
        self._adopt(stage, folder)
        return False

    def _adopt(self, stage: Stage, folder: StageFolder) -> None:
        self.paths[stage.fingerprint] = folder.path
        self.outcome.records[stage.fingerprint] = folder.record()
        self.outcome.cached.add(stage.fingerprint)

    def _job(self, stage: Stage) -> Job:
        needs = {role: tuple(self.paths[f] for f in fs) for role, fs in stage.needs.items()}
        return Job(
            stage.kind,
            stage.fingerprint,
            stage.spec,
            needs,
            StageFolder(self.workspace, stage.kind, stage.fingerprint).path,
        )

    def _hear(self, event: Event) -> None:
        stage = self.stages[event.fingerprint]
        if event.kind == "progress":
            self.hook.reelbench_progress(stage=stage, progress=event.payload)
        elif event.kind == "phase":
            self.hook.reelbench_phase_started(
                stage=stage, phase=event.payload["phase"], steps=event.payload["steps"]
            )
        else:
            self._end(stage, event.kind, event.payload)

    def _end(self, stage: Stage, kind: str, record: Mapping[str, Any]) -> None:
        self.running.pop(stage.fingerprint, None)
        self.outcome.records[stage.fingerprint] = record
        self.lease.release(stage.fingerprint)
        if kind == "finished":
            self.paths[stage.fingerprint] = StageFolder(self.workspace, stage.kind, stage.fingerprint).path
            self.hook.reelbench_stage_finished(stage=stage, record=record)
        else:
            self.hook.reelbench_stage_failed(stage=stage, record=record)

    def _skip(self, stage: Stage, cause: Stage) -> None:
        self.waiting.remove(stage)
        now = round(time.time() * 1000)
        spec = {k: v for k, v in stage.spec.items() if k not in ("phases", "limits")}
        record = spec | {
            "kind": stage.kind,
            "status": "skipped",
            "error": f"not run: {cause.title} failed",
            "started_ms": now,
            "ended_ms": now,
            "seconds": 0.0,
        }
        self.outcome.records[stage.fingerprint] = record
        self.hook.reelbench_stage_failed(stage=stage, record=record)

    def _interrupt(self, times: int) -> None:
        if times > 1:
            self.executor.close(kill=True)
            raise KeyboardInterrupt
        self.outcome.interrupted = True
        self.executor.interrupt()


@contextmanager
def _sigint(on_interrupt: Any) -> Iterator[None]:
    """Call ``on_interrupt(times)`` on each Ctrl-C (and SIGTERM) while the block runs."""
    times = 0

    def handle(*_: object) -> None:
        nonlocal times
        times += 1
        on_interrupt(times)

    before = {s: signal.signal(s, handle) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def needed(plan: Plan, cached: set[str]) -> set[str]:
    """Fingerprints that must run: the scores that are not cached, and what they need and is not cached either."""
    stages = plan.by_fingerprint()
    wanted: set[str] = set()
    waiting = [s.fingerprint for s in plan.trials()]
    while waiting:
        fingerprint = waiting.pop()
        if fingerprint in cached or fingerprint in wanted:
            continue
        wanted.add(fingerprint)
        waiting += stages[fingerprint].all_needs()
    return wanted
