"""What every task needs to read predictions: the protocol's name, rows in the evaluation's order, ragged columns.

Each check raises a :class:`~reelbench.errors.PredictionError` that names the first example that is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.errors import PredictionError

if TYPE_CHECKING:
    from reelbench.data import EvaluationSet
    from reelbench.predictions import Predictions


def protocol_of(evaluation: EvaluationSet) -> str:
    """The protocol in a benchmark's canonical name: ``spans`` in ``localization@charades:spans``."""
    return evaluation.benchmark.rpartition(":")[2]


def order_of(predictions: Predictions, evaluation: EvaluationSet) -> NDArray[np.int64]:
    """Where each evaluation example stands in the predictions, ``(n,)``; ids must have been checked."""
    position = {example_id: k for k, example_id in enumerate(predictions.ids)}
    return np.asarray([position[i] for i in evaluation.ids], dtype=np.int64)


def ragged_column(predictions: Predictions, name: str) -> dict[str, Any]:
    """A ragged column as id → value.

    Raises
    ------
    PredictionError
        If the column is missing or has not one value an example.
    """
    if name not in predictions.columns:
        raise PredictionError(f"predictions have no column {name!r}; they have {sorted(predictions.columns)}")
    column = predictions.columns[name]
    if len(column) != len(predictions.ids):
        raise PredictionError(f"column {name!r} has {len(column)} rows for {len(predictions.ids)} examples")
    return dict(zip(predictions.ids, column, strict=True))


def number_table(value: Any, shape: tuple[int | None, ...], where: str) -> NDArray[np.float64]:
    """A nested list of numbers as an array of the given shape (``None`` accepts any size).

    Raises
    ------
    PredictionError
        If it is not numeric, of another shape or not finite; ``where`` names column and example.
    """
    try:
        table = np.asarray(value, dtype=np.float64)
    except (ValueError, TypeError):
        raise PredictionError(f"{where} is not a table of numbers") from None
    if table.size == 0 and shape[0] in (0, None):
        table = table.reshape(tuple(size or 0 for size in shape))
    if table.ndim != len(shape) or any(
        s is not None and s != t for s, t in zip(shape, table.shape, strict=True)
    ):
        wanted = " x ".join("n" if size is None else str(size) for size in shape)
        raise PredictionError(
            f"{where} has shape {' x '.join(map(str, table.shape)) or 'of one number'}, expected {wanted}"
        )
    if not np.isfinite(table).all():
        raise PredictionError(f"{where} holds NaN or infinity")
    return table
