"""Prediction files in a task's schema: JSON lines, a JSON list, Parquet, or a folder as a trial keeps them.

A row is ``{"id": …, column: value, …}``; a matrix (retrieval) is given row by row, ``"scores"`` as ``{gallery id: score}``.
Nothing is unpickled, and everything wrong is counted before anything is scored.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.errors import PredictionError
from reelbench.predictions import META, Predictions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelbench.data import EvaluationSet
    from reelbench.predictions import Column

SIZE_LIMIT = 2 << 30
ROW_LIMIT = 1_000_000
BATCH = 1024
DEPTH_LIMIT = 16
"""No column is nested as deep as this."""
Row = Mapping[str, Any]


def read_predictions(path: Path, columns: Mapping[str, Column], evaluation: EvaluationSet) -> Predictions:
    """The predictions of a file for every example of an evaluation set, in its order.

    Raises
    ------
    PredictionError
        With one line: how many examples are missing, unknown, repeated or malformed, and the first of each.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise PredictionError(f"{path}: there is no such file")
    if path.stat().st_size > SIZE_LIMIT:
        raise PredictionError(f"{path}: larger than {SIZE_LIMIT >> 30} GiB")
    rows, faults = _checked(list(_rows(path, columns)), columns, evaluation)
    if faults:
        raise PredictionError(f"{path}: " + "; ".join(faults) + _hint(path, evaluation))
    gallery = tuple(e.id for e in evaluation.gallery)
    values = {
        name: _column(path, name, {i: rows[i][name] for i in evaluation.ids}, column.kind, gallery)
        for name, column in columns.items()
    }
    return Predictions(evaluation.ids, values, gallery)


def _of_folder(path: Path) -> Predictions:
    if not (path / META).exists():
        raise PredictionError(
            f"{path}: a folder without {META}; give a trial's predictions folder, or a .jsonl, .json or .parquet file"
        )
    try:
        return Predictions.load(path)
    except (KeyError, TypeError, AttributeError):
        raise PredictionError(f"{path}: {META} lacks what a predictions folder says of itself") from None


def _rows(path: Path, columns: Mapping[str, Column]) -> Iterator[tuple[str, Any]]:
    """(where, row) of a file; a row that is no JSON comes as its error."""
    if path.suffix == ".parquet":
        yield from _of_parquet(path, ["id", *columns])
        return
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PredictionError(f"{path}: not UTF-8 at byte {error.start}") from None
    if path.suffix == ".json":
        yield from _of_json(path, text)
        return
    for number, line in enumerate(
        text.split("\n"), 1
    ):  # splitlines would also split at U+2028 within a string
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except ValueError as error:
                yield f"line {number}", error
            except RecursionError:
                yield f"line {number}", ValueError("nested too deeply")


