"""What the harness's loop adds to a bare PyTorch loop that trains the same model on the same batches.

Paired: epochs of either loop alternate in one process, so that a busy machine slows both. The bare loop is what an
author would write: collate, forward, backward, clip, step. Prints, for several step lengths, the median of the paired
ratios of time a step, and what a whole fit takes beyond its steps.

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

EXAMPLES, BATCH, WIDTH, LENGTH = 1024, 32, 64, 20


class Clips(Dataset):
    """Noise with a number to guess."""

    name, fingerprint, benchmarks = "clips", "loop-overhead", ()  # type: ignore[assignment]
    relations = {"clips": ("train",)}  # type: ignore[assignment]
    features = {"look": FeatureSpec("look", (WIDTH,), 2.0)}  # type: ignore[assignment]

    def __init__(self) -> None:
        self.rows = np.random.default_rng(0).normal(size=(EXAMPLES, LENGTH, WIDTH)).astype(np.float16)

    def relation(self, name: str, split: str = "train") -> Relation:
        """Every clip."""
        rows = [Example(f"e{i}", {"video": Clip(str(i), 0.0, LENGTH / 2)}, {"label": i % 7}) for i in range(EXAMPLES)]
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


def bare_epoch(module: Net, optimizer: torch.optim.Optimizer, examples: list[Example], order: list[list[int]]) -> float:
    """Seconds of an epoch of a bare loop on examples whose features are in memory."""
    module.train()
    started = time.perf_counter()
    for indices in order:
        batch = collate([examples[i] for i in indices])
        loss = module(batch["video"]["look"].data, batch.targets["label"])  # type: ignore[index]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return time.perf_counter() - started


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
        done = run_fit(spec, method=method, open_dataset=lambda _: dataset, task_of=lambda _: None, upstream={}, folder=Path(folder), emit=lambda *_: None)  # type: ignore[arg-type, return-value]
        return done, time.perf_counter() - started


def bare(width: int) -> Callable[[], float]:
    """A bare loop's epoch."""
    torch.manual_seed(0)
    module = Net(WIDTH, width)
    optimizer = torch.optim.Adam(module.parameters(), fused=True)
    rows = CLIPS.rows.astype(np.float32)
    examples = [Example(f"e{i}", {"video": {"look": rows[i]}}, {"label": i % 7}) for i in range(EXAMPLES)]
    order = [list(range(i, i + BATCH)) for i in range(0, EXAMPLES, BATCH)]
    return lambda: bare_epoch(module, optimizer, examples, order)


def compare(width: int, pairs: int) -> str:
    """One line: ms a step of either loop, the median ratio, and a fit's seconds beyond its steps."""
    run = bare(width)
    run(), harness_fit(width, 1)
    steps, ratios, beyond, base = EXAMPLES // BATCH, [], [], []
    for pair in range(pairs):
        times = {}
        for kind in ("bare", "harness") if pair % 2 else ("harness", "bare"):
            if kind == "bare":
                times[kind] = run()
            else:
                done, wall = harness_fit(width, 1)
                times[kind] = done["train_seconds"]
                beyond.append(wall - done["train_seconds"])
        ratios.append(times["harness"] / times["bare"])
        base.append(times["bare"] / steps * 1e3)
    low, middle, high = statistics.quantiles(ratios, n=4)
    extra = (middle - 1) * statistics.median(base)
    return f"{width:6d} {statistics.median(base):12.2f} {middle:8.3f} [{low:.3f}, {high:.3f}] {extra:10.3f} {statistics.median(beyond):14.3f}"


CLIPS = Clips()

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 128, 256])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    print(" width   bare ms/step   ratio [quartiles]   extra ms   fit beyond its steps, s")
    for width in chosen.widths:
        print(compare(width, chosen.pairs))
