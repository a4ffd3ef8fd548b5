"""Score sheets: what is kept of a trial's predictions so that every metric, and every resample of it, is cheap.

``Task.measure`` turns predictions into a sheet once; ``Task.aggregate`` turns a sheet and weights over clusters
into metrics, so that ten thousand bootstrap draws cost a matrix product and no copies of rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # metrics are read when listing, which must not import numpy
    import numpy as np
    from numpy.typing import NDArray

Direction = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A number in a table.

    Attributes
    ----------
    name
        MLflow-safe: letters, digits, ``_`` and ``.`` only (``recall_at_1_iou_0.5``, never ``R@1``).
    title
        What a table's head says (``R@1``).
    direction
        Whether higher or lower is better.
    low, high
        The range of possible values; ``high`` may be infinite.
    percent
        Shown times 100, as the literature does; always *stored* as a fraction.
    spread
        What ``reelbench plan`` assumes before anything ran: the SD over clusters of a difference between two rows, and
        the SD over seeds of one row. By default a quarter and a hundredth of the range.
    interval_only
        Whether no p is shown of a difference, since it moves in steps and no t stands behind one (a median).
    """

    name: str
    title: str
    direction: Direction = "higher"
    low: float = 0.0
    high: float = 1.0
    percent: bool = True
    doc: str = ""
    spread: tuple[float, float] | None = None
    interval_only: bool = False


@dataclass(frozen=True)
class ScoreSheet:
    """Per-example statistics of a trial's predictions.

    Attributes
    ----------
    ids
        The ``n`` scored examples.
    clusters
        ``(n,)`` integer index into ``cluster_names``: the story, video or movie an example belongs to.
    columns
        Statistics with first dimension ``n`` (hits, ranks, n-gram counts, IoU tables).
    constants
        What is not per example (document frequencies, the number of classes).
    """

    ids: tuple[str, ...]
    clusters: NDArray[np.int64]
    cluster_names: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]]
    constants: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.clusters.shape != (n,):
            raise ValueError(f"clusters has shape {self.clusters.shape}, expected ({n},)")
        for name, column in self.columns.items():
            if column.shape[:1] != (n,):
                raise ValueError(f"column {name!r} has shape {column.shape}, expected ({n}, ...)")

    @classmethod
    def build(
        cls,
        ids: tuple[str, ...] | list[str],
        cluster_of: Mapping[str, str],
        columns: Mapping[str, Any],
        constants: Mapping[str, Any] | None = None,
    ) -> ScoreSheet:
        """Make a sheet from a cluster name per id; clusters are numbered by sorted name."""
        import numpy as np

        names = tuple(sorted({cluster_of[i] for i in ids}))
        index = {name: k for k, name in enumerate(names)}
        return cls(
            ids=tuple(ids),
            clusters=np.asarray([index[cluster_of[i]] for i in ids], dtype=np.int64),
            cluster_names=names,
            columns={k: np.asarray(v) for k, v in columns.items()},
            constants={k: np.asarray(v) for k, v in (constants or {}).items()},
        )

    def unit_weights(self) -> NDArray[np.float64]:
        """Weights of one draw in which every cluster counts once, shape ``(1, clusters)``."""
        import numpy as np

        return np.ones((1, len(self.cluster_names)))

    def row_weights(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread cluster weights ``(draws, clusters)`` over rows: ``(draws, n)``."""
        return weights[:, self.clusters]

    def save(self, folder: Path) -> None:
        """Write ``sheet.json`` and ``sheet.safetensors`` into ``folder``."""
        import numpy as np
        from safetensors.numpy import save_file

        arrays = {f"columns/{k}": v for k, v in self.columns.items()}
        arrays |= {f"constants/{k}": v for k, v in self.constants.items()}
        arrays["clusters"] = self.clusters
        folder.mkdir(parents=True, exist_ok=True)
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "sheet.safetensors")
        meta = {"ids": list(self.ids), "cluster_names": list(self.cluster_names)}
        (folder / "sheet.json").write_text(json.dumps(meta), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ScoreSheet:
        """Read what :meth:`save` wrote."""
        from safetensors.numpy import load_file

        meta = json.loads((folder / "sheet.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "sheet.safetensors")
        return cls(
            ids=tuple(meta["ids"]),
            clusters=arrays["clusters"],
            cluster_names=tuple(meta["cluster_names"]),
            columns=_under("columns/", arrays),
            constants=_under("constants/", arrays),
        )


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def weighted_mean(values: NDArray[Any], row_weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of ``values`` ``(n,)`` under each draw's row weights ``(draws, n)``; shape ``(draws,)``.

    A draw whose weights are all zero gives NaN.
    """
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        return (row_weights @ values.astype(np.float64)) / row_weights.sum(axis=1)
