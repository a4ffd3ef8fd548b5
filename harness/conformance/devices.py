"""A check that needs a GPU: the same fit predicts the same on it, and a few steps train there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reelbench.conformance.closeness import difference
from reelbench.conformance.report import Broken
from reelbench.errors import SkippedPair

if TYPE_CHECKING:
    from reelbench.benchmarks import Benchmark
    from reelbench.conformance.subject import Subject
    from reelbench.predictions import Predictions

TOLERANCE = 1e-2
"""Of a column's spread: sums are taken in another order there."""
OTHER_ROWS = 0.25
"""Of sentences and lists: a search that meets two nearly equal scores may go the other way."""


def check_devices(subject: Subject, predicted: Mapping[tuple[Benchmark, str], Predictions]) -> str:
    """What the short fit predicts on a GPU is what it predicts on a CPU."""
    if not torch.cuda.is_available():
        raise SkippedPair("torch sees no CUDA device here: CPU and GPU are not compared")
    if not subject.held or subject.held[0] is None:
        raise SkippedPair("there is no module to put on a GPU")
    for (benchmark, split), on_cpu in predicted.items():
        on_gpu = subject.predict(benchmark, split, batch_size=8, device="cuda")
        for name, column in on_cpu.columns.items():
            check_agree(
                f"column {name!r} of {benchmark.task}:{benchmark.protocol}", column, on_gpu.columns[name]
            )
    subject.train(subject.fit_stage, subject.folder / "cuda", steps=2, device="cuda")
    return f"the same on CPU and GPU on {len(predicted)} benchmarks, and two steps a phase trained there"


def check_agree(what: str, on_cpu: Sequence[Any], on_gpu: Sequence[Any]) -> None:
    """Numbers are near, and most sentences and lists the same."""
    if isinstance(on_cpu, np.ndarray):
        if (gap := difference(on_cpu, on_gpu)) > TOLERANCE:
            raise Broken(
                f"{what} differs by {gap:.3g} of its spread between CPU and GPU; take dtype and device from the batch, and draw from ctx.generator in training only"
            )
        return
    others = [k for k, (a, b) in enumerate(zip(on_cpu, on_gpu, strict=True)) if difference(a, b) > TOLERANCE]
    if len(others) > OTHER_ROWS * len(on_cpu):
        raise Broken(
            f"{what} differs in {len(others)} of {len(on_cpu)} rows between CPU and GPU; take dtype and device from the batch, and draw from ctx.generator in training only"
        )
