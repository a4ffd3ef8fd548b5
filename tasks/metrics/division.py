"""Division where a denominator may be zero: every metric says what an empty case is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def ratio(above: Any, below: Any, *, empty: float | NDArray[np.float64] = np.nan) -> NDArray[np.float64]:
    """``above / below``, broadcast; ``empty`` where ``below`` is not above 0."""
    shape = np.broadcast_shapes(np.shape(above), np.shape(below), np.shape(empty))
    out = np.array(np.broadcast_to(empty, shape), dtype=np.float64)
    np.divide(above, below, out=out, where=np.asarray(below) > 0)
    return out
