"""Evaluation: predictions under opaque ids, their averages, and the scores of what was predicted.

This module stays light; torch is imported when a prediction starts, and never to score one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.method import Method
    from reelbench.predictions import Predictions
    from reelbench.stages import Emit
    from reelbench.task import Task


def run_predict(
    spec: Mapping[str, Any],
    *,
    method: Method | None,
    dataset: Dataset,
    task: Task,
    fits: Sequence[Path],
    folder: Path,
    emit: Emit,
) -> dict[str, Any]:
    """Predict a benchmark's split, or a relation's examples, with one fit or several, into ``folder``.

    Parameters
    ----------
    spec
        The predict stage's specification (``docs/record.md``). ``ceiling`` names one of the task's own rows and
        needs no method; ``relation`` is ``[name, split]``. Beside the shared fields: ``batch_size`` (64),
        ``tile_bytes`` and ``matrix_bytes`` (see :mod:`reelbench.evaluation.pairwise`).

    Returns
    -------
    dict
        The predict stage's own fields of the stage record.

    Raises
    ------
    PredictionError
        If the predictions break the task's schema, in one line.
    """
    from reelbench.evaluation.prediction import predict_stage

    return predict_stage(spec, method, dataset, task, fits, folder, emit)


def run_score(
    spec: Mapping[str, Any],
    *,
    method: Method | None,
    dataset: Dataset,
    task: Task,
    predictions: Path,
    folder: Path,
    emit: Emit,
) -> dict[str, Any]:
    """Validate, measure and aggregate the predictions in a folder; write the sheet and the picked examples.

    Returns
    -------
    dict
        The score stage's own fields of the stage record.
    """
    from reelbench.evaluation.scoring import score_stage

    return score_stage(spec, dataset, task, predictions, folder)


def average(members: Sequence[Predictions]) -> Predictions:
    """The mean of every array and matrix column over members, in the first member's order of ids.

    Raises
    ------
    PredictionError
        If members differ in ids or shapes, or a column is text or a list: the method must define ``combine``.
    """
    from reelbench.evaluation.combining import average_members

    return average_members(members)
