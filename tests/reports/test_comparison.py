"""Two rows side by side: which rows are meant, what kinds of examples there are, on which of them a row wins."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from synthetic import HOSTILE, Synthetic

from reelbench.cli.options import Places, opener
from reelbench.data import Clip, EvaluationSet, Example
from reelbench.errors import UsageError
from reelbench.registry import build_registry
from reelbench.reports.comparison.command import as_text, draw
from reelbench.reports.comparison.outcomes import KindLine, Outcomes, by_kind, kinds_of, outcomes_of, widest
from reelbench.reports.comparison.page import (
    Comparison,
    IncomparableError,
    compare_metrics,
    compare_rows,
    comparison_object,
)
from reelbench.reports.comparison.sides import comparable, find_row, opposed
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import Board, boards
from reelbench.reports.statistics.contrast import Contrast
from reelbench.scoring import ScoreSheet

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


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


def test_rows_that_share_no_benchmark_are_said_to_be_where_they_are(synthetic: Synthetic):
    synthetic.trial("a", benchmark="retrieval@x/y:sentence")
    synthetic.trial("b", benchmark="captioning@x/y:plain")
    found = boards(load(synthetic.uri))
    with pytest.raises(
        UsageError,
        match="no benchmark has both rows: 'a' is on retrieval@x/y:sentence; 'b' is on captioning@x/y:plain",
    ):
        opposed(found, "a", "b")
    with pytest.raises(UsageError, match=r"'c' is no row of any benchmark .* name one of: a/full.*, b/full"):
        opposed(found, "a", "c")
    assert [b.benchmark for b in opposed(found, "a", "a/full")] == ["retrieval@x/y:sentence"]


def test_two_presets_have_pages_of_their_own(synthetic: Synthetic, tmp_path: Path):
    synthetic.trial("jsfusion", features=("frames",))
    synthetic.trial("jsfusion", features=("frames", "audio"))
    synthetic.trial("chance")
    found = board(synthetic)
    one, other, chance = (
        next(row for row in found.rows if row.label.startswith(begin))
        for begin in ("jsfusion/full/match/tiny/frames#", "jsfusion/full/match/tiny/frames+audio#", "chance")
    )
    pages = draw([Comparison(found, row, chance, ()) for row in (one, other)], tmp_path)
    assert len({p.name for p in pages}) == 2
    assert all(p.is_file() and p.name.startswith("jsfusion-full-match-tiny-frames") for p in pages)


def test_rows_of_different_test_sets_are_refused_in_a_line(synthetic: Synthetic):
    synthetic.trial("a", record={"clusters": 300})
    synthetic.trial("b", record={"clusters": 200})
    synthetic.trial("c", record={"clusters_digest": "other"})
    synthetic.trial("d", record={"data": "other"})
    found = board(synthetic)
    with pytest.raises(IncomparableError, match="the two rows were scored on different test sets"):
        compare_metrics(found, find_row(found, "a"), find_row(found, "b"))
    for name in "cd":
        with pytest.raises(IncomparableError, match="the two rows were scored on different test sets"):
            compare_rows(found, find_row(found, "a"), find_row(found, name), None, None)


def test_predictions_on_data_that_are_not_here_are_refused_in_a_line(synthetic: Synthetic):
    for name in "ab":
        synthetic.trial(name, record={"data": "1" * 64})
    found = board(synthetic)
    with pytest.raises(IncomparableError, match=r"the data here have fingerprint 22.*the record's 11"):
        compare_rows(found, find_row(found, "a"), find_row(found, "b"), None, Named())


def test_one_cluster_leaves_no_interval_and_that_is_said(synthetic: Synthetic):
    for name in "ab":
        synthetic.trial(name, record={"clusters": 1})
    found = board(synthetic)
    one, other = find_row(found, "a"), find_row(found, "b")
    compared_rows = Comparison(found, one, other, compare_metrics(found, one, other))
    told = json.loads(json.dumps(comparison_object(compared_rows), allow_nan=False))
    assert {(m["interval"], m["p"]) for m in told["metrics"]} == {(None, None)}
    shown = as_text(compared_rows)
    assert "unknown  p unknown" in shown
    assert "1 cluster of test examples: how large an error is cannot be told" in shown
    assert not re.search(r"\b(nan|inf)\b", shown)


def test_few_clusters_are_warned_of(synthetic: Synthetic):
    for name in "ab":
        synthetic.trial(name, record={"clusters": 9})
    found = board(synthetic)
    shown = as_text(Comparison(found, find_row(found, "a"), find_row(found, "b"), ()))
    assert "only 9 clusters of test examples: the intervals are not to be believed" in shown


def test_what_a_row_is_called_cannot_drive_the_terminal(synthetic: Synthetic):
    synthetic.trial("a", title=f"x\r\n{HOSTILE}")
    synthetic.trial("b")
    found = board(synthetic)
    shown = as_text(Comparison(found, find_row(found, "a"), find_row(found, "b"), ()))
    assert "⟨U+001B⟩[31mred" in shown
    assert not UNSEEN.search(shown)
    assert len(shown.splitlines()) == 2  # the two rows, and that each has one seed


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


def test_a_median_gets_an_interval_only(synthetic: Synthetic, tmp_path: Path):
    for name, rank in (("a", 5.0), ("b", 9.0)):
        for seed in range(3):
            synthetic.trial(
                name,
                seed=seed,
                metrics={"recall_at_1": 0.5 + rank / 100, "cider": 1.0, "median_rank": rank + seed / 10},
            )
    found = board(synthetic)
    one, other = find_row(found, "a"), find_row(found, "b")
    both = Comparison(found, one, other, compare_metrics(found, one, other))
    told = {m["name"]: m for m in comparison_object(both)["metrics"]}
    assert (told["median_rank"]["p"], len(told["median_rank"]["interval"])) == (None, 2)
    assert told["recall_at_1"]["p"] < 1
    (median,) = [line for line in as_text(both).splitlines() if "MedR" in line]
    assert median.endswith("p –")
    (page,) = draw([both], tmp_path)
    assert "A median moves in steps, so that it gets an interval only." in page.read_text()


def test_what_the_intervals_do_not_cover_is_said(synthetic: Synthetic, tmp_path: Path):
    for seed in range(2):
        synthetic.trial("a", seed=seed, record={"upstream": ["f" * 64]})
    synthetic.failed_fit("a", seed=2, error="loss is NaN at step 12")
    synthetic.trial("b")
    synthetic.trial("c", seed=0, record={"deterministic": True})
    found = board(synthetic)
    one, other, sure = (find_row(found, name) for name in "abc")
    both = Comparison(found, one, other, compare_metrics(found, one, other))
    expected = [
        "A lost 1 seed (seed 2: loss is NaN at step 12)",
        "given the one seed of B: what another would give is not in the interval",
        "given upstream: the seeds of A start from one shared fit, whose own spread is not in theirs",
    ]
    assert as_text(both).splitlines()[-3:] == [f"  {warning}" for warning in expected]
    assert comparison_object(both)["warning"] == "; ".join(expected)
    (page,) = draw([both], tmp_path)
    text = page.read_text()
    assert all(warning in text for warning in expected)
    assert comparison_object(Comparison(found, sure, sure, ()))["warning"] == ""


def test_a_metric_that_is_not_finite_is_not_left_out_without_a_word(synthetic: Synthetic):
    for name in "ab":
        for seed in range(2):  # MLflow has no number of the CIDEr of b's seed 1, which was not finite
            values = {"recall_at_1": 0.5, "median_rank": 5.0} | (
                {} if (name, seed) == ("b", 1) else {"cider": 1.0}
            )
            synthetic.trial(name, seed=seed, metrics=values)
    found = board(synthetic)
    one, other = find_row(found, "a"), find_row(found, "b")
    both = Comparison(found, one, other, compare_metrics(found, one, other))
    assert [m.spec["name"] for m in both.metrics] == ["recall_at_1", "median_rank"]
    told = "CIDEr is not compared: a seed's score of B is not finite"
    assert comparison_object(both)["warning"] == told
    assert as_text(both).endswith(f"  {told}")


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


def line(clusters: int, error: float = 0.01) -> KindLine:
    return KindLine("word class", "verb", 40, clusters, 0.9, 0.1, Contrast(0.8, error, 30))


def test_a_kind_is_bold_only_if_it_has_enough_clusters():
    assert line(10).is_sure
    assert not line(9).is_sure
    assert not line(10, error=0.9).is_sure
    assert not line(1, error=float("inf")).is_sure


def test_a_kind_of_one_cluster_has_no_interval():
    one = outcomes([[1.0] * 60, [0.5] * 60])
    sheet = ScoreSheet.build(one.ids, dict.fromkeys(one.ids, "c"), {})
    one = Outcomes(one.ids, one.scores, sheet)
    (whole,) = by_kind(one, one, {}, (False, False))
    assert whole.clusters == 1
    assert not whole.difference.is_known
    assert not whole.is_sure


def test_an_example_that_had_nothing_to_get_right_counts_nowhere():
    one, other = outcomes([[1.0] * 30 + [np.nan] * 10]), outcomes([[0.0] * 40])
    (whole,) = by_kind(one, other, {}, (True, True))
    assert (whole.examples, whole.left) == (30, 1.0)
    assert 35 not in widest(one, other, 40)[0]


class Named:
    """A dataset that knows one thing of a clip."""

    fingerprint = "2" * 64

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
        assert one["kinds"][0]["clusters"] == 13
        assert one["example_seeds"] == [0, 0]
    else:
        assert "Nearest neighbour less Chance" in told.output
        (page,) = (tmp_path / "compare").glob("*.html")
        text = page.read_text()
        assert "data:image/jpeg;base64," in text
        assert "nothing is corrected for how many kinds" in text
        assert re.search(r"Chance, seed 0, predicted \([01]\)", text)  # a seed's score, no mean of two


def test_examples_show_a_seeds_prediction_with_that_seeds_score(bench: str, tmp_path: Path):
    registry = build_registry()
    (found,) = boards(load(bench))
    surroundings = Places.resolve(tmp_path, None, None).surroundings((), ())
    one, other = find_row(found, "nearest-neighbour"), find_row(found, "chance")
    task = registry.task("multiple_choice")
    compared_rows = compare_rows(
        found, one, other, task, opener(registry, surroundings)("microworld/smoke"), examples=99
    )
    scores = outcomes_of(other, task)
    place = {i: k for k, i in enumerate(scores.ids)}
    told = (*compared_rows.wins, *compared_rows.losses)
    assert any(scores.scores[0, place[t.id]] != scores.mean[place[t.id]] for t in told)
    assert [t.right.score for t in told] == [scores.scores[0, place[t.id]] for t in told]
    assert {t.right.seed for t in told} == {0}
    assert [t.left.score - scores.mean[place[t.id]] for t in told] == pytest.approx([t.lead for t in told])