def _of_parquet(path: Path, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Rows of the columns that are asked for; a file says how large it is before anything of it is unpacked."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            about = file.metadata
            size = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
            if about.num_rows > ROW_LIMIT:
                raise PredictionError(f"{path}: has {about.num_rows} rows, more than {ROW_LIMIT}")
            if size > SIZE_LIMIT:
                raise PredictionError(f"{path}: larger than {SIZE_LIMIT >> 30} GiB when unpacked")
            there = [name for name in names if name in file.schema_arrow.names]
            number, unpacked = 0, 0
            for batch in file.iter_batches(BATCH, columns=there):
                unpacked += batch.nbytes  # a repeated value is one in the file and many here
                if unpacked > SIZE_LIMIT:
                    raise PredictionError(f"{path}: larger than {SIZE_LIMIT >> 30} GiB when unpacked")
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        raise PredictionError(f"{path}: not a readable Parquet file ({error})") from None


def _of_json(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise PredictionError(f"{path}: not valid JSON: {error}") from None
    except RecursionError:
        raise PredictionError(f"{path}: not valid JSON: nested too deeply") from None
    if not isinstance(value, list):
        raise PredictionError(
            f"{path}: holds a {type(value).__name__}, expected a list of objects with an id each"
        )
    yield from ((f"item {k}", row) for k, row in enumerate(value, 1))


def _checked(
    found: Sequence[tuple[str, Any]], columns: Mapping[str, Column], evaluation: EvaluationSet
) -> tuple[dict[str, Row], list[str]]:
    """Rows by id, and a line for each kind of fault."""
    gallery = {e.id for e in evaluation.gallery}
    rows: dict[str, Row] = {}
    malformed: list[str] = []
    counts: Counter[str] = Counter()
    for where, row in found:
        if problem := _problem(row, columns, gallery):
            malformed.append(f"{where}: {problem}")
            continue
        counts[row["id"]] += 1
        rows[row["id"]] = row
    wanted = set(evaluation.ids)
    malformed_ids = {
        r["id"] for _, r in found if isinstance(r, dict) and isinstance(r.get("id"), str)
    } - rows.keys()
    faults = [
        _told(len(malformed), "malformed", malformed[:1]),
        _told(len(wanted - rows.keys() - malformed_ids), f"of {len(wanted)} examples missing", sorted(wanted - rows.keys() - malformed_ids)[:1]),
        _told(len(rows.keys() - wanted), "unknown", sorted(rows.keys() - wanted)[:1]),
        _told(sum(n > 1 for n in counts.values()), "repeated", [i for i, n in counts.items() if n > 1][:1]),
    ]  # fmt: skip
    return rows, [fault for fault in faults if fault]


def _told(count: int, what: str, first: Sequence[str]) -> str:
    return f"{count} {what} (first {first[0]})" if count else ""


def _problem(row: Any, columns: Mapping[str, Column], gallery: set[str]) -> str:
    """What is wrong with one row; empty if nothing is that can be seen without the task."""
    if isinstance(row, ValueError):
        return f"not JSON: {row}"
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        return "no object with an id"
    for name, column in columns.items():
        value = row.get(name)
        if column.kind == "text" and not isinstance(value, str):
            return f"{name!r} is {_kind(value)}, expected text"
        if column.kind in ("array", "ragged") and not isinstance(value, list):
            return f"{name!r} is {_kind(value)}, expected a list"
        if column.kind == "matrix" and not (isinstance(value, dict) and set(value) == gallery):
            return f"{name!r} must have a score for each of the {len(gallery)} gallery ids and no other"
        if column.kind != "text" and (problem := _problem_inside(value, column.kind)):
            return f"{name!r}{problem}"
    return ""


def _problem_inside(value: Any, kind: str) -> str:
    """What is wrong in a column's value and where; only numbers may be in an array, and nothing may be missing."""
    left: list[tuple[str, int, Any]] = [("", 1, value)]
    while left:  # not recursive: what was just read may be nested as deep as the stack allows
        place, depth, several = left.pop()
        if depth > DEPTH_LIMIT:
            return " is nested too deeply"
        for key, item in several.items() if isinstance(several, dict) else enumerate(several):
            if (isinstance(item, list) and kind != "matrix") or (isinstance(item, dict) and kind == "ragged"):
                left.append((f"{place}[{key!r}]", depth + 1, item))
            elif item is None or (kind != "ragged" and not _is_number(item)):
                found = "null" if item is None else _kind(item)
                return (
                    f"{place}[{key!r}] is {found}, expected {'a value' if kind == 'ragged' else 'a number'}"
                )
    return ""


def _is_number(value: Any) -> bool:
    """Whether it is one, and no larger than an array can keep."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= sys.float_info.max)


def _kind(value: Any) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"


def _column(path: Path, name: str, values: Mapping[str, Any], kind: str, gallery: Sequence[str]) -> Any:
    """A column as :class:`Predictions` keeps it."""
    if kind in ("text", "ragged"):
        return list(values.values())
    import numpy as np

    if kind == "matrix":
        return np.asarray([[row[g] for g in gallery] for row in values.values()], dtype=np.float64)
    arrays: list[NDArray[np.float64]] = []
    for i, value in values.items():
        try:
            arrays.append(np.asarray(value, dtype=np.float64))
        except ValueError:
            raise PredictionError(f"{path}: {name!r} of {i} is of no one shape") from None
        if arrays[-1].shape != arrays[0].shape:
            first = next(iter(values))
            raise PredictionError(
                f"{path}: the rows of {name!r} differ in shape: {arrays[0].shape} for {first}, {arrays[-1].shape} for {i}"
            )
    return np.stack(arrays)


def _hint(path: Path, evaluation: EvaluationSet) -> str:
    return f". `reelbench score --benchmark {evaluation.benchmark} --questions FILE` writes what has to be answered"


def write_questions(path: Path, columns: Mapping[str, Column], evaluation: EvaluationSet) -> None:
    """One JSON line an example: its id, what it shows, and the columns to be filled in."""
    gallery = [e.id for e in evaluation.gallery]
    with path.open("w", encoding="utf-8") as file:
        for example in evaluation.examples:
            blank = {
                name: dict.fromkeys(gallery) if c.kind == "matrix" else None for name, c in columns.items()
            }
            shown = {name: _plain(value) for name, value in example.fields.items()}
            file.write(json.dumps({"id": example.id, "shown": shown, **blank}, ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    """A field as JSON: clips by their seconds, arrays as lists."""
    if hasattr(value, "start_s"):
        return {"video": value.video, "start_s": value.start_s, "end_s": value.end_s}
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
