"""Two rows side by side: which rows are meant, what kinds of examples there are, on which of them a row wins."""

from __future__ import annotations

import json

import numpy as np
import pytest
from synthetic import Synthetic

from reelbench.data import Clip, EvaluationSet, Example
from reelbench.errors import UsageError
from reelbench.reports.comparison.outcomes import Outcomes, by_kind, kinds_of, widest
from reelbench.reports.comparison.page import compare_metrics
from reelbench.reports.comparison.sides import comparable, find_row
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import Board, boards
from reelbench.scoring import ScoreSheet


def board(synthetic: Synthetic) -> Board:
    return boards(load(synthetic.uri))[0]


def outcomes(scores: list[list[float]]) -> Outcomes:
    ids = tuple(f"e{i}" for i in range(len(scores[0])))
    sheet = ScoreSheet.build(ids, {i: f"c{int(i[1:]) // 2}" for i in ids}, {})
    return Outcomes(ids, np.array(scores), sheet)


def test_a_name_is_a_full_method_a_variant_or_a_whole_label(synthetic: Synthetic):
    synthetic.trial("jsfusion")
    synthetic.trial("jsfusion", variant="no-audio")
    found = board(synthetic)
    assert find_row(found, "jsfusion").tag("variant") == "full"
    assert find_row(found, "jsfusion/no-audio").tag("variant") == "no-audio"
    label = find_row(found, "jsfusion").label.partition("#")[0]
    assert find_row(found, label).label.startswith(label)


def test_an_unknown_row_is_refused_with_those_there_are(synthetic: Synthetic):
    synthetic.trial("jsfusion")
    with pytest.raises(UsageError, match=r"'vse' is no row of retrieval@.*name one of: jsfusion/full"):
        find_row(board(synthetic), "vse")


def test_a_name_of_several_rows_is_refused(synthetic: Synthetic):
    synthetic.trial("jsfusion", features=("frames",))
    synthetic.trial("jsfusion", features=("frames", "audio"))
    with pytest.raises(UsageError, match="'jsfusion' means several rows"):
        find_row(board(synthetic), "jsfusion")


def test_only_benchmarks_with_both_rows_are_compared(small: Synthetic):
    found = boards(load(small.uri))
    assert comparable(found, ("jsfusion", "nobody")) == []


def test_metrics_are_compared_on_shared_draws(synthetic: Synthetic):
    for seed in range(3):
        synthetic.trial("a", seed=seed, metrics={"recall_at_1": 0.5, "cider": 1.0, "median_rank": 5})
        synthetic.trial("b", seed=seed, metrics={"recall_at_1": 0.3, "cider": 1.0, "median_rank": 5})
    found = board(synthetic)
    lines = {
        str(m.spec["name"]): m for m in compare_metrics(found, find_row(found, "a"), find_row(found, "b"))
    }
    assert lines["recall_at_1"].difference.estimate == pytest.approx(0.2)
    assert lines["recall_at_1"].difference.p < 0.001
    assert lines["cider"].difference.estimate == 0.0


def test_wins_and_losses_are_those_with_the_widest_lead():
    one, other = (
        outcomes([[1, 0, 0.5, 0.2], [1, 0, 0.5, 0.4]]),
        outcomes([[0, 1, 0.5, 0.1], [0, 1, 0.5, 0.1]]),
    )
    assert widest(one, other, 1) == ([0], [1])
    assert widest(one, other, 9) == ([0, 3], [1])


def test_kinds_are_means_over_their_examples_and_small_kinds_are_left_out():
    rng = np.random.default_rng(0)
    one, other = (outcomes(rng.random((2, 60)).tolist()) for _ in range(2))
    kinds = {"word class": {f"e{i}": "verb" if i < 30 else "colour" if i < 55 else "rare" for i in range(60)}}
    lines = {(line.by, line.kind): line for line in by_kind(one, other, kinds, (False, False))}
    assert set(lines) == {("all examples", ""), ("word class", "verb"), ("word class", "colour")}
    verbs = lines["word class", "verb"]
    assert (verbs.examples, verbs.left) == (30, pytest.approx(one.scores[:, :30].mean()))
    assert verbs.difference.estimate == pytest.approx(one.scores[:, :30].mean() - other.scores[:, :30].mean())
    assert verbs.difference.error > 0


def test_an_example_that_had_nothing_to_get_right_counts_nowhere():
    one, other = outcomes([[1.0] * 30 + [np.nan] * 10]), outcomes([[0.0] * 40])
    (whole,) = by_kind(one, other, {}, (True, True))
    assert (whole.examples, whole.left) == (30, 1.0)
    assert 35 not in widest(one, other, 40)[0]


class Named:
    """A dataset that knows one thing of a clip."""

    def kinds(self, clip: Clip) -> dict[str, str]:
        return {"sub-events": clip.video[-1]}


def test_kinds_come_from_the_dataset_the_word_class_and_the_words():
    examples = [
        Example(f"e{i}", {"video": Clip(f"v{i % 2}"), "sentence": ("w",) * (i + 1), "word_class": "verb"})
        for i in range(9)
    ]
    evaluation = EvaluationSet("fill_in_blank@x:word", "test", examples, {}, {})
    kinds = kinds_of(evaluation, Named())
    assert set(kinds) == {"word class", "sub-events", "words"}
    assert kinds["sub-events"]["e3"] == "1"
    assert sorted(set(kinds["words"].values())) == ["1–3", "4–6", "7–9"]


def test_a_query_without_a_clip_is_of_the_kind_of_its_match():
    gallery = [Example("g0", {"video": Clip("v7")})]
    query = Example("q0", {"query": ("a", "b")})
    evaluation = EvaluationSet("retrieval@x:sentence", "test", [query], {"q0": {"match": "g0"}}, {}, gallery)
    assert kinds_of(evaluation, Named())["sub-events"] == {"q0": "7"}


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_compares_a_recorded_bench(compared, as_json, tmp_path):
    told = compared("nearest-neighbour", "chance", *(["--json"] if as_json else ["--out", str(tmp_path)]))
    assert told.exit_code == 0, told.output
    if as_json:
        (one,) = json.loads(told.output)["comparisons"]
        assert {m["name"] for m in one["metrics"]} == {"accuracy"}
        assert one["kinds"][0]["examples"] == 115
    else:
        assert "Nearest neighbour less Chance" in told.output
        (page,) = (tmp_path / "compare").glob("*.html")
        assert "data:image/jpeg;base64," in page.read_text()
