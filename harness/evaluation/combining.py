"""The mean of several members' predictions: of an ensemble's fits, or of a fit's last checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.errors import PredictionError
from reelbench.predictions import Predictions


def average_members(members: Sequence[Predictions]) -> Predictions:
    """See :func:`reelbench.evaluation.average`."""
    first = members[0]
    if len(members) == 1:
        return first
    aligned = [_align(member, first) for member in members]
    columns = {name: _mean(name, [m[name] for m in aligned]) for name in first.columns}
    return Predictions(first.ids, columns, first.gallery_ids, first.info)


def _align(member: Predictions, first: Predictions) -> dict[str, Any]:
    """A member's columns in the first one's order."""
    if set(member.ids) != set(first.ids) or set(member.columns) != set(first.columns):
        raise PredictionError("members of an ensemble differ in ids or columns and cannot be averaged")
    if member.gallery_ids != first.gallery_ids:
        raise PredictionError("members of an ensemble differ in their gallery and cannot be averaged")
    at = {i: k for k, i in enumerate(member.ids)}
    order = [at[i] for i in first.ids]
    return {
        k: c[order] if isinstance(c, np.ndarray) else [c[i] for i in order] for k, c in member.columns.items()
    }


def _mean(name: str, columns: Sequence[Any]) -> NDArray[np.float32]:
    if not all(isinstance(c, np.ndarray) for c in columns):
        raise PredictionError(
            f"column {name!r} is not numeric and cannot be averaged over {len(columns)} members; the method must define combine(members, ctx)"
        )
    shapes = {c.shape for c in columns}
    if len(shapes) > 1:
        raise PredictionError(f"column {name!r} has different shapes over members: {sorted(shapes)}")
    return np.asarray(np.mean(columns, axis=0, dtype=np.float64), dtype=np.float32)
