"""One recipe of a method under examination: its stages on an excerpt, and short fits of what it starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.benchmarks import Benchmark, matches, specs_of
from reelbench.conformance.altered import holding
from reelbench.evaluation import run_predict
from reelbench.plan import Choice, plan_fit
from reelbench.resolution import resolve
from reelbench.training import run_fit

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.method import Method
    from reelbench.predictions import Predictions
    from reelbench.registry import Registry
    from reelbench.stages import Stage
    from reelbench.task import Task
    from reelbench.training.fit import Fit

BATCH = 8


def quiet(event: str, payload: Mapping[str, Any]) -> None:
    """Progress that nobody watches."""


@dataclass
class Subject:
    """A recipe, a variant and a preset of a method, on one dataset.

    Attributes
    ----------
    open_dataset
        Opens excerpts.
    folder
        Where fits and predictions are kept while it is examined.
    held
        The module that the short fit trained, as it was left; ``None`` where the method has none.
    """

    registry: Registry
    method: Method
    recipe: str
    variant: str
    preset: str
    dataset: str
    open_dataset: Callable[[str], Dataset]
    folder: Path
    held: list[Any] = field(default_factory=list)
    _done: dict[str, Path] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """What must run up to the fit, which comes last."""
        choice = Choice(self.method, self.recipe, self.variant, self.preset, self.dataset)
        return plan_fit(self.registry, self.open_dataset, choice)

    @property
    def fit_stage(self) -> Stage:
        """The recipe's own fit."""
        return self.stages[-1]

    def over(self, open_dataset: Callable[[str], Dataset], name: str, keep: Iterable[str] = ()) -> Subject:
        """The same recipe on other data, in a folder of its own; of the stages that ran it keeps the fingerprints ``keep``."""
        done = {f: self._done[f] for f in keep if f in self._done}
        return replace(self, open_dataset=open_dataset, folder=self.folder / name, held=[], _done=done)

    @property
    def place(self) -> str:
        """``match``, or ``match (no-attention)``."""
        return self.recipe if self.variant == "full" else f"{self.recipe} ({self.variant})"

    def fit(self) -> Fit:
        """The fit, not yet run, for checks of its parts."""
        from reelbench.training.fit import Fit

        stage = self.fit_stage
        return Fit(
            shortened(stage.spec, 1),
            self.method,
            self.open_dataset,
            self.registry.task,
            self.upstream_of(stage),
            self.folder / "parts",
            quiet,
        )

    def upstream_of(self, stage: Stage) -> dict[str, Path]:
        """Upstream name → folder of its short fit or prediction."""
        by_fingerprint = {s.fingerprint: s for s in self.stages}
        names = [u["name"] for u in stage.spec["upstream"]]
        return {
            name: self.run(by_fingerprint[f]) for name, f in zip(names, stage.needs["upstream"], strict=True)
        }

    def run(self, stage: Stage) -> Path:
        """The folder of a stage, run in short if it was not yet."""
        if stage.fingerprint not in self._done:
            folder = self.folder / stage.kind / stage.fingerprint[:12]
            if stage.kind == "fit":
                own = stage is self.fit_stage
                self.train(stage, folder, steps=2, method=holding(self.method, self.held) if own else None)
            else:
                self._feed(stage, folder)
            self._done[stage.fingerprint] = folder
        return self._done[stage.fingerprint]

    def train(
        self, stage: Stage, folder: Path, *, steps: int, method: Method | None = None, **changes: Any
    ) -> dict[str, Any]:
        """A fit of a few steps; returns its part of the record."""
        author = method or self.registry.method(stage.spec["method"])
        spec = {**shortened(stage.spec, steps), **changes}
        return run_fit(
            spec,
            method=author,
            open_dataset=self.open_dataset,
            task_of=self.registry.task,
            upstream=self.upstream_of(stage),
            folder=folder,
            emit=quiet,
        )

    def _feed(self, stage: Stage, folder: Path) -> None:
        by_fingerprint = {s.fingerprint: s for s in self.stages}
        fits = [self.run(by_fingerprint[f]) for f in stage.needs["fits"]]
        task, method = self.registry.task(stage.spec["task"]), self.registry.method(stage.spec["method"])
        run_predict(
            stage.spec,
            method=method,
            dataset=self.open_dataset(self.dataset),
            task=task,
            fits=fits,
            folder=folder,
            emit=quiet,
        )

    def benchmarks(self) -> list[tuple[Benchmark, tuple[str, ...]]]:
        """Benchmarks of the dataset that the recipe serves, each with its splits."""
        found = [
            (Benchmark(s.task, self.dataset, s.protocol), tuple(s.splits))
            for s in specs_of(self.registry, self.dataset)
        ]
        serves = self.method.recipes[self.recipe].serves
        return [(b, splits) for b, splits in found if any(matches(p, b) for p in serves)]

    def served(self) -> list[tuple[Benchmark, str]]:
        """Benchmarks, each with the split to try it on (never test where avoidable)."""
        return [
            (b, "validation" if "validation" in splits else splits[-1]) for b, splits in self.benchmarks()
        ]

    def predict(
        self,
        benchmark: Benchmark,
        split: str,
        batch_size: int,
        *,
        fit: Path | None = None,
        method: Method | None = None,
        task: Task | None = None,
        **changes: Any,
    ) -> Predictions:
        """Predictions of the short fit (or of another), checked by the task."""
        from reelbench.predictions import Predictions

        settings = resolve(self.method, self.recipe, self.variant, self.preset, {}).settings
        where = {
            "benchmark": str(benchmark),
            "task": benchmark.task,
            "protocol": benchmark.protocol,
            "split": split,
        }
        spec = {**self.fit_stage.spec, **where, "settings": settings.model_dump(), "batch_size": batch_size}
        folder = self.folder / "predict" / str(next(self._numbers))
        run_predict(
            {**spec, **changes},
            method=method or self.method,
            dataset=self.open_dataset(self.dataset),
            task=task or self.registry.task(benchmark.task),
            fits=[fit or self.run(self.fit_stage)],
            folder=folder,
            emit=quiet,
        )
        return Predictions.load(folder)


def shortened(spec: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """A fit's specification with phases of a few small steps and no validation."""
    phases: Sequence[Mapping[str, Any]] = spec["phases"]
    short = [
        {**p, "steps": steps, "batch_size": min(p["batch_size"], BATCH), "validate": None} for p in phases
    ]
    return {**spec, "phases": short}
