"""The runner: what is ready, what is skipped, what survives a death or Ctrl-C, what is not run again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pluggy
import pytest
from toy_project import plan_of

from reelbench import hookspecs
from reelbench.executors import Event, Executor, Job, Surroundings
from reelbench.lifecycle import LifeCycle
from reelbench.plan import Plan
from reelbench.registry import Registry
from reelbench.running import Outcome, Runner, needed
from reelbench.stages import StageFolder, write_json

Work = Callable[[Job], dict[str, Any]]


def finish(job: Job) -> dict[str, Any]:
    record = {"status": "finished", "kind": job.kind, "digest": "d"}
    write_json(job.folder / "record.json", record)
    return record


def fail(job: Job) -> dict[str, Any]:
    return {"status": "failed", "error": "TrainingError: loss is nan"}


class Pretend(Executor):
    """Does jobs in order without doing anything; ``work`` decides how each ends."""

    def __init__(self, work: Work = finish, slots: int = 2) -> None:
        super().__init__(Surroundings(Path(), Path(), None), slots)
        self.work, self.slots = work, slots
        self.waiting: list[Job] = []
        self.done: list[Job] = []
        self.interrupted = self.closed = False

    @property
    def idle(self) -> int:
        return self.slots - len(self.waiting)

    def submit(self, job: Job) -> str:
        self.waiting.append(job)
        return "pretend"

    def events(self, timeout_s: float) -> list[Event]:
        if not self.waiting:
            time.sleep(0.01)
            return []
        job = self.waiting.pop(0)
        self.done.append(job)
        record = {"status": "interrupted", "error": "interrupted"} if self.interrupted else self.work(job)
        kind = "finished" if record["status"] == "finished" else "failed"
        return [
            Event("progress", job.fingerprint, {"done": 1}, "pretend"),
            Event(kind, job.fingerprint, record, "pretend"),
        ]

    def interrupt(self) -> None:
        self.interrupted = True

    def close(self, *, kill: bool = False) -> None:
        self.closed = True


class Lease:
    """Hands out every stage but those that somebody else has."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.held: set[str] = set()

    def acquire(self, fingerprint: str) -> bool:
        if fingerprint in self.taken:
            return False
        self.held.add(fingerprint)
        return True

    def release(self, fingerprint: str) -> None:
        self.held.discard(fingerprint)


