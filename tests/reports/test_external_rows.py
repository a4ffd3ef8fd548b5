"""Predictions that were made elsewhere, from the command to the table."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from synthetic import HOSTILE

from reelbench.cli import main
from reelbench.cli.score import as_text, score, spread
from reelbench.predictions import Predictions
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
BENCHMARK = "multiple_choice@microworld/smoke"


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "questions.jsonl"
    told = CliRunner().invoke(score, ["--benchmark", BENCHMARK, "--questions", str(path)])
    assert told.exit_code == 0, told.output
    return [json.loads(line) for line in path.read_text().splitlines()]


def answer(path, questions, choice):
    scores = [float(k == choice) for k in range(5)]
    path.write_text("\n".join(json.dumps({"id": q["id"], "scores": scores}) for q in questions))
    return path


def run(tmp_path, *words):
    places = ["--store", f"sqlite:///{tmp_path / 'mlflow.db'}", "--workspace", str(tmp_path / "work")]
    return CliRunner().invoke(score, ["--benchmark", BENCHMARK, *map(str, words), *places])


def test_files_are_seeds_of_an_external_row_that_is_not_ranked(tmp_path, questions):
    files = [answer(tmp_path / f"{k}.jsonl", questions, k) for k in range(2)]
    told = run(tmp_path, "--predictions", files[0], "--predictions", files[1], "--label", "mine", "--json")
    assert told.exit_code == 0, told.output
    trials = json.loads(told.output[told.output.index("{") :])["trials"]
    assert [(t["method"], t["seed"], t["status"]) for t in trials] == [
        ("mine", 0, "finished"),
        ("mine", 1, "finished"),
    ]
    (board,) = boards(load(f"sqlite:///{tmp_path / 'mlflow.db'}"))
    (row,) = board.rows
    assert row.tag("role") == "external"
    assert board.standings.place(row).why == "predicted elsewhere"
    assert board.standings.place(row).intervals["accuracy"].error > 0

    again = answer(tmp_path / "again.jsonl", questions, 3)
    assert run(tmp_path, "--predictions", again, "--label", "mine", "--seed", "1").exit_code == 0
    (board,) = boards(load(f"sqlite:///{tmp_path / 'mlflow.db'}"))
    assert [t.seed for t in board.rows[0].finished] == [0, 1]  # handed in again, seed 1 counts once


def test_a_pattern_that_the_shell_spelt_out_is_a_seed_a_file(tmp_path, questions):
    files = [answer(tmp_path / f"{k}.jsonl", questions, k) for k in range(3)]
    told = run(tmp_path, "--predictions", *files, "--label", "mine", "--seed", "4", "--json")
    assert told.exit_code == 0, told.output
    trials = json.loads(told.output[told.output.index("{") :])["trials"]
    assert [(t["method"], t["seed"], t["status"]) for t in trials] == [
        ("mine", 4, "finished"),
        ("mine", 5, "finished"),
        ("mine", 6, "finished"),
    ]
    truth = [q["id"] for q in questions]
    for trial in load(f"sqlite:///{tmp_path / 'mlflow.db'}").trials:  # file k always answers k, in this order
        told = Predictions.load(trial.file("predictions"))
        assert list(told.ids) == truth
        assert set(told.columns["scores"].argmax(axis=1)) == {trial.seed - 4}


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--predictions", "a", "b", "--seed", "1"], ["--predictions", "a", "--predictions", "b", "--seed", "1"]),
        (["--predictions=a", "b"], ["--predictions=a", "--predictions", "b"]),
        (["--predictions", "a", "--predictions", "b", "c"], ["--predictions", "a", "--predictions", "b", "--predictions", "c"]),
        (["--seed", "1", "a", "--predictions", "b"], ["--seed", "1", "a", "--predictions", "b"]),
        (["--predictions", "a", "--json", "b"], ["--predictions", "a", "--json", "b"]),
        (["--predictions"], ["--predictions"]),
        ([], []),
    ],
)  # fmt: skip
def test_the_option_is_put_before_each_of_its_files(args, wanted):
    assert list(spread(args)) == wanted


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--predictions"], "requires an argument"),
        (["--predictions", "a", "--json", "b"], "unexpected extra argument (b)"),
        (["a", "--predictions", "b"], "unexpected extra argument (a)"),
    ],
)
def test_files_in_no_place_for_one_are_refused(tmp_path, words, why):
    told = CliRunner().invoke(score, ["--benchmark", BENCHMARK, *words])
    assert told.exit_code == 2
    assert why in told.output


def test_a_file_that_is_given_twice_or_is_not_there_is_refused(tmp_path, questions):
    path = answer(tmp_path / "0.jsonl", questions, 0)
    told = run(tmp_path, "--predictions", path, path)
    assert str(told.exception) == f"{path} is given twice; each file is another seed"
    told = run(tmp_path, "--predictions", path, tmp_path / "*.jsonl")
    assert str(told.exception) == f"{tmp_path / '*.jsonl'}: there is no such file"
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize("label", ["chance", "No Good"])
def test_a_label_that_is_taken_or_no_name_is_refused(tmp_path, questions, label):
    path = answer(tmp_path / "p.jsonl", questions, 0)
    told = run(tmp_path, "--predictions", path, "--label", label)
    assert told.exit_code != 0
    assert "label" in str(told.exception)
    assert not (tmp_path / "mlflow.db").exists()


def test_what_a_file_holds_cannot_drive_the_terminal(tmp_path, questions, monkeypatch, capsys):
    path = answer(tmp_path / "\x1b[2J.jsonl", [{"id": HOSTILE}, *questions], 0)
    told = run(tmp_path, "--predictions", path)
    monkeypatch.setattr("reelbench.cli.cli.main", lambda *_, **__: raised(told.exception))
    with pytest.raises(SystemExit):
        main([])
    shown = capsys.readouterr().err
    assert shown.startswith("reelbench: error: ")
    assert "1 unknown" in shown
    assert "⟨U+001B⟩[2J.jsonl" in shown
    assert "⟨U+001B⟩[31mred" in shown
    assert "⟨U+202E⟩gnp.exe" in shown
    assert not UNSEEN.search(shown)


def raised(error):
    raise error


def test_a_failed_trials_error_cannot_drive_the_terminal():
    trial = {
        "benchmark": HOSTILE,
        "method": "m",
        "seed": 0,
        "status": "failed",
        "metrics": {},
        "error": f"x\n{HOSTILE}",
    }
    shown = as_text({"trials": [trial]})
    assert "⟨U+001B⟩[31mred" in shown
    assert not UNSEEN.search(shown)
    assert len(shown.splitlines()) == 3
