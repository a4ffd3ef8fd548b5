"""Scores from kept predictions, and the examples a report shows."""

import json

import numpy as np
import pytest
from toys import TASKS, Painter, ToyDataset, predict, predict_spec, quiet

from reelbench.errors import PredictionError
from reelbench.evaluation import run_score
from reelbench.evaluation.picks import pick
from reelbench.evaluation.shelf import Shelf
from reelbench.predictions import Predictions
from reelbench.scoring import ScoreSheet


def score(predictions, folder, task="labels", dataset=None):
    return run_score(
        predict_spec(Painter(), task),
        method=None,
        dataset=dataset or ToyDataset(),
        task=TASKS[task],
        predictions=predictions,
        folder=folder,
        emit=quiet,
    )


@pytest.fixture
def oracle(tmp_path):
    predict(None, [], tmp_path / "oracle", ceiling="oracle")
    return tmp_path / "oracle"


def test_the_oracle_scores_one_and_leaves_a_sheet(oracle, tmp_path):
    done = score(oracle, tmp_path / "score")
    assert done["metrics"] == {"accuracy": 1.0}
    assert done["examples"] == 20
    assert done["clusters"] == 5
    assert done["evaluation_info"] == {"chance": 0.25}
    assert ScoreSheet.load(tmp_path / "score").columns["hit"].sum() == 20
    assert done["digest"] == score(oracle, tmp_path / "again")["digest"]


def test_examples_are_shown_with_their_film_strips(oracle, tmp_path):
    score(oracle, tmp_path / "score")
    rows = json.loads((tmp_path / "score" / "examples.json").read_text())
    assert [r["pick"] for r in rows] == ["best"] * 3 + ["worst"] * 3 + ["typical"] * 3
    assert len({r["id"] for r in rows}) == 9
    assert rows[0]["show"]["Answer"] == rows[0]["show"]["Predicted"]
    assert rows[0]["cluster"] == "story-0"
    assert (tmp_path / "score" / rows[0]["strip"]).read_bytes().startswith(b"\xff\xd8")


def test_what_a_trial_made_of_an_open_dataset_serves_the_next_one(oracle, tmp_path):
    made = []

    class Counting(ToyDataset):
        def evaluation(self, task, protocol, split):
            made.append(task)
            return super().evaluation(task, protocol, split)

        def film_strip(self, clip, frames=6):
            made.append("strip")
            return super().film_strip(clip, frames)

    dataset = Counting()
    first = score(oracle, tmp_path / "one", dataset=dataset)
    assert made == ["labels", *["strip"] * 9]
    again = score(oracle, tmp_path / "two", dataset=dataset)
    assert made == ["labels", *["strip"] * 9]
    assert {k: v for k, v in first.items() if k != "score_seconds"} == {
        k: v for k, v in again.items() if k != "score_seconds"
    }
    assert (tmp_path / "one" / "examples.json").read_text() == (
        tmp_path / "two" / "examples.json"
    ).read_text()
    score(oracle, tmp_path / "three", dataset=Counting())
    assert made.count("labels") == 2


def test_a_shelf_keeps_the_newest_and_tells_owners_apart():
    shelf = Shelf(2)
    one, other = [], []
    assert [shelf.get(o, "x", lambda o=o: id(o)) for o in (one, other)] == [id(one), id(other)]
    shelf.get(one, "y", lambda: 0)
    assert shelf.get(other, "x", lambda: "made again") == id(other)
    assert shelf.get(one, "x", lambda: "made again") == "made again"


def test_a_task_that_ranks_no_examples_shows_none(tmp_path):
    words = Predictions(tuple(f"words-test-{i}" for i in range(20)), {"word": ["red"] * 20})
    words.save(tmp_path / "p")
    score(tmp_path / "p", tmp_path / "score", "words")
    assert json.loads((tmp_path / "score" / "examples.json").read_text()) == []


def test_missing_and_unknown_ids_are_refused(tmp_path):
    Predictions(("labels-test-0", "x"), {"scores": np.zeros((2, 4))}).save(tmp_path / "p")
    with pytest.raises(PredictionError, match=r"19 missing ids .*, 1 unknown ids"):
        score(tmp_path / "p", tmp_path / "score")


def test_picks_never_repeat_an_example():
    for n in range(12):
        indices = [i for _, i in pick(np.arange(n, dtype=float))]
        assert len(indices) == len(set(indices))
    assert [i for kind, i in pick(np.arange(20.0)) if kind == "best"] == [19, 18, 17]
    assert [i for kind, i in pick(np.arange(20.0)) if kind == "worst"] == [0, 1, 2]
