"""Papers' numbers beside a benchmark's rows: which number stands by which row, and in every format."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from synthetic import BENCHMARK, HOSTILE, Synthetic

from reelbench.reports.formats import delimited, latex, markdown, structured
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import Board, boards
from reelbench.reports.tables import Line, Table, board_table

NUMBER: dict[str, Any] = {
    "benchmark": "retrieval@lsmdc:1k", "metric": "recall_at_1", "value": 0.102, "table": "Table 5.2",
    "split": "test", "protocol": "1,000 pairs",
}  # fmt: skip


def board_of(synthetic: Synthetic, *reported: object, benchmark: str = BENCHMARK, seeds: int = 1) -> Board:
    """A board of JSFusion, whose paper prints these, its ablation and a baseline."""
    paper = {"paper": {"reported": list(reported)}}
    for seed in range(seeds):
        synthetic.trial("jsfusion", benchmark=benchmark, record=paper, seed=seed)
        synthetic.trial("jsfusion", variant="no-attention", benchmark=benchmark, record=paper, seed=seed)
        synthetic.trial("vse", role="baseline", benchmark=benchmark, seed=seed)
    (board,) = boards(load(synthetic.uri))
    return board


def line_of(table: Table, method: str, variant: str = "full") -> Line:
    found = [line for section in table.sections for line in section.lines]
    return next(x for x in found if (x.row.tag("method"), x.row.tag("variant")) == (method, variant))


def shown(table: Table, method: str, variant: str = "full") -> list[tuple[str, str]]:
    return [(e.text, e.source) for e in line_of(table, method, variant).paper]


def test_a_number_of_another_dataset_stands_by_its_row_with_its_source(synthetic: Synthetic):
    table = board_table(board_of(synthetic, NUMBER))
    assert shown(table, "jsfusion") == [("10.2", "lsmdc · 1k · Table 5.2")]
    assert line_of(table, "vse").paper_text == "–"
    assert "never ranked. Protocols: lsmdc:1k (1,000 pairs); here: " in table.notes[-1]


def test_a_table_without_any_has_no_such_column(synthetic: Synthetic):
    table = board_table(board_of(synthetic))
    assert not table.has_paper
    assert "Paper" not in markdown.render(table)
    assert "Paper" not in latex.render(table)
    assert not any("never ranked" in note for note in table.notes)


def test_rows_of_others_in_a_papers_table_stand_by_the_others(synthetic: Synthetic):
    others = NUMBER | {"method": "vse", "value": 0.05}
    table = board_table(board_of(synthetic, others, NUMBER | {"variant": "no-attention", "value": 0.08}))
    assert shown(table, "vse") == [("5.0", "lsmdc · 1k · Jsfusion, Table 5.2")]
    assert shown(table, "jsfusion", "no-attention") == [("8.0", "lsmdc · 1k · Table 5.2")]
    assert shown(table, "jsfusion") == []


def test_the_boards_own_benchmark_comes_first_and_the_test_split_before_validation(synthetic: Synthetic):
    several = (
        NUMBER | {"split": "validation", "value": 0.3},
        NUMBER,
        NUMBER | {"benchmark": "retrieval@msrvtt:1k-a", "value": 0.2, "split": "validation"},
        NUMBER | {"benchmark": "retrieval@microworld/small:1k", "value": 0.4},
    )
    table = board_table(board_of(synthetic, *several, benchmark="retrieval@microworld/small:1k"))
    # 1k is the board's own protocol by name, so that MSR-VTT's 1k-a is another one
    assert shown(table, "jsfusion") == [("40.0", "same benchmark · Table 5.2"), ("10.2", "lsmdc · Table 5.2")]
    assert len(line_of(table, "jsfusion").published) == 3


def test_of_several_protocols_only_that_of_the_boards_name_counts(synthetic: Synthetic):
    several = [NUMBER | {"benchmark": f"retrieval@activitynet:{p}"} for p in ("paragraph", "uniform-4")]
    assert not board_table(board_of(synthetic, *several)).has_paper


def test_another_metric_says_its_name_and_one_that_the_board_has_not_is_left_out(synthetic: Synthetic):
    table = board_table(board_of(synthetic, NUMBER | {"metric": "cider", "value": 0.41}))
    assert shown(table, "jsfusion") == [("0.410", "CIDEr · lsmdc · 1k · Table 5.2")]


@pytest.mark.parametrize(
    "odd",
    [
        {"metric": "spice"},
        {"value": "10.2"},
        {"value": True},
        {"value": float("nan")},
        {"value": float("-inf")},
        {"value": 10**400},
        {"benchmark": "captioning@lsmdc:1k"},
    ],
)
def test_what_does_not_fit_is_left_out(synthetic: Synthetic, odd: dict[str, Any]):
    table = board_table(board_of(synthetic, NUMBER | odd, "no table", 3))
    assert not table.has_paper
    assert all(row["paper"] == [] for row in json.loads(structured.render(table))["rows"])


def test_of_two_papers_of_a_method_the_newest_counts_not_the_best_rows(synthetic: Synthetic):
    older = {"paper": {"reported": [NUMBER, NUMBER | {"variant": "no-audio", "value": 0.2}]}}
    newer = {"paper": {"reported": [NUMBER | {"value": 0.104}]}}
    scored = {"recall_at_1": 0.9, "cider": 0.9, "median_rank": 1.0}
    synthetic.trial(metrics=scored, record=older, started_ms=1_760_000_000_000)
    worse = {name: value / 2 for name, value in scored.items()}
    synthetic.trial(variant="no-audio", metrics=worse, record=newer, started_ms=1_760_000_900_000)
    synthetic.trial(variant="no-attention", metrics=worse, record={"paper": {}}, started_ms=1_760_000_990_000)
    (board,) = boards(load(synthetic.uri))
    assert board.rows[0].tag("variant") == "full"
    table = board_table(board)
    assert shown(table, "jsfusion") == [("10.4", "lsmdc · 1k · Table 5.2")]
    assert shown(table, "jsfusion", "no-audio") == []


def test_a_suspected_misprint_is_marked_and_explained(synthetic: Synthetic):
    doubted = NUMBER | {"misprint": True, "note": "the text says 11"}
    table = board_table(board_of(synthetic, doubted))
    assert shown(table, "jsfusion")[0][0] == "10.2?"
    assert table.notes[-1] == "? is a suspected misprint. Jsfusion, Table 5.2: the text says 11."


def test_ranks_and_order_do_not_know_of_papers(empty_database, tmp_path):
    import shutil

    found = []
    for name, value in (("low", 0.0), ("high", 1.0)):
        (tmp_path / name).mkdir()
        shutil.copy(empty_database, tmp_path / name / "mlflow.db")
        made = Synthetic(f"sqlite:///{tmp_path / name / 'mlflow.db'}")
        found.append(board_of(made, NUMBER | {"benchmark": BENCHMARK, "value": value}, seeds=3))
    one, other = found
    assert [row.label for row in one.rows] == [row.label for row in other.rows]
    assert len(one.standings.ranked) == 3
    assert one.standings.places == other.standings.places
    assert one.standings.adjusted == other.standings.adjusted
    assert [[n.value for n in of_row] for of_row in one.published.values()] == [[0.0]]
    assert [[n.value for n in of_row] for of_row in other.published.values()] == [[1.0]]


def test_csv_and_json_have_every_number(synthetic: Synthetic):
    second = NUMBER | {"benchmark": "retrieval@msrvtt:1k-a", "value": 0.2, "misprint": True}
    table = board_table(board_of(synthetic, NUMBER, second))
    line = next(r for r in csv.DictReader(io.StringIO(delimited.render(table))) if r["method"] == "jsfusion")
    assert line["paper_value"] == "0.102; 0.2"
    assert line["paper_benchmark"] == "retrieval@lsmdc:1k; retrieval@msrvtt:1k-a"
    row = next(r for r in json.loads(structured.render(table))["rows"] if r["method"] == "jsfusion")
    assert [(n["value"], n["misprint"]) for n in row["paper"]] == [(0.102, False), (0.2, True)]


def test_markdown_and_latex_print_it_after_the_difference_to_the_best(synthetic: Synthetic):
    table = board_table(board_of(synthetic, NUMBER))
    assert "| To best | Paper | R" in markdown.render(table)
    assert r"10.2 \(lsmdc · 1k · Table 5.2\)" in markdown.render(table)
    rows = [r for r in latex.render(table).splitlines() if r.endswith(r"\\") and " & " in r]
    assert rows[0].startswith("Row & Seeds & Rank & To best & Paper & R")
    assert len({row.count(" & ") for row in rows}) == 1


def test_hostile_papers_stay_text(synthetic: Synthetic):
    hostile = dict.fromkeys(("table", "split", "protocol", "note"), HOSTILE)
    table = board_table(board_of(synthetic, NUMBER | hostile | {"misprint": True}))
    assert "<script>" not in markdown.render(table)
    assert r"\input{" not in latex.render(table)
    for text in (markdown.render(table), latex.render(table), delimited.render(table)):
        assert "\x1b" not in text
        assert "\u202e" not in text
