"""A plugin of a tiny dataset and a method that can take its time, so that a bench is cut off where a test wants it.

``PACE_S`` is how long a step takes from the middle of a fit on, ``BEACON`` a file that appears there, ``AWAITED`` one that is waited
for there, ``TORN`` a folder of features, ``WOBBLE`` what no fingerprint knows of and predictions depend on.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench import (
    BenchmarkSpec,
    Clip,
    Dataset,
    DatasetSource,
    EvaluationSet,
    Example,
    FeatureSpec,
    Field,
    Method,
    Phase,
    Recipe,
    Relation,
    hookimpl,
)

if TYPE_CHECKING:
    import torch

CLASSES = ("red", "green", "blue", "grey")
COUNTS = {"train": 24, "test": 12}
FRAMES = FeatureSpec("frames", (4,), 2.0, "float32")
SEEN = BenchmarkSpec("action_recognition", "seen", "which of four colours")
STEP_OF_BEACON = 10
PATIENCE_S = 120.0


class Colours(Dataset):
    """Clips of one of four colours; those of ``pace/torn`` lie in a feature store."""

    def __init__(self, size: str) -> None:
        self.name = f"pace/{size}"

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def benchmarks(self) -> Sequence[BenchmarkSpec]:
        return (SEEN,)

    @property
    def relations(self) -> Mapping[str, tuple[str, ...]]:
        return {"actions": ("train",)}

    @property
    def features(self) -> Mapping[str, FeatureSpec]:
        return {"frames": FRAMES}

    @property
    def spaces(self) -> Mapping[str, tuple[str, ...]]:
        return {"actions": CLASSES}

    def relation(self, name: str, split: str = "train") -> Relation:
        schema = {"video": Field("video", "a clip"), "kind": Field("opaque", "its class")}
        rows = [
            Example(f"{split}-{i}", {"video": _clip(split, i), "kind": i % 4}) for i in range(COUNTS[split])
        ]
        return Relation(name, split, schema, rows)

    def evaluation(self, task: str, protocol: str, split: str) -> EvaluationSet:
        names = [f"{split}-{i}" for i in range(COUNTS[split])]
        examples = [
            Example(n, {"video": _clip(split, i), "labels": [(c,) for c in CLASSES]})
            for i, n in enumerate(names)
        ]
        targets = {n: {"label": i % 4} for i, n in enumerate(names)}
        return EvaluationSet(
            f"{task}@{self.name}:{protocol}",
            split,
            examples,
            targets,
            {n: n for n in names},
            spaces=self.spaces,
        )

    def read(self, modality: str, clip: Clip) -> Any:
        import numpy as np

        if self.name == "pace/torn":
            from reelbench.features import FeatureStore

            return FeatureStore(Path(os.environ["TORN"])).read(modality, clip)
        split, _, index = clip.video.partition("-")
        rows = (
            np.random.default_rng([int(index), len(split)]).normal(scale=0.5, size=(4, 4)).astype(np.float32)
        )
        rows[:, int(index) % 4] += 1.0
        return rows


def _clip(split: str, index: int) -> Clip:
    return Clip(f"{split}-{index}", 0.0, 2.0)


class Source(DatasetSource):
    """Opens it."""

    name: ClassVar[str] = "pace"
    title: ClassVar[str] = "Pace"
    sizes: ClassVar[tuple[str, ...]] = ("one", "torn")

    def open(self, path: str, *, data_dir: Path | None, cache_dir: Path) -> Dataset:
        return Colours(path)

    def list_benchmarks(self) -> Sequence[BenchmarkSpec]:
        return (SEEN,)


def phase(name: str, steps: int) -> Phase:
    """Eight clips a step, never validated."""
    return Phase(
        name=name,
        relation="actions",
        steps=steps,
        batch_size=8,
        learning_rate=0.05,
        validate=None,
        select="last",
    )


class Plodder(Method):
    """Tells colours apart, in a short phase and in a long one."""

    name = "plodder"
    modalities = ("frames",)
    recipes = {
        "walk": Recipe(serves=("action_recognition",), phases=(phase("first", 5), phase("second", 80)))
    }

    def build(self, data: Any, config: Any) -> torch.nn.Module | None:
        import torch

        return torch.nn.Linear(data.dim("frames"), len(data.spaces["actions"]))

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        import torch

        _dawdle(ctx)
        return torch.nn.functional.cross_entropy(_scores(module, batch), batch["kind"])

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Mapping[str, Any]:
        return {"scores": _scores(module, batch) + float(os.environ.get("WOBBLE", "0"))}


def _scores(module: Any, batch: Any) -> torch.Tensor:
    return module(batch["video"]["frames"].data.mean(dim=1))  # (B, C)


def _dawdle(ctx: Any) -> None:
    if ctx.phase.name != "second" or ctx.step < STEP_OF_BEACON:
        return
    if "BEACON" in os.environ:
        Path(os.environ["BEACON"]).touch()
    deadline = time.monotonic() + PATIENCE_S
    while (
        "AWAITED" in os.environ and not Path(os.environ["AWAITED"]).exists() and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    time.sleep(float(os.environ.get("PACE_S", "0")))


@hookimpl
def reelbench_datasets() -> Sequence[DatasetSource]:
    return (Source(),)


@hookimpl
def reelbench_methods() -> Sequence[type[Method]]:
    return (Plodder,)
