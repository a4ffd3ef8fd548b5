"""The score stage: from kept predictions to metrics, a score sheet, and a few examples worth looking at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.evaluation.picks import write_picks
from reelbench.evaluation.shelf import Shelf
from reelbench.predictions import Predictions
from reelbench.resampling import classes_left_out, clusters_digest, replicate, save_replicates
from reelbench.stages import sheet_digest

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.task import Task

_EVALUATIONS = Shelf(64)  # building one can cost more than scoring with it


def score_stage(
    spec: Mapping[str, Any], dataset: Dataset, task: Task, predictions: Path, folder: Path
) -> dict[str, Any]:
    """See :func:`reelbench.evaluation.run_score`."""
    started = time.perf_counter()
    predicted = Predictions.load(predictions)
    protocol, split = spec["protocol"], spec["split"]
    evaluation = _EVALUATIONS.get(
        dataset, (type(task), protocol, split), lambda: task.evaluation(dataset, protocol, split)
    )
    sheet, metrics = task.score(predicted, evaluation)
    sheet.save(folder)
    save_replicates(replicate(task, sheet), folder)
    write_picks(task, sheet, predicted, evaluation, dataset, folder)
    return {
        "metrics": metrics,
        "examples": len(sheet.ids),
        "clusters": len(sheet.cluster_names),
        "clusters_digest": clusters_digest(sheet.cluster_names),
        "classes": classes_left_out(task, sheet),
        "evaluation_info": dict(evaluation.info),
        "predictions_digest": predicted.digest(),
        "score_seconds": time.perf_counter() - started,
        "digest": sheet_digest(folder),
    }
