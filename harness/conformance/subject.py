"""One recipe of a method under examination: its stages on an excerpt, and short fits of what it starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.benchmarks import Benchmark, matches, specs_of
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
    """

    registry: Registry
    method: Method
    recipe: str
    variant: str
    preset: str
    dataset: str
    open_dataset: Callable[[str], Dataset]
    folder: Path
    _done: dict[str, Path] = field(default_factory=dict)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """What must run up to the fit, which comes last."""
        choice = Choice(self.method, self.recipe, self.variant, self.preset, self.dataset)
        return plan_fit(self.registry, self.open_dataset, choice)

    @property
    def fit_stage(self) -> Stage:
        """The recipe's own fit."""
        return self.stages[-1]

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
                self.train(stage, folder, steps=2)
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

    def served(self) -> list[tuple[Benchmark, str]]:
        """Benchmarks of the dataset that the recipe serves, each with the split to try it on (never test where avoidable)."""
        found = [
            (
                Benchmark(s.task, self.dataset, s.protocol),
                "validation" if "validation" in s.splits else s.splits[-1],
            )
            for s in specs_of(self.registry, self.dataset)
        ]
        return [
            (b, split)
            for b, split in found
            if any(matches(p, b) for p in self.method.recipes[self.recipe].serves)
        ]

    def predict(self, benchmark: Benchmark, split: str, batch_size: int) -> Predictions:
        """Predictions of the short fit, checked by the task."""
        from reelbench.predictions import Predictions

        settings = resolve(self.method, self.recipe, self.variant, self.preset, {}).settings
        where = {
            "benchmark": str(benchmark),
            "task": benchmark.task,
            "protocol": benchmark.protocol,
            "split": split,
        }
        spec = {**self.fit_stage.spec, **where, "settings": settings.model_dump(), "batch_size": batch_size}
        folder = self.folder / "predict" / f"{benchmark.task}-{benchmark.protocol}-{batch_size}"
        fits = [self.run(self.fit_stage)]
        task, dataset = self.registry.task(benchmark.task), self.open_dataset(self.dataset)
        run_predict(
            spec, method=self.method, dataset=dataset, task=task, fits=fits, folder=folder, emit=quiet
        )
        return Predictions.load(folder)


def shortened(spec: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """A fit's specification with phases of a few small steps and no validation."""
    phases: Sequence[Mapping[str, Any]] = spec["phases"]
    short = [
        {**p, "steps": steps, "batch_size": min(p["batch_size"], BATCH), "validate": None} for p in phases
    ]
    return {**spec, "phases": short}
