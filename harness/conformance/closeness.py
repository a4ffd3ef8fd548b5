"""How far two predictions are apart, measured by their own size: a map of tiny numbers is looked at as closely as any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 1e-3
ROUNDING = 1e-2
"""What of a number's size counts beside the spread: 1e-3 of a hundredth is what single precision loses in a sum."""


def difference(one: Any, other: Any) -> float:
    """The largest gap relative to how far a column's numbers spread; infinite where kinds, shapes or words differ."""
    if isinstance(one, np.ndarray):
        return _of_arrays(one, np.asarray(other))
    mine, theirs = list(_leaves(one)), list(_leaves(other))
    if len(mine) != len(theirs) or any(map(_unlike, mine, theirs)):
        return float("inf")
    measured = [(a, b) for a, b in zip(mine, theirs, strict=True) if _measured(a[1], b[1])]
    gaps = []
    for place in {a[0] for a, _ in measured}:
        pairs = np.array([(a[1], b[1]) for a, b in measured if a[0] == place], dtype=np.float64)
        gaps.append(_of_arrays(pairs[:, 0], pairs[:, 1]))
    return max(gaps, default=0.0)


def _of_arrays(one: NDArray[Any], other: NDArray[Any]) -> float:
    if one.shape != other.shape:
        return float("inf")
    mine, theirs = one.astype(np.float64), other.astype(np.float64)
    gap = float(np.abs(mine - theirs).max(initial=0.0))
    if gap == 0.0:
        return 0.0
    scale = float(mine.max() - mine.min()) + ROUNDING * float(np.abs(mine).max())
    return gap / scale if scale else float("inf")


# --- ragged columns: numbers at the same place of their lists (starts, ends, scores) are compared together ----------


def _leaves(value: Any, place: Any = 0) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        for name in sorted(value):
            yield from _leaves(value[name], name)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield "length", str(len(value))
        for index, item in enumerate(value):
            yield from _leaves(item, index)
    else:
        yield place, value


def _unlike(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    """Whether two leaves differ in more than a measured number."""
    return one[0] != other[0] or (one[1] != other[1] and not _measured(one[1], other[1]))


def _measured(one: Any, other: Any) -> bool:
    """Whether both are numbers and not both counted ones: an index is right or wrong, and never nearly."""
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return numbers and (isinstance(one, float) or isinstance(other, float))
