"""Small random evaluations of the tasks that choose among sentences, words or videos, with predictions on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions
from reelbench.task import Task
from reelbench.tasks.fill_in_blank import FillInBlank
from reelbench.tasks.multiple_choice import MultipleChoice
from reelbench.tasks.retrieval import Retrieval

Rng = np.random.Generator
Trial = tuple[Task, EvaluationSet, Predictions]
N, CLUSTERS = 11, 4


def _ids(rng: Rng) -> tuple[tuple[str, ...], dict[str, str]]:
    ids = tuple(f"e{k}" for k in range(N))
    return ids, {i: f"c{k % CLUSTERS}" for k, i in enumerate(ids)}


def _tied(rng: Rng, *shape: int) -> Any:
    return rng.integers(4, size=shape).astype(np.float32)


def choice(rng: Rng) -> Trial:
    ids, clusters = _ids(rng)
    choices = [("a", "cat"), ("a", "dog"), ("a", "man"), ("a", "car"), ("rain",)]
    targets = {i: {"answer": int(rng.integers(5))} for i in ids}
    examples = [Example(i, {"choices": choices}) for i in ids]
    evaluation = EvaluationSet("multiple_choice@random:choice", "test", examples, targets, clusters)
    return MultipleChoice(), evaluation, Predictions(ids, {"scores": _tied(rng, N, 5)})


def blank(rng: Rng) -> Trial:
    ids, clusters = _ids(rng)
    words = tuple("abcdefghij")
    targets = {i: {"answer": str(rng.choice([*words, "unheard-of"]))} for i in ids}
    examples = [Example(i, {"sentence": ("a", "_____"), "blank": 1}) for i in ids]
    spaces = {"answers": words}
    evaluation = EvaluationSet(
        "fill_in_blank@random:word", "test", examples, targets, clusters, spaces=spaces
    )
    return FillInBlank(), evaluation, Predictions(ids, {"scores": _tied(rng, N, 10)})


def retrieval(rng: Rng) -> Trial:
    """Several queries for some videos, none for others."""
    ids, clusters = _ids(rng)
    videos = tuple(f"v{k}" for k in range(7))
    examples = [Example(i, {"query": (str(rng.choice(["a", "b", i])),), "sentences": [("a",)]}) for i in ids]
    targets = {i: {"match": str(rng.choice(videos[:5]))} for i in ids}
    gallery = [Example(v, {}) for v in videos]
    evaluation = EvaluationSet(
        "retrieval@random:sentence", "test", examples, targets, clusters, gallery=gallery
    )
    return Retrieval(), evaluation, Predictions(ids, {"scores": _tied(rng, N, 7)}, videos)


TRIALS: dict[str, Callable[[Rng], Trial]] = {"choice": choice, "blank": blank, "retrieval": retrieval}
