"""Checks of predictions: the task accepts them, and they do not depend on who else is in the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reelbench.conformance.report import Broken

if TYPE_CHECKING:
    from reelbench.benchmarks import Benchmark
    from reelbench.conformance.subject import Subject
    from reelbench.predictions import Predictions

TOLERANCE = 1e-3


def check_predictions(subject: Subject, benchmark: Benchmark, split: str) -> tuple[Predictions, str]:
    """Under opaque ids and without answers, the columns are what the task's schema says."""
    predictions = subject.predict(benchmark, split, batch_size=8)
    shapes = ", ".join(
        f"{k} {v.shape if isinstance(v, np.ndarray) else f'{len(v)} rows'}"
        for k, v in predictions.columns.items()
    )
    return predictions, f"accepted without answers: {shapes}"


def check_alone(subject: Subject, benchmark: Benchmark, split: str, together: Predictions) -> str:
    """An example gets the same prediction alone as padded in a batch of eight."""
    alone = subject.predict(benchmark, split, batch_size=1)
    for name, column in together.columns.items():
        gap = difference(column, alone.columns[name])
        if gap > TOLERANCE:
            raise Broken(
                f"column {name!r} differs by {gap:.3g} between batches of 1 and of 8; mask the padding in every pooling, softmax, norm and recurrence"
            )
    return "the same alone and in a batch of eight"


def difference(one: Any, other: Any) -> float:
    """The largest difference relative to the values' size; infinite where they are of different kinds."""
    if isinstance(one, np.ndarray):
        if one.shape != np.shape(other):
            return float("inf")
        scale = max(1.0, float(np.abs(one).max(initial=0.0)))
        return float(np.abs(one.astype(np.float64) - other).max(initial=0.0)) / scale
    if isinstance(one, bool | str) or one is None:
        return 0.0 if one == other else float("inf")
    if isinstance(one, int | float):
        return float(abs(one - other) / max(1.0, abs(one)))
    return _of_lists(one, other)


def _of_lists(one: Sequence[Any], other: Sequence[Any]) -> float:
    if len(one) != len(other):
        return float("inf")
    return max((difference(a, b) for a, b in zip(one, other, strict=True)), default=0.0)
