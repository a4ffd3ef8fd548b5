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
from reelbench.external import reading
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


def test_a_ragged_array_is_refused_with_the_file_and_the_row(tmp_path):
    path = lines(tmp_path / "p.jsonl", [{"id": i, "scores": [0.0] * (k + 1)} for k, i in enumerate(IDS)])
    with pytest.raises(
        PredictionError, match=r"p\.jsonl: the rows of 'scores' differ in shape: .1,. for a, .2,. for b"
    ):
        read_predictions(path, SCORES, ASKED)
    path = lines(tmp_path / "p.jsonl", rows([[0.0], [0.0, 1.0]]))
    with pytest.raises(PredictionError, match=r"p\.jsonl: 'scores' of a is of no one shape"):
        read_predictions(path, SCORES, ASKED)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([1, None], r"'scores'\[1\] is null, expected a number"),
        ([[1, 2], [3, None]], r"'scores'\[1\]\[1\] is null, expected a number"),
        (["0.5", 1], r"'scores'\[0\] is a str, expected a number"),
        ([{"a": 1}], r"'scores'\[0\] is a dict, expected a number"),
        ([10**400], r"'scores'\[0\] is a int, expected a number"),
    ],
)
def test_what_is_no_number_in_an_array_is_malformed_and_has_a_place(tmp_path, value, why):
    given_rows = [{"id": "a", "scores": [0, 1]}, {"id": "b", "scores": value}, {"id": "c", "scores": value}]
    with pytest.raises(PredictionError, match=f"2 malformed .first line 2: {why}"):
        read_predictions(lines(tmp_path / "p.jsonl", given_rows), SCORES, ASKED)


def test_nothing_is_missing_in_a_parquet_array_a_matrix_or_a_ragged_column(tmp_path):
    pq.write_table(pa.table({"id": list(IDS), "scores": [[1.0, None]] * 3}), tmp_path / "p.parquet")
    with pytest.raises(PredictionError, match=r"3 malformed .first row 1: 'scores'\[1\] is null"):
        read_predictions(tmp_path / "p.parquet", SCORES, ASKED)
    path = lines(tmp_path / "p.jsonl", [{"id": i, "scores": {"g0": 1, "g1": "2"}} for i in IDS])
    with pytest.raises(PredictionError, match=r"'scores'\['g1'\] is a str, expected a number"):
        read_predictions(path, MATRIX, PAIRED)
    path = lines(tmp_path / "p.jsonl", [{"id": i, "spans": [["said", 1], [None]]} for i in IDS])
    with pytest.raises(PredictionError, match=r"'spans'\[1\]\[0\] is null, expected a value"):
        read_predictions(path, {"spans": Column("ragged", "spans")}, ASKED)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0c", "\x1c"])
def test_only_a_line_end_ends_a_line(tmp_path, separator):
    said = f"one{separator}two"
    text = "\r\n".join(json.dumps({"id": i, "caption": said}, ensure_ascii=False) for i in IDS)
    if separator in "\x0c\x1c":  # JSON has these escaped within a string, and may have them nowhere else
        text = "\n".join(f'{{"id": "{i}", "caption": "{said}"}}' for i in IDS)
        (tmp_path / "p.jsonl").write_text(text, encoding="utf-8")
        with pytest.raises(PredictionError, match=r"3 malformed .first line 1"):
            read_predictions(tmp_path / "p.jsonl", CAPTION, ASKED)
        return
    (tmp_path / "p.jsonl").write_bytes(text.encode())
    assert read_predictions(tmp_path / "p.jsonl", CAPTION, ASKED).columns["caption"] == [said] * 3


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_json_nested_too_deeply_is_one_line(tmp_path, suffix):
    (tmp_path / f"p.{suffix}").write_text("[" * 200_000)
    with pytest.raises(PredictionError, match="nested too deeply") as refused:
        read_predictions(tmp_path / f"p.{suffix}", SCORES, ASKED)
    assert "\n" not in str(refused.value)


def test_a_value_nested_too_deeply_is_malformed(tmp_path):
    deep = "[" * 400 + "1" + "]" * 400
    path = lines(tmp_path / "p.jsonl", [f'{{"id": "{i}", "scores": {deep}}}' for i in IDS])
    for kind in ("array", "ragged"):
        with pytest.raises(
            PredictionError, match=r"3 malformed .first line 1: 'scores' is nested too deeply"
        ):
            read_predictions(path, {"scores": Column(kind, "")}, ASKED)


def repeated(path: Path, *, use_dictionary: bool) -> pq.FileMetaData:
    """A small file of many rows; returns what it says of itself."""
    pq.write_table(
        pa.table({"id": [f"e{k}" for k in range(300)], "caption": ["x" * 1000] * 300}),
        path, use_dictionary=use_dictionary, write_statistics=False,
    )  # fmt: skip
    assert path.stat().st_size < 30_000
    return pq.ParquetFile(path).metadata


def test_a_parquet_file_of_too_many_rows_is_not_read(tmp_path, monkeypatch):
    repeated(tmp_path / "p.parquet", use_dictionary=True)
    monkeypatch.setattr(reading, "ROW_LIMIT", 299)
    with pytest.raises(PredictionError, match="has 300 rows, more than 299"):
        read_predictions(tmp_path / "p.parquet", CAPTION, ASKED)


@pytest.mark.parametrize(
    "use_dictionary", [False, True]
)  # with one, what is repeated is in the file but once
def test_a_parquet_file_that_unpacks_to_too_much_is_not_read(tmp_path, monkeypatch, use_dictionary):
    about = repeated(tmp_path / "p.parquet", use_dictionary=use_dictionary)
    assert (about.row_group(0).total_byte_size < 100_000) == use_dictionary
    monkeypatch.setattr(reading, "SIZE_LIMIT", 100_000)
    with pytest.raises(PredictionError, match="larger than 0 GiB when unpacked"):
        read_predictions(tmp_path / "p.parquet", CAPTION, ASKED)


def test_a_folder_whose_description_is_bare_is_one_line(tmp_path):
    Predictions(IDS, {"scores": np.ones((3, 2))}).save(tmp_path / "kept")
    about = json.loads((tmp_path / "kept/predictions.json").read_text())
    (tmp_path / "kept/predictions.json").write_text(json.dumps({"kinds": about["kinds"]}))
    with pytest.raises(PredictionError, match="lacks what a predictions folder says"):
        read_predictions(tmp_path / "kept", SCORES, ASKED)


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
