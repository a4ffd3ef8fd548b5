"""Predictions as they are kept: a table with one row an example, and dense arrays beside it.

Saved as Parquet and safetensors (nothing is unpickled), with a digest that a later reader can check.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reelbench.errors import PredictionError

if TYPE_CHECKING:  # schemas are read when listing, which must not import numpy
    from numpy.typing import NDArray

TABLE, DENSE, META = "predictions.parquet", "predictions.safetensors", "predictions.json"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a task's prediction schema.

    ``text``: a string an example; ``ragged``: a JSON-like list an example (spans, links); ``array``: numbers of
    one shape an example, kept together as ``(n, *shape)``; ``matrix``: one ``(queries, gallery)`` array.
    """

    kind: Literal["text", "ragged", "array", "matrix"]
    doc: str


@dataclass(frozen=True)
class Predictions:
    """What a trial predicted.

    ``columns[name][i]`` belongs to ``ids[i]``; an ``array`` column is a numpy array ``(n, ...)``, a ``matrix``
    column ``(n, len(gallery_ids))``, the others are lists.
    """

    ids: tuple[str, ...]
    columns: Mapping[str, Any]
    gallery_ids: tuple[str, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)

    def row(self, index: int) -> dict[str, Any]:
        """The columns of one example."""
        return {name: column[index] for name, column in self.columns.items()}

    def digest(self) -> str:
        """SHA-256 over ids and values, independent of the file format and of the order of columns."""
        import numpy as np

        h = hashlib.sha256(json.dumps([self.ids, self.gallery_ids]).encode())
        for name in sorted(self.columns):
            column = self.columns[name]
            h.update(name.encode())
            if isinstance(column, np.ndarray):
                h.update(f"{column.dtype.str}{column.shape}".encode())
                h.update(np.ascontiguousarray(column).tobytes())
            else:
                h.update(json.dumps(list(column), sort_keys=True).encode())
        return h.hexdigest()

    def save(self, folder: Path) -> None:
        """Write the table, the dense arrays and a small description into ``folder``."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        dense = {k: np.ascontiguousarray(v) for k, v in self.columns.items() if isinstance(v, np.ndarray)}
        loose = {
            k: [v if isinstance(v, str) else json.dumps(v) for v in c]
            for k, c in self.columns.items()
            if k not in dense
        }
        kinds = {k: "text" if all(isinstance(v, str) for v in self.columns[k]) else "json" for k in loose}
        pq.write_table(pa.table({"id": list(self.ids), **loose}), folder / TABLE)
        save_file(dense, folder / DENSE)
        meta = {
            "gallery_ids": list(self.gallery_ids),
            "kinds": kinds,
            "info": dict(self.info),
            "digest": self.digest(),
        }
        (folder / META).write_text(json.dumps(meta), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Predictions:
        """Read what :meth:`save` wrote.

        Raises
        ------
        PredictionError
            If the files are damaged or their digest is not the one that was written.
        """
        import pyarrow.parquet as pq
        from safetensors.numpy import load_file

        try:
            meta = json.loads((folder / META).read_text(encoding="utf-8"))
            table = pq.read_table(folder / TABLE).to_pydict()
            ids = tuple(table.pop("id"))
            columns: dict[str, Any] = {
                k: c if meta["kinds"][k] == "text" else [json.loads(v) for v in c] for k, c in table.items()
            }
            columns |= load_file(folder / DENSE)
        except Exception as error:
            raise PredictionError(
                f"{folder}: predictions cannot be read ({error}); delete the folder to make them again"
            ) from error
        loaded = cls(ids, columns, tuple(meta["gallery_ids"]), meta["info"])
        if loaded.digest() != meta["digest"]:
            raise PredictionError(
                f"{folder}: predictions differ from the digest written with them; delete the folder to make them again"
            )
        return loaded


def as_array(predictions: Predictions, name: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """The named array column, checked.

    Parameters
    ----------
    shape
        Expected shape without the first axis; ``None`` accepts any size.

    Raises
    ------
    PredictionError
        If the column is missing, of another shape, not numeric, or holds NaN or infinity.
    """
    import numpy as np

    if name not in predictions.columns:
        raise PredictionError(f"predictions have no column {name!r}; they have {sorted(predictions.columns)}")
    try:
        value = np.asarray(predictions.columns[name])
        finite = bool(np.isfinite(value).all())
    except (ValueError, TypeError):
        raise PredictionError(f"column {name!r} is not numeric, or its rows differ in shape") from None
    expected = (len(predictions.ids), *shape)
    if value.ndim != len(expected) or any(
        e is not None and e != s for s, e in zip(value.shape, expected, strict=True)
    ):
        raise PredictionError(f"column {name!r} has shape {value.shape}, expected {expected}")
    if not finite:
        bad = np.argwhere(~np.isfinite(value))[0]
        raise PredictionError(f"column {name!r} is not finite for example {predictions.ids[bad[0]]!r}")
    return value


def check_ids(predictions: Predictions, expected: tuple[str, ...]) -> None:
    """Raise :class:`PredictionError` on missing, duplicate or unknown ids, naming the first of each."""
    got = predictions.ids
    problems = []
    if len(set(got)) != len(got):
        seen: set[str] = set()
        repeated = sorted({i for i in got if i in seen or seen.add(i)})  # type: ignore[func-returns-value]
        problems.append(f"{len(repeated)} duplicate ids (first {repeated[0]!r})")
    if missing := sorted(set(expected) - set(got)):
        problems.append(f"{len(missing)} missing ids (first {missing[0]!r})")
    if extra := sorted(set(got) - set(expected)):
        problems.append(f"{len(extra)} unknown ids (first {extra[0]!r})")
    if problems:
        raise PredictionError("predictions have " + ", ".join(problems))
