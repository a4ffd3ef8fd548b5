"""A tiny corpus of microworld, and the answers that a reader of its script would give to every benchmark."""

from __future__ import annotations

from typing import Any

import numpy as np

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions
from reelbench.tasks.datasets.microworld.sizes import Corpus, MicroworldSize

TINY = Corpus("tiny", MicroworldSize(train=15, validation=10, test=10, unlabelled=5, text=5))
READ = Corpus("read", MicroworldSize(train=60, validation=25, test=50, unlabelled=5, text=5))
MAP_SIDE = 49


def oracle(task: str, protocol: str, evaluation: EvaluationSet) -> Predictions:
    """What the script says, in the task's prediction columns."""
    if task == "retrieval":
        gallery = tuple(e.id for e in evaluation.gallery)
        matches = [evaluation.targets[i]["match"] for i in evaluation.ids]
        scores = np.array([[float(g == match) for g in gallery] for match in matches])
        return Predictions(evaluation.ids, {"scores": scores}, gallery)
    if task == "reconstruction":
        task = "captioning" if protocol == "caption" else task
    name, answer = _ANSWERS[protocol if task == "reidentification" else task]
    rows = [answer(example, evaluation.targets[example.id], evaluation) for example in evaluation.examples]
    dense = isinstance(rows[0], np.ndarray)
    return Predictions(evaluation.ids, {name: np.stack(rows) if dense else rows})


def _one_hot(indices: Any, size: int) -> np.ndarray:
    scores = np.zeros(size)
    scores[indices] = 1.0
    return scores


def _same(identity: np.ndarray) -> list[list[float]]:
    return (identity[:, None] == identity[None]).astype(float).tolist()


def _moment(example: Example, targets: Any, evaluation: EvaluationSet) -> list[list[float]]:
    rows, counts = np.unique(targets["segments"], axis=0, return_counts=True)
    best = rows[counts.argmax()]
    others = [row for row in example["candidates"] if not np.array_equal(row, best)]
    return [list(map(float, row)) for row in [best, *others]]


def _map(example: Example, targets: Any, evaluation: EvaluationSet) -> np.ndarray:
    grid = (np.arange(MAP_SIDE) + 0.5) / MAP_SIDE
    maps = []
    for points in targets["fixations"]:
        x, y = points[:, 0, None, None], points[:, 1, None, None]
        distance = (grid[None, None] - x) ** 2 + (grid[None, :, None] - y) ** 2
        maps.append(np.exp(-distance / (2 * 0.04**2)).sum(axis=0))
    return np.stack(maps)


_ANSWERS: dict[str, Any] = {
    "captioning": ("caption", lambda e, t, s: t["references"][0]),
    "storytelling": ("captions", lambda e, t, s: [sentences[0] for sentences in t["references"]]),
    "multiple_choice": ("scores", lambda e, t, s: _one_hot(t["answer"], len(e["choices"]))),
    "fill_in_blank": (
        "scores",
        lambda e, t, s: _one_hot(
            [s.spaces["answers"].index(t["answer"])] if t["answer"] in s.spaces["answers"] else [],
            len(s.spaces["answers"]),
        ),
    ),
    "localization": ("segments", _moment),
    "detection": (
        "detections",
        lambda e, t, s: [
            [*map(float, span), int(k), 1.0] for span, k in zip(t["segments"], t["labels"], strict=True)
        ],
    ),
    "grounding": ("links", lambda e, t, s: t["mention_track"].tolist()),
    "video": ("same", lambda e, t, s: _same(t["track_identity"])),
    "text": ("same", lambda e, t, s: _same(t["mention_identity"])),
    "characters": ("labels", lambda e, t, s: t["mention_identity"].tolist()),
    "tagging": ("scores", lambda e, t, s: _one_hot(t["labels"], len(s.spaces["tags"]))),
    "action_recognition": ("scores", lambda e, t, s: _one_hot(t["label"], len(s.spaces["actions"]))),
    "gaze": ("maps", _map),
    "reconstruction": ("frames", lambda e, t, s: t["frames"]),
}
