"""One bench from suite to record: plan, look up what is cached, run the rest, tell the life-cycle plugins.

Rooms after this one (reports) join through life-cycle hooks; nothing here imports them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.device import resolve_device
from reelbench.errors import UnknownNameError
from reelbench.executors import Executor, Surroundings, default_workers
from reelbench.fingerprints import Reuse
from reelbench.lifecycle import LifeCycle
from reelbench.plan import OpenDataset, Plan, build_plan
from reelbench.reuse import Reused, reused_stage
from reelbench.running import Cached, Outcome, Runner, needed
from reelbench.stages import Stage
from reelbench.suite import Suite
from reelbench.timings import TimingLog

if TYPE_CHECKING:
    from reelbench.registry import Registry
    from reelbench.tracking.cache import CachedStages

RECORDER = "mlflow"


@dataclass
class Bench:
    """What a bench runs on.

    Attributes
    ----------
    store
        MLflow tracking URI.
    site
        Where reports draw; ``None`` draws nothing.
    executor
        Name of a registered executor: ``workers`` or ``in-process``.
    reuse
        ``compatible`` takes recorded stages that differ in versions and device, too.
    """

    suite: Suite
    registry: Registry
    surroundings: Surroundings
    open_dataset: OpenDataset
    store: str
    site: Path | None = None
    executor: str = "workers"
    device: str = "auto"
    reuse: Reuse = "exact"
    say: Callable[[str], None] = print
    plan: Plan = field(init=False)
    hits: Mapping[str, Cached] = field(init=False, default_factory=dict)
    misses: Mapping[str, str] = field(init=False, default_factory=dict)

    def prepare(self) -> Plan:
        """Resolve the suite and look up what is cached. Nothing is run, nothing is recorded."""
        if self.executor not in self.registry.executors:
            raise UnknownNameError("executor", self.executor, self.registry.executors)
        self.device = resolve_device(self.suite.device if self.device == "auto" else self.device)
        return self.adopt(
            build_plan(self.suite, self.registry, self.open_dataset, device=self.device, reuse=self.reuse)
        )

    def adopt(self, plan: Plan) -> Plan:
        """Take a plan, and look up what of it is cached."""
        self.plan = plan
        cache = self._cache()
        self.hits = cache.lookup(list(plan.stages))
        self.misses = cache.misses
        return plan

    @property
    def waiting(self) -> set[str]:
        """Fingerprints of the stages that must run."""
        return needed(self.plan, set(self.hits))

    @property
    def reused(self) -> dict[str, Reused]:
        """Fingerprint → what stands for a planned stage that ``reuse="compatible"`` found."""
        found = {
            s.fingerprint: (s, self.hits[s.fingerprint])
            for s in self.plan.stages
            if s.fingerprint in self.hits
        }
        told = {f: reused_stage(stage, hit.record) for f, (stage, hit) in found.items()}
        return {f: r for f, r in told.items() if r}

    @property
    def workers(self) -> int:
        """How many stages run at once."""
        return self.suite.workers or default_workers(self.device)

    def run(self, watchers: Mapping[str, Any]) -> Outcome:
        """Run what is not cached.

        Parameters
        ----------
        watchers
            Life-cycle plugins for this bench beside the registered ones, by name (a display).
        """
        from reelbench.tracking.leases import StageLease
        from reelbench.tracking.recorder import MlflowRecorder

        manager = self.registry.manager
        recorder = MlflowRecorder(self.store, self.surroundings.workspace)
        joined = {RECORDER: recorder, "timings": TimingLog(self.surroundings.workspace), **watchers}
        joined = {name: plugin for name, plugin in joined.items() if not manager.is_blocked(name)}
        for name, plugin in joined.items():
            manager.register(plugin, name)
        try:
            outcome = self._run(LifeCycle(manager, self.say), StageLease(self.surroundings.workspace))
            outcome.refused += recorder.refused
            return outcome
        finally:
            for name in joined:
                manager.unregister(name=name)

    def _run(self, hook: Any, lease: Any) -> Outcome:
        facts = {
            "suite": self.suite.name, "title": self.suite.title, "store": self.store, "site": str(self.site) if self.site else None,
            "workspace": str(self.surroundings.workspace), "executor": self.executor, "device": self.device, "workers": self.workers,
            "cached": len(self.hits), "waiting": len(self.waiting), "reused": {f: asdict(r) for f, r in self.reused.items()},
        }  # fmt: skip
        hook.reelbench_plan_ready(plan=self.plan, run=facts)
        runner = Runner(
            self.plan,
            self._start() if self.waiting else _Nobody(self.surroundings, 0),
            hook,
            self.surroundings.workspace,
            self.hits,
            lease,
        )
        outcome = runner.run()
        hook.reelbench_plan_finished(
            plan=self.plan,
            outcome=facts
            | outcome.count(self.plan)
            | {"seconds": outcome.seconds, "interrupted": outcome.interrupted},
        )
        return outcome

    def _start(self) -> Executor:
        executor: Executor = self.registry.executors[self.executor](self.surroundings, self.workers)
        return executor

    def _cache(self) -> CachedStages:
        from reelbench.tracking.cache import CachedStages

        return CachedStages(self.store, self.surroundings.workspace)


class _Nobody(Executor):
    """The executor of a plan in which everything is cached: starts no process."""

    @property
    def idle(self) -> int:
        """Never."""
        return 0

    def submit(self, job: Any) -> str:
        """Unreachable: it is never idle."""
        raise RuntimeError("nothing was planned to run")

    def events(self, timeout_s: float) -> list[Any]:
        """None."""
        return []

    def interrupt(self) -> None:
        """Nothing runs."""

    def close(self, *, kill: bool = False) -> None:
        """Nothing was started."""


def trial_summary(stage: Stage, record: Mapping[str, Any] | None, *, cached: bool) -> dict[str, Any]:
    """What ``run --json`` says of a trial."""
    spec = stage.spec
    status = "cached" if cached else record["status"] if record else "not run"
    made = {"label": stage.label, "fingerprint": stage.fingerprint} | dict(record or {})
    return {
        "method": spec["method"], "variant": spec["variant"], "recipe": spec["recipe"], "preset": spec["preset"], "role": spec["role"],
        "benchmark": spec["benchmark"], "seed": spec["seed"], "status": status, "metrics": dict((record or {}).get("metrics", {})),
        "error": (record or {}).get("error"), "label": made["label"], "fingerprint": made["fingerprint"],
    }  # fmt: skip
