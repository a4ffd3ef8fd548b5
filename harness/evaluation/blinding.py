"""Examples as a method sees them: opaque ids, no answers, an order that says nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reelbench.data import Example
from reelbench.predictions import Predictions
from reelbench.seeding import derive_seed, stream_of


@dataclass(frozen=True)
class Blinded:
    """Examples in a permuted order under ids of that order.

    Attributes
    ----------
    ids
        The true ids, in the original order.
    places
        Where in ``examples`` each of them went: ``examples[places[i]]`` is ``ids[i]``.
    streams
        Each blinded example's random stream, a function of its true id.
    """

    examples: tuple[Example, ...]
    ids: tuple[str, ...]
    places: tuple[int, ...]
    streams: tuple[int, ...]


def blind(
    examples: Sequence[Example], seed: int, kind: str, inputs: Collection[str] | None = None
) -> Blinded:
    """Hide ids, answers and order.

    Parameters
    ----------
    kind
        How the opaque ids start: ``query``, ``gallery``.
    inputs
        Fields that the task declares; others are hidden too, but for ``x_pos`` and ``x_head`` of a text ``x``. All are
        shown where ``None``.
    """
    order = np.random.default_rng(derive_seed(seed, "blind", kind)).permutation(len(examples)).tolist()
    hidden = tuple(
        Example(f"{kind}-{k:06d}", _shown(examples[i].fields, inputs)) for k, i in enumerate(order)
    )
    places = tuple(np.argsort(order).tolist()) if order else ()
    return Blinded(
        hidden, tuple(e.id for e in examples), places, tuple(stream_of(examples[i].id) for i in order)
    )


def _shown(fields: Mapping[str, Any], inputs: Collection[str] | None) -> Mapping[str, Any]:
    if inputs is None:
        return fields
    return {k: v for k, v in fields.items() if k.removesuffix("_pos").removesuffix("_head") in inputs}


def unblind(
    predictions: Predictions, queries: Blinded, gallery: Blinded | None, matrices: Sequence[str]
) -> Predictions:
    """Predictions under true ids and in the original order.

    Parameters
    ----------
    matrices
        Columns whose second axis is the gallery.
    """
    rows = list(queries.places)
    columns = {k: _take(c, rows) for k, c in predictions.columns.items()}
    if gallery is None:
        return Predictions(queries.ids, columns, (), predictions.info)
    across = {k: np.ascontiguousarray(columns[k][:, list(gallery.places)]) for k in matrices}
    return Predictions(queries.ids, {**columns, **across}, gallery.ids, predictions.info)


def _take(column: Any, rows: list[int]) -> Any:
    return column[rows] if isinstance(column, np.ndarray) else [column[i] for i in rows]


def matrix_columns(schema: Mapping[str, Any]) -> list[str]:
    """Names of a task's matrix columns."""
    return [name for name, column in schema.items() if column.kind == "matrix"]
