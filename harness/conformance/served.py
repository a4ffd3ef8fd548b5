"""Checks of predictions: the task accepts them, and they do not depend on who else is in the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelbench.conformance.closeness import TOLERANCE, difference
from reelbench.conformance.report import Broken

if TYPE_CHECKING:
    from reelbench.benchmarks import Benchmark
    from reelbench.conformance.subject import Subject
    from reelbench.predictions import Predictions


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
                f"column {name!r} differs by {gap:.3g} of its spread between batches of 1 and of 8; mask the padding in every pooling, softmax, norm and recurrence"
            )
    return "the same alone and in a batch of eight"
