"""What the harness's loop adds to a bare PyTorch loop that trains the same model on the same batches.

Paired: after every step of the harness one of a bare loop runs on the same examples with a model of its own, so that a
busy machine slows both. The bare loop is what an author would write: collate, forward, backward, clip, step. Prints,
for several step lengths, the median ratio over fits of a step's mean time, the median over single steps, and what a
whole fit takes beyond its steps.

    python benchmarks/loop_overhead.py
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reelbench.batching import collate
from reelbench.data import Clip, Example, FeatureSpec, Relation
from reelbench.dataset import Dataset
from reelbench.method import Config, DataInfo, Method, Phase, Recipe
from reelbench.training import run_fit
from reelbench.training.loop import PhaseLoop

EXAMPLES, BATCH, WIDTH, LENGTH, EPOCHS = 512, 32, 64, 20, 6


class Clips(Dataset):
    """Noise with a number to guess."""

    name, fingerprint, benchmarks = "clips", "loop-overhead", ()  # type: ignore[assignment]
    relations = {"clips": ("train",)}  # type: ignore[assignment]
    features = {"look": FeatureSpec("look", (WIDTH,), 2.0)}  # type: ignore[assignment]

    def __init__(self) -> None:
        self.rows = np.random.default_rng(0).normal(size=(EXAMPLES, LENGTH, WIDTH)).astype(np.float16)

    def relation(self, name: str, split: str = "train") -> Relation:
        """Every clip."""
        rows = [
            Example(f"e{i}", {"video": Clip(str(i), 0.0, LENGTH / 2)}, {"label": i % 7})
            for i in range(EXAMPLES)
        ]
        return Relation(name, split, {}, rows)

    def evaluation(self, task: str, protocol: str, split: str) -> Any:
        """Nothing is evaluated."""
        raise NotImplementedError

    def read(self, modality: str, clip: Clip) -> Any:
        """A clip's rows."""
        return self.rows[int(clip.video)]


class Recurrent(Method):
    """A GRU of a given width over the clip."""

    name, modalities = "recurrent", ("look",)

    class Config(Config):
        """Its width sets the length of a step."""

        width: int = 64

    def build(self, data: DataInfo, config: Any) -> torch.nn.Module:
        """The module."""
        return Net(data.dim("look"), config.width)

    def training_step(self, module: Any, batch: Any, ctx: Any) -> torch.Tensor:
        """Cross-entropy of the label."""
        return module(batch["video"]["look"].data, batch.targets["label"])


class Net(torch.nn.Module):
    """GRU and head."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.gru, self.head = torch.nn.GRU(dim, width, batch_first=True), torch.nn.Linear(width, 7)

    def forward(self, look: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """The loss."""
        states, _ = self.gru(look)  # (B, T, width)
        return torch.nn.functional.cross_entropy(self.head(states[:, -1]), label)


class Bare:
    """A bare loop's model, optimiser and examples, whose features are in memory."""

    def __init__(self, width: int) -> None:
        torch.manual_seed(0)
        self.module = Net(WIDTH, width)
        self.optimizer = torch.optim.Adam(self.module.parameters(), fused=True)
        rows = CLIPS.rows.astype(np.float32)
        self.examples = [
            Example(f"e{i}", {"video": {"look": rows[i]}}, {"label": i % 7}) for i in range(EXAMPLES)
        ]
        self.seconds: list[float] = []

    def timed_step(self, indices: list[int]) -> None:
        """One step, timed to where its memory is given back."""
        started = time.perf_counter()
        self.step(indices)
        self.seconds.append(time.perf_counter() - started)

    def step(self, indices: list[int]) -> None:
        """One step."""
        batch = collate([self.examples[i] for i in indices])
        loss = self.module(batch["video"]["look"].data, batch.targets["label"])  # type: ignore[index]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 5.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def interleave(bare: Bare, ours: list[float]) -> Callable[..., None]:
    """The harness's step, timed, and a bare one before or after it in turn."""

    def step(self: PhaseLoop, group: Any, ctx: Any) -> None:
        if len(ours) % 2:
            bare.timed_step(group[0])
        started = time.perf_counter()
        STEP(self, group, ctx)
        ours.append(time.perf_counter() - started)
        if not len(ours) % 2:
            return
        bare.timed_step(group[0])

    return step


def harness_fit(width: int, epochs: int) -> tuple[dict[str, Any], float]:
    """The record of a fit of some epochs, and its wall time."""
    phase = Phase(name="main", relation="clips", epochs=epochs, batch_size=BATCH, validate=None)
    method, dataset = Recurrent(), CLIPS
    method.recipes = {"clips": Recipe(phases=(phase,))}  # type: ignore[misc]
    spec = {
        "config": {"width": width}, "phases": [asdict(phase)], "upstream": [], "dataset": "clips", "features": ["look"], "seed": 0,
        "device": "cpu", "precision": "32-true", "recipe": "clips", "fingerprint": "f", "limits": {}, "validation": [],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        done = run_fit(
            spec,
            method=method,
            open_dataset=lambda _: dataset,
            task_of=lambda _: None,
            upstream={},
            folder=Path(folder),
            emit=lambda *_: None,
        )  # type: ignore[arg-type, return-value]
        return done, time.perf_counter() - started


def compare(width: int, fits: int) -> str:
    """One line: ms a step of either loop, the median ratios, and a fit's seconds beyond its steps."""
    whole, single, beyond, base = [], [], [], []
    for _ in range(fits + 1):
        bare, ours = Bare(width), list[float]()
        PhaseLoop._step = interleave(bare, ours)  # type: ignore[method-assign]
        done, wall = harness_fit(width, EPOCHS)
        beyond.append(wall - done["train_seconds"])
        whole.append((done["train_seconds"] - sum(bare.seconds)) / sum(bare.seconds))
        single.append(statistics.median(o / b for o, b in zip(ours, bare.seconds, strict=True)))
        base.append(statistics.median(bare.seconds) * 1e3)
    low, middle, high = statistics.quantiles(whole[1:], n=4)  # the first one imports and warms up
    return f"{width:6d} {statistics.median(base):13.2f} {middle:8.3f} [{low:.3f}, {high:.3f}] {statistics.median(single[1:]):13.3f} {statistics.median(beyond[1:]):12.3f}"


STEP = PhaseLoop._step
CLIPS = Clips()

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=9)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 128, 256])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    print(" width   bare, ms/step   whole fits [quartiles]   single steps   beyond, s")
    for width in chosen.widths:
        print(compare(width, chosen.fits))
