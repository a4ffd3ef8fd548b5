"""Prediction files from elsewhere: every format, every fault counted, nothing recorded of what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelbench.data import Clip, EvaluationSet, Example
from reelbench.errors import PredictionError
from reelbench.external.reading import read_predictions, write_questions
from reelbench.predictions import Column, Predictions

IDS = ("a", "b", "c")
ASKED = EvaluationSet("x@y:z", "test", [Example(i, {"video": Clip(i)}) for i in IDS], {}, {})
SCORES = {"scores": Column("array", "(2,)")}
CAPTION = {"caption": Column("text", "one")}
MATRIX = {"scores": Column("matrix", "(Q, G)")}
PAIRED = EvaluationSet(
    "retrieval@y:z", "test", ASKED.examples, {}, {}, gallery=[Example("g1", {}), Example("g0", {})]
)


def lines(path: Path, rows: list[object]) -> Path:
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), encoding="utf-8")
    return path


def rows(value: object = (0.5, 1)) -> list[dict[str, object]]:
    return [{"id": i, "scores": value} for i in reversed(IDS)]


def test_json_lines_come_out_in_the_order_of_the_questions(tmp_path):
    found = read_predictions(
        lines(tmp_path / "p.jsonl", [{"id": i, "scores": [k, 0]} for k, i in enumerate("cab")]), SCORES, ASKED
    )
    assert found.ids == IDS
    assert found.columns["scores"].tolist() == [[1, 0], [2, 0], [0, 0]]


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_other_formats_say_the_same(tmp_path, suffix):
    path = tmp_path / f"p{suffix}"
    if suffix == ".json":
        path.write_text(json.dumps(rows()))
    else:
        pq.write_table(pa.table({"id": list(IDS), "scores": [[0.5, 1.0]] * 3}), path)
    assert read_predictions(path, SCORES, ASKED).columns["scores"].tolist() == [[0.5, 1]] * 3


def test_a_trials_own_folder_is_read(tmp_path):
    Predictions(IDS, {"scores": np.ones((3, 2))}).save(tmp_path / "kept")
    assert read_predictions(tmp_path / "kept", SCORES, ASKED).ids == IDS


def test_a_matrix_is_given_by_gallery_ids(tmp_path):
    given_rows = [{"id": i, "scores": {"g0": k, "g1": -k}} for k, i in enumerate(IDS)]
    found = read_predictions(lines(tmp_path / "p.jsonl", given_rows), MATRIX, PAIRED)
    assert found.gallery_ids == ("g1", "g0")
    assert found.columns["scores"].tolist() == [[0, 0], [-1, 1], [-2, 2]]


def test_a_matrix_row_must_cover_the_gallery(tmp_path):
    path = lines(tmp_path / "p.jsonl", [{"id": i, "scores": {"g0": 1}} for i in IDS])
    with pytest.raises(
        PredictionError, match=r"3 malformed .first line 1: 'scores' must have a score for each of the 2"
    ):
        read_predictions(path, MATRIX, PAIRED)


def test_everything_wrong_is_counted_at_once(tmp_path):
    given_rows = [
        "nonsense",
        {"id": "a", "caption": "x"},
        {"id": "a", "caption": "x"},
        {"id": "z", "caption": "x"},
        {"id": "b", "caption": 3},
    ]
    with pytest.raises(PredictionError) as refused:
        read_predictions(lines(tmp_path / "p.jsonl", given_rows), CAPTION, ASKED)
    told = str(refused.value)
    assert "2 malformed (first line 1: not JSON" in told
    assert "1 of 3 examples missing (first c)" in told
    assert "1 unknown (first z)" in told
    assert "1 repeated (first a)" in told
    assert "--questions FILE" in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("p.json", "{", "not valid JSON"),
        ("p.json", '{"a": 1}', "holds a dict, expected a list"),
        ("p.parquet", "x", "not a readable Parquet file"),
        ("none.jsonl", None, "there is no such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, name, text, why):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(PredictionError, match=why) as refused:
        read_predictions(tmp_path / name, SCORES, ASKED)
    assert "\n" not in str(refused.value)


def test_a_ragged_array_is_refused(tmp_path):
    path = lines(tmp_path / "p.jsonl", [{"id": i, "scores": [0.0] * (k + 1)} for k, i in enumerate(IDS)])
    with pytest.raises(PredictionError, match="rows differ in shape"):
        read_predictions(path, SCORES, ASKED)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2))
def test_numbers_arrive_as_they_were_written(tmp_path_factory, values):
    path = lines(tmp_path_factory.mktemp("n") / "p.jsonl", rows(values))  # type: ignore[arg-type]
    assert read_predictions(path, SCORES, ASKED).columns["scores"].tolist() == [values] * 3


def test_filled_in_questions_are_answers(tmp_path):
    path = tmp_path / "q.jsonl"
    write_questions(path, SCORES, ASKED)
    asked = [json.loads(line) for line in path.read_text().splitlines()]
    assert asked[0] == {
        "id": "a",
        "shown": {"video": {"video": "a", "start_s": 0.0, "end_s": None}},
        "scores": None,
    }
    answered = lines(tmp_path / "p.jsonl", [row | {"scores": [1, 2]} for row in asked])
    assert read_predictions(answered, SCORES, ASKED).ids == IDS