class Watcher:
    """Writes down what the life cycle says."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    @hookspecs.hookimpl
    def reelbench_stage_started(self, stage: Any, worker: str) -> None:
        self.heard.append(("started", stage.title))

    @hookspecs.hookimpl
    def reelbench_stage_finished(self, stage: Any) -> None:
        self.heard.append(("finished", stage.title))

    @hookspecs.hookimpl
    def reelbench_stage_failed(self, stage: Any, record: Any) -> None:
        self.heard.append((record["status"], stage.title))


@pytest.fixture
def plan(registry: Registry) -> Plan:
    return plan_of(registry, seeds=[0])


def run(
    plan: Plan,
    workspace: Path,
    executor: Executor | None = None,
    *,
    hits: Any = None,
    watcher: Any = None,
    lease: Any = None,
) -> Outcome:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    if watcher:
        manager.register(watcher)
    return Runner(plan, executor or Pretend(), manager.hook, workspace, hits or {}, lease or Lease()).run()


def test_every_stage_runs_once_after_those_it_needs(plan: Plan, tmp_path: Path) -> None:
    executor = Pretend(slots=1)
    outcome = run(plan, tmp_path, executor)
    order = [j.fingerprint for j in executor.done]
    assert sorted(order) == sorted(s.fingerprint for s in plan.stages)
    assert all(order.index(f) < order.index(s.fingerprint) for s in plan.stages for f in s.all_needs())
    assert outcome.count(plan) == {
        "cached": 0,
        "finished": len(plan.stages),
        "failed": 0,
        "skipped": 0,
        "interrupted": 0,
    }
    assert executor.closed


def test_a_score_comes_before_the_next_fit_so_that_tables_stand_early(
    registry: Registry, tmp_path: Path
) -> None:
    plan = plan_of(registry, methods=["alpha"], seeds=[0, 1])
    executor = Pretend(slots=1)
    run(plan, tmp_path, executor)
    assert [j.kind for j in executor.done] == ["fit", "fit", "predict", "score"] * 2


def test_a_job_knows_where_its_inputs_lie(plan: Plan, tmp_path: Path) -> None:
    executor = Pretend()
    run(plan, tmp_path, executor)
    (score,) = [j for j in executor.done if j.kind == "score" and j.spec["method"] == "beta"]
    assert all((path / "record.json").exists() for path in score.needs["predictions"])


def test_what_depends_on_a_failed_stage_is_skipped_with_its_name_and_the_rest_goes_on(
    plan: Plan, tmp_path: Path
) -> None:
    watcher = Watcher()
    outcome = run(
        plan,
        tmp_path,
        Pretend(lambda job: fail(job) if job.spec["recipe"] == "words" else finish(job)),
        watcher=watcher,
    )
    by_title = {s.title: outcome.records[s.fingerprint] for s in plan.stages}
    assert by_title["fit alpha (words), seed 0"]["status"] == "failed"
    assert by_title["fit alpha (match), seed 0"]["error"] == "not run: fit alpha (words), seed 0 failed"
    assert {r["status"] for t, r in by_title.items() if " alpha " in t} == {"failed", "skipped"}
    assert {r["status"] for t, r in by_title.items() if " beta " in t} == {"finished"}
    assert ("skipped", "score alpha on guessing@toy/a:plain, seed 0") in watcher.heard


def test_cached_stages_and_what_only_they_need_are_not_run(plan: Plan, tmp_path: Path) -> None:
    class Hit:
        path, record = tmp_path / "elsewhere", {"status": "finished"}

    predict = next(s for s in plan.stages if s.kind == "predict" and s.spec["method"] == "alpha")
    executor, watcher = Pretend(), Watcher()
    outcome = run(plan, tmp_path, executor, hits={predict.fingerprint: Hit()}, watcher=watcher)
    ran = [j for j in executor.done if j.spec["method"] == "alpha"]
    assert [j.kind for j in ran] == ["score"]
    assert ran[0].needs["predictions"] == (Hit.path,)
    assert outcome.count(plan)["cached"] == 1
    assert not [t for kind, t in watcher.heard if t == predict.title]


def test_nothing_is_needed_when_every_score_is_cached(plan: Plan) -> None:
    assert needed(plan, {s.fingerprint for s in plan.trials()}) == set()


def test_a_second_run_adopts_what_the_first_left_in_the_workspace(plan: Plan, tmp_path: Path) -> None:
    run(plan, tmp_path)
    executor = Pretend()
    outcome = run(plan, tmp_path, executor)
    assert not executor.done
    assert outcome.count(plan)["cached"] == len(plan.stages)


def test_a_stage_that_another_bench_runs_is_waited_for_and_taken_over_finished(
    plan: Plan, tmp_path: Path
) -> None:
    lease, executor = Lease(), Pretend()
    other = plan.stages[0]
    lease.taken.add(other.fingerprint)

    def finish_theirs(job: Job) -> dict[str, Any]:
        if lease.taken:
            write_json(
                StageFolder(tmp_path, other.kind, other.fingerprint).path / "record.json",
                {"status": "finished", "digest": "theirs"},
            )
            lease.taken.clear()
        return finish(job)

    executor.work = finish_theirs
    outcome = run(plan, tmp_path, executor, lease=lease)
    assert other.fingerprint not in {j.fingerprint for j in executor.done}
    assert outcome.records[other.fingerprint]["digest"] == "theirs"
    assert not lease.held


def test_one_ctrl_c_lets_running_stages_stop_and_starts_no_other(plan: Plan, tmp_path: Path) -> None:
    executor = Pretend(slots=2)

    def press(job: Job) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGINT)
        return finish(job)

    executor.work = press
    watcher = Watcher()
    outcome = run(plan, tmp_path, executor, watcher=watcher)
    assert outcome.interrupted
    assert (len(executor.done), outcome.count(plan)["finished"], outcome.count(plan)["interrupted"]) == (
        2,
        1,
        1,
    )
    assert [kind for kind, _ in watcher.heard].count("started") == 2
    again = Pretend()
    assert run(plan, tmp_path, again).count(plan)["cached"] == 1, "the same command goes on from there"


def test_two_ctrl_c_kill_at_once(plan: Plan, tmp_path: Path) -> None:
    def press_twice(job: Job) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return finish(job)

    executor = Pretend(press_twice)
    with pytest.raises(KeyboardInterrupt):
        run(plan, tmp_path, executor)
    assert executor.closed


def test_the_signal_handlers_are_put_back(plan: Plan, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    run(plan, tmp_path)
    assert signal.getsignal(signal.SIGINT) == before


def test_a_life_cycle_plugin_that_raises_is_said_once_and_stops_neither_the_bench_nor_the_others(
    plan: Plan, tmp_path: Path
) -> None:
    class Broken:
        @hookspecs.hookimpl
        def reelbench_stage_finished(self, stage: Any) -> None:
            raise RuntimeError("disk\nfull")

    manager, watcher, said = pluggy.PluginManager(hookspecs.PROJECT), Watcher(), list[str]()
    manager.add_hookspecs(hookspecs)
    manager.register(watcher)
    manager.register(Broken(), name="broken-display")
    outcome = Runner(plan, Pretend(), LifeCycle(manager, said.append), tmp_path, {}, Lease()).run()
    assert outcome.count(plan)["finished"] == len(plan.stages)
    assert [k for k, _ in watcher.heard].count("finished") == len(plan.stages)
    assert said == [
        "plugin 'broken-display': reelbench_stage_finished failed and is left out: RuntimeError: disk full"
    ]


def test_a_life_cycle_wrapper_runs_round_the_others() -> None:
    heard: list[str] = []

    class Timing:
        @hookspecs.hookimpl(wrapper=True)
        def reelbench_plan_finished(self, outcome: Any) -> Any:
            heard.append("before")
            yield
            heard.append("after")

    class Plain:
        @hookspecs.hookimpl
        def reelbench_plan_finished(self) -> None:
            heard.append("plain")

    manager, said = pluggy.PluginManager(hookspecs.PROJECT), list[str]()
    manager.add_hookspecs(hookspecs)
    manager.register(Timing())
    manager.register(Plain())
    LifeCycle(manager, said.append).reelbench_plan_finished(plan=None, outcome={})
    assert (heard, said) == (["before", "plain", "after"], [])
