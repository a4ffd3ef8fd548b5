"""Prediction files in a task's schema: JSON lines, a JSON list, Parquet, or a folder as a trial keeps them.

A row is ``{"id": …, column: value, …}``; a matrix (retrieval) is given row by row, ``"scores"`` as ``{gallery id: score}``.
Nothing is unpickled, and everything wrong is counted before anything is scored.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.errors import PredictionError
from reelbench.predictions import META, Predictions

if TYPE_CHECKING:
    from reelbench.data import EvaluationSet
    from reelbench.predictions import Column

SIZE_LIMIT = 2 << 30
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
    rows, faults = _checked(list(_rows(path)), columns, evaluation)
    if faults:
        raise PredictionError(f"{path}: " + "; ".join(faults) + _hint(path, evaluation))
    gallery = tuple(e.id for e in evaluation.gallery)
    values = {
        name: _column([rows[i][name] for i in evaluation.ids], column.kind, gallery)
        for name, column in columns.items()
    }
    return Predictions(evaluation.ids, values, gallery)


def _of_folder(path: Path) -> Predictions:
    if not (path / META).exists():
        raise PredictionError(
            f"{path}: a folder without {META}; give a trial's predictions folder, or a .jsonl, .json or .parquet file"
        )
    return Predictions.load(path)


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """(where, row) of a file; a row that is no JSON comes as its error."""
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise PredictionError(f"{path}: not a readable Parquet file ({error})") from None
        yield from ((f"row {k}", row) for k, row in enumerate(table.to_pylist(), 1))
        return
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PredictionError(f"{path}: not UTF-8 at byte {error.start}") from None
    if path.suffix == ".json":
        yield from _of_json(path, text)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except ValueError as error:
                yield f"line {number}", error


def _of_json(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise PredictionError(f"{path}: not valid JSON: {error}") from None
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
    return ""


def _kind(value: Any) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"


def _column(values: list[Any], kind: str, gallery: Sequence[str]) -> Any:
    """A column as :class:`Predictions` keeps it."""
    if kind in ("text", "ragged"):
        return values
    import numpy as np

    table = [[row[g] for g in gallery] for row in values] if kind == "matrix" else values
    try:
        return np.asarray(table, dtype=np.float64)
    except (ValueError, TypeError):
        raise PredictionError("an array column is not numeric, or its rows differ in shape") from None


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
