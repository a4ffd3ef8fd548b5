"""Small random evaluations of every task and protocol in this folder, with predictions to score on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions
from reelbench.task import Task
from reelbench.tasks.action_recognition import ActionRecognition
from reelbench.tasks.detection import Detection
from reelbench.tasks.gaze import Gaze
from reelbench.tasks.localization import Localization
from reelbench.tasks.reconstruction import Reconstruction
from reelbench.tasks.reidentification import Reidentification
from reelbench.tasks.tagging import Tagging

Rng = np.random.Generator
Trial = tuple[Task, EvaluationSet, Predictions]
N, CLUSTERS = 9, 4


def make(
    task: Task,
    protocol: str,
    rows: list[tuple[dict[str, Any], dict[str, Any]]],
    columns: dict[str, Any],
    rng: Rng,
    **more: Any,
) -> Trial:
    """A trial from (fields, targets) rows and prediction columns, in a few clusters."""
    ids = tuple(f"e{k}" for k in range(len(rows)))
    examples = [Example(i, fields) for i, (fields, _) in zip(ids, rows, strict=True)]
    targets = {i: answer for i, (_, answer) in zip(ids, rows, strict=True)}
    clusters = {i: f"c{k % CLUSTERS if k < CLUSTERS else rng.integers(CLUSTERS)}" for k, i in enumerate(ids)}
    evaluation = EvaluationSet(f"{task.name}@random:{protocol}", "test", examples, targets, clusters, **more)
    return task, evaluation, Predictions(ids, columns)


def candidates(rng: Rng) -> Trial:
    pool = np.asarray([[5.0 * i, 5.0 * (j + 1)] for i in range(4) for j in range(i, 4)])
    rows = [({"candidates": pool}, {"segments": pool[rng.integers(len(pool), size=4)]}) for _ in range(N)]
    ranked = [rng.permutation(pool).tolist() for _ in range(N)]
    return make(Localization(), "candidates", rows, {"segments": ranked}, rng)


def spans(rng: Rng, protocol: str = "spans") -> Trial:
    rows = [({}, {"segments": _segments(rng, int(rng.integers(1, 5)))}) for _ in range(N)]
    ranked = [_segments(rng, int(rng.integers(1, 12))).tolist() for _ in range(N)]
    return make(Localization(), protocol, rows, {"segments": ranked}, rng)


def spans_tall(rng: Rng) -> Trial:
    return spans(rng, "spans-tall")


def detection(rng: Rng) -> Trial:
    rows, said = [], []
    for _ in range(N):
        n, d = int(rng.integers(0, 5)), int(rng.integers(0, 12))
        truths = _segments(rng, n)
        rows.append(({}, {"segments": truths, "labels": rng.integers(3, size=n)}))
        guesses = np.concatenate([truths + rng.normal(0, 0.3, truths.shape), _segments(rng, d)])
        guesses = guesses[guesses[:, 1] > guesses[:, 0]]
        said.append([[*g, int(rng.integers(3)), float(rng.integers(6)) / 5] for g in guesses.tolist()])
    return make(
        Detection(), "events", rows, {"detections": said}, rng, spaces={"actions": ("a", "b", "c", "never")}
    )


def tagging(rng: Rng) -> Trial:
    rows = [({}, {"labels": rng.permutation(30)[: rng.integers(0, 5)]}) for _ in range(N)]
    scores = rng.integers(8, size=(N, 30)).astype(np.float32)
    return make(
        Tagging(), "all-labels", rows, {"scores": scores}, rng, spaces={"tags": tuple(map(str, range(30)))}
    )


def actions(rng: Rng) -> Trial:
    rows = [({}, {"label": int(rng.integers(8))}) for _ in range(N)]
    scores = rng.integers(5, size=(N, 8)).astype(np.float64)
    return make(
        ActionRecognition(), "seen", rows, {"scores": scores}, rng, spaces={"actions": tuple("abcdefgh")}
    )


def gaze(rng: Rng) -> Trial:
    rows = [
        ({"frames": 2}, {"fixations": [rng.random((int(rng.integers(0, 5)), 2)) for _ in range(2)]})
        for _ in range(N)
    ]
    return make(Gaze(), "frames", rows, {"maps": rng.random((N, 2, 49, 49)).round(2)}, rng)


def frames(rng: Rng) -> Trial:
    rows = [({"first_frame": rng.random((2, 3, 3))}, {"frames": rng.random((7, 2, 3, 3))}) for _ in range(N)]
    return make(Reconstruction(), "sentence", rows, {"frames": rng.random((N, 7, 2, 3, 3))}, rng)


def _sets(rng: Rng) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    rows = []
    for _ in range(N):
        mentions, tracks = int(rng.integers(0, 6)), int(rng.integers(1, 6))
        fields = {
            "mentions": np.stack([np.zeros(mentions, dtype=int), np.arange(mentions)], axis=1),
            "track_clip": np.zeros(tracks, dtype=int),
            "sentences": [("[someone]", "waits")],
        }
        targets = {
            "mention_identity": rng.integers(3, size=mentions),
            "track_identity": rng.integers(3, size=tracks),
            "mention_track": rng.integers(-1, tracks, size=mentions),
        }
        rows.append((fields, targets))
    return rows


def _of_sets(protocol: str, column: str, predict: Callable[[Rng, int, int], Any]) -> Callable[[Rng], Trial]:
    def build(rng: Rng) -> Trial:
        rows = _sets(rng)
        values = [predict(rng, len(f["mentions"]), len(f["track_clip"])) for f, _ in rows]
        return make(Reidentification(), protocol, rows, {column: values}, rng)

    return build


def _segments(rng: Rng, n: int) -> Any:
    start = rng.integers(0, 8, size=n)
    return np.stack([start, start + rng.integers(1, 5, size=n)], axis=1).astype(np.float64)


TRIALS: dict[str, Callable[[Rng], Trial]] = {
    "candidates": candidates,
    "spans": spans,
    "spans-tall": spans_tall,
    "detection": detection,
    "tagging": tagging,
    "actions": actions,
    "gaze": gaze,
    "frames": frames,
    "grounding": _of_sets("grounding", "links", lambda rng, m, k: rng.integers(-1, k, size=m).tolist()),
    "video": _of_sets("video", "same", lambda rng, m, k: rng.random((k, k)).tolist()),
    "text": _of_sets("text", "same", lambda rng, m, k: rng.random((m, m)).tolist()),
    "characters": _of_sets("characters", "labels", lambda rng, m, k: rng.integers(3, size=m).tolist()),
}
