"""Checks of predictions: the task accepts them, and they do not depend on who else is in the batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from reelbench.conformance.altered import asking
from reelbench.conformance.closeness import TOLERANCE, difference
from reelbench.conformance.excerpt import uncut
from reelbench.conformance.odd import NO_WORDS, odd_set
from reelbench.conformance.report import Broken, described

if TYPE_CHECKING:
    from reelbench.benchmarks import Benchmark
    from reelbench.conformance.subject import Subject
    from reelbench.data import EvaluationSet
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


def check_odd_inputs(subject: Subject, benchmark: Benchmark, split: str) -> str:
    """Inputs at the edge are answered as the task asks, and the same alone as beside others.

    Text without a word is asked for beside others only: no dataset makes a batch in which no text has a word.
    """
    task = subject.registry.task(benchmark.task)
    dataset = subject.open_dataset(subject.dataset)
    whole = task.evaluation(uncut(dataset), benchmark.protocol, split)
    asked = odd_set(whole, task.inputs, _rate_of(subject))
    single = replace(asked, examples=[e for e in asked.examples if e.id != NO_WORDS])
    try:
        together = subject.predict(benchmark, split, batch_size=8, task=asking(task, asked))
        alone = subject.predict(benchmark, split, batch_size=1, task=asking(task, single))
    except Exception as error:
        kind = _first_refused(subject, benchmark, split, asked)
        raise Broken(f"{kind}: {described(error, type(subject.method))}") from error
    for name, column in together.columns.items():
        for kind, other in zip(single.ids, alone.columns[name], strict=True):
            gap = difference(column[asked.ids.index(kind)], other)
            if gap > TOLERANCE:
                raise Broken(
                    f"{kind}: column {name!r} differs by {gap:.3g} of its spread between batches of 1 and of {len(asked.ids)}; mask the padding, and divide by no length of 0"
                )
    return f"answered beside others, and the same alone: {', '.join(asked.ids)}"


def _rate_of(subject: Subject) -> float:
    features = subject.open_dataset(subject.dataset).features
    return max((features[m].rate_hz for m in subject.fit_stage.spec["features"]), default=0.0)


def _first_refused(subject: Subject, benchmark: Benchmark, split: str, asked: EvaluationSet) -> str:
    """Which of the odd inputs it is that is not answered."""
    task = subject.registry.task(benchmark.task)
    for example in asked.examples[1:]:
        try:
            one = asking(task, replace(asked, examples=[asked.examples[0], example]))
            subject.predict(benchmark, split, batch_size=1, task=one)
        except Exception:
            return example.id
    return "one odd input alone"
