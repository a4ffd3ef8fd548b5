"""The examples that a report shows: the best, the worst and the typical ones, with a film strip where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Clip, EvaluationSet
from reelbench.evaluation.shelf import Shelf
from reelbench.stages import write_json

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.predictions import Predictions
    from reelbench.scoring import ScoreSheet
    from reelbench.task import Task

COUNT = 3
_STRIPS = Shelf(1024)  # the easy and the hard clips are the same for many trials


def write_picks(
    task: Task,
    sheet: ScoreSheet,
    predictions: Predictions,
    evaluation: EvaluationSet,
    dataset: Dataset,
    folder: Path,
) -> None:
    """Write ``examples.json`` and ``strips/*.jpg``; a task that does not rank its examples gives an empty list."""
    try:
        scores = np.asarray(task.example_scores(sheet), dtype=np.float64)
    except NotImplementedError:
        scores = np.zeros(0)
    by_id = {e.id: e for e in evaluation.examples}
    row_of = {i: k for k, i in enumerate(predictions.ids)}
    rows: list[dict[str, Any]] = []
    for kind, index in pick(scores):
        example = by_id[sheet.ids[index]]
        targets = evaluation.targets.get(example.id, {})
        shown = task.show(example, targets, predictions.row(row_of[example.id]), evaluation)
        strip = write_strip(
            evaluation.clip_of(example), dataset, folder / "strips" / f"{kind}-{len(rows)}.jpg"
        )
        rows.append({
            "id": example.id, "pick": kind, "score": float(scores[index]), "show": shown, "strip": strip,
            "cluster": evaluation.clusters.get(example.id, ""),
        })  # fmt: skip
    write_json(folder / "examples.json", rows)


def pick(scores: NDArray[np.float64], count: int = COUNT) -> list[tuple[str, int]]:
    """Up to ``count`` of the best, the worst, and those nearest to the median; no example twice."""
    finite = np.flatnonzero(np.isfinite(scores))
    order = finite[np.argsort(-scores[finite], kind="stable")].tolist()
    share = min(count, max(1, len(order) // 3))
    best, worst = order[:share], order[share:][::-1][:share]
    rest = [i for i in order if i not in {*best, *worst}]
    middle = np.median(scores[finite]) if order else 0.0
    typical = sorted(rest, key=lambda i: (abs(scores[i] - middle), i))[:share]
    return [
        (kind, i) for kind, group in (("best", best), ("worst", worst), ("typical", typical)) for i in group
    ]


def write_strip(clip: Clip | None, dataset: Dataset, path: Path) -> str | None:
    """Write a film strip; returns its path inside the stage's folder, or ``None`` where there are no pixels."""
    image = None if clip is None else _STRIPS.get(dataset, clip, lambda: dataset.film_strip(clip))
    if image is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image)
    return f"{path.parent.name}/{path.name}"
