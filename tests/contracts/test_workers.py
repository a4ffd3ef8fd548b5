"""Worker processes: one that is killed fails its stage only, and an interrupted fit goes on where it was."""

from __future__ import annotations

import os
import signal
import threading
import time
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from in_process import OpenLease

from reelbench import hookimpl
from reelbench.executors import Surroundings
from reelbench.executors.in_process import InProcess
from reelbench.executors.work import open_dataset
from reelbench.executors.worker_pool import _SPAWN, WorkerPool, _serve
from reelbench.plan import Plan, build_plan
from reelbench.registry import build_registry
from reelbench.running import Outcome, Runner
from reelbench.suite import make_suite

MODULES = ("toybox", "toy_methods", "fragile_methods")


class PressesCtrlC:
    """Ctrl-C once, at a fit's first sign of progress."""

    pressed = False

    @hookimpl
    def reelbench_progress(self, stage: Any) -> None:
        if not self.pressed and stage.kind == "fit":
            self.pressed = True
            os.kill(os.getpid(), signal.SIGINT)


def plan_and_run(
    tmp_path: Path, executor: type[Any], methods: list[str], watcher: Any = None
) -> tuple[Plan, Outcome]:
    registry = build_registry(MODULES)
    surroundings = Surroundings(tmp_path, tmp_path, None, MODULES)
    suite = make_suite(
        {
            "name": "w",
            "benchmarks": ["multiple_choice@toybox/main"],
            "methods": methods,
            "seeds": [0],
            "ceilings": False,
        },
        "test",
    )
    plan = build_plan(suite, registry, lambda name: open_dataset(registry, name, surroundings))
    if watcher:
        registry.manager.register(watcher)
    return plan, Runner(
        plan, executor(surroundings, 1), registry.manager.hook, tmp_path, {}, OpenLease()
    ).run()


def fit_record(plan: Plan, outcome: Outcome, method: str) -> Any:
    (fit,) = [s for s in plan.stages if s.kind == "fit" and s.spec["method"] == method]
    return outcome.records[fit.fingerprint]


def test_a_worker_killed_by_the_system_fails_its_stage_and_the_bench_goes_on(tmp_path: Path) -> None:
    plan, outcome = plan_and_run(tmp_path, WorkerPool, ["doomed", "chooser"])
    doomed = fit_record(plan, outcome, "doomed")
    assert doomed["status"] == "failed"
    assert doomed["error"].startswith("WorkerDied: the worker process died")
    assert outcome.count(plan) == {"cached": 0, "finished": 3, "failed": 1, "skipped": 2, "interrupted": 0}
    assert fit_record(plan, outcome, "chooser")["worker"] == "worker-0"


def test_ctrl_c_stops_a_worker_s_fit_which_then_resumes_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAWDLE", "1")
    plan, outcome = plan_and_run(tmp_path / "cut", WorkerPool, ["dawdler"], PressesCtrlC())
    assert outcome.interrupted
    assert fit_record(plan, outcome, "dawdler")["status"] == "interrupted"
    monkeypatch.delenv("DAWDLE")
    plan, resumed = plan_and_run(tmp_path / "cut", InProcess, ["dawdler"])
    whole = plan_and_run(tmp_path / "whole", InProcess, ["dawdler"])[1]
    assert fit_record(plan, resumed, "dawdler")["resumed"] == 1
    assert fit_record(plan, resumed, "dawdler")["digest"] == fit_record(plan, whole, "dawdler")["digest"]


class InterruptsAtOnce(InProcess):
    """Runs in this process; Ctrl-C is pressed while a stage runs."""

    def events(self, timeout_s: float) -> Any:
        if self._waiting and self._waiting[0].kind == "fit":
            signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
            signal.setitimer(signal.ITIMER_REAL, 0.3)
        return super().events(timeout_s)


def test_ctrl_c_stops_a_fit_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAWDLE", "1")
    started = time.monotonic()
    plan, outcome = plan_and_run(tmp_path, InterruptsAtOnce, ["dawdler"])
    assert outcome.interrupted
    assert fit_record(plan, outcome, "dawdler")["status"] == "interrupted"
    assert time.monotonic() - started < 10


def test_a_worker_that_is_told_to_stop_before_it_is_ready_does_not_begin(tmp_path: Path) -> None:
    from reelbench.executors import Job

    pool = WorkerPool(Surroundings(tmp_path, tmp_path, None, MODULES), 1)
    try:
        pool.submit(Job("fit", "f" * 64, {"device": "cpu"}, {}, tmp_path / "job"))
        deadline = time.monotonic() + 30
        worker = str(pool._workers[0].process.pid)
        while not _has_signal(worker, "SigCgt", signal.SIGTERM) and time.monotonic() < deadline:
            time.sleep(0.005)
        pool.interrupt()
        events: list[Any] = []
        while not events and time.monotonic() < deadline:
            events = pool.events(0.5)
        assert [(e.kind, e.payload["status"]) for e in events] == [("failed", "interrupted")]
    finally:
        pool.close(kill=True)


def test_a_signal_that_another_thread_takes_waits_until_the_worker_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = threading.Event()
    other = threading.Thread(target=leave.wait)
    other.start()
    start, started = SpawnProcess.start, []

    def interrupted_start(process: SpawnProcess) -> None:
        signal.pthread_kill(other.ident or 0, signal.SIGINT)
        while _has_signal(f"self/task/{other.native_id}", "SigPnd", signal.SIGINT):
            time.sleep(0.005)  # on a busy machine the thread takes it later
        time.sleep(0.05)
        start(process)
        started.append(process)

    monkeypatch.setattr(SpawnProcess, "start", interrupted_start)
    try:
        with pytest.raises(KeyboardInterrupt):
            WorkerPool(Surroundings(tmp_path, tmp_path, None, MODULES), 1)
        assert len(started) == 1
    finally:
        leave.set()
        other.join()
        for process in started:
            process.kill()
            process.join()


def test_a_worker_whose_pool_is_gone_before_it_is_ready_ends_quietly(tmp_path: Path) -> None:
    mine, theirs = _SPAWN.Pipe()
    arguments = (theirs, Surroundings(tmp_path, tmp_path, None, MODULES), "worker-0", os.getpid())
    process = _SPAWN.Process(target=_serve, args=arguments)
    process.start()
    mine.close()
    theirs.close()
    process.join(60)
    assert process.exitcode == 0


def _has_signal(task: str, mask: str, number: signal.Signals) -> bool:
    """Whether a signal stands in a mask of a process or thread: ``SigCgt`` (a handler is in place), ``SigPnd`` (not yet taken)."""
    lines = Path(f"/proc/{task}/status").read_text().splitlines()
    value = next(line.split()[1] for line in lines if line.startswith(mask))
    return bool(int(value, 16) >> (number - 1) & 1)
