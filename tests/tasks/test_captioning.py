"""Captioning and storytelling equal pycocoevalcap on its own example and on odd text, also when resampled."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets import assert_same, copied

from reelbench.data import EvaluationSet, Example
from reelbench.errors import DatasetError, PredictionError
from reelbench.predictions import Predictions
from reelbench.scoring import ScoreSheet
from reelbench.tasks.captioning import Captioning
from reelbench.tasks.metrics.caption import bleu, meteor, scores, tokenizer
from reelbench.tasks.metrics.caption import kept as kept_answers
from reelbench.tasks.metrics.caption.cider import Cider
from reelbench.tasks.metrics.caption.java import JavaError
from reelbench.tasks.metrics.caption.rouge import longest_common_subsequence, rouge_l
from reelbench.tasks.storytelling import Storytelling

OURS = {
    "CIDEr": "cider",
    "METEOR": "meteor",
    "ROUGE_L": "rouge_l",
    **{f"Bleu_{k}": f"bleu_{k}" for k in range(1, 5)},
}
CLUSTERS = 6


def captioning_set(references: dict[str, list[str]], clusters: int = CLUSTERS) -> EvaluationSet:
    targets = {i: {"references": refs} for i, refs in references.items()}
    cluster_of = {i: f"c{k % clusters}" for k, i in enumerate(references)}
    return EvaluationSet(
        "captioning@coco:clip", "test", [Example(i, {}) for i in references], targets, cluster_of
    )


@pytest.fixture(scope="session")
def coco(caption_oracle: dict[str, Any], meteor_program: Any) -> tuple[ScoreSheet, dict[str, float]]:
    raw = caption_oracle["fakecap_input_raw"]
    order = caption_oracle["fakecap_expected"]["per_image_order"]
    evaluation = captioning_set({i: raw["refs"][i] for i in order})
    return Captioning().score(
        Predictions(tuple(raw["hyps"]), {"caption": list(raw["hyps"].values())}), evaluation
    )


def test_corpus_values_are_those_of_pycocoevalcap(coco: Any, caption_oracle: dict[str, Any]) -> None:
    expected = caption_oracle["fakecap_expected"]["corpus"]
    assert coco[1] == pytest.approx({OURS[name]: value for name, value in expected.items()}, rel=0, abs=1e-12)


def test_values_of_each_image_are_those_of_pycocoevalcap(coco: Any, caption_oracle: dict[str, Any]) -> None:
    columns, expected = coco[0].columns, caption_oracle["fakecap_expected"]["per_image"]
    bleus = bleu.bleu(columns["bleu"]).T
    ours = {
        "CIDEr": columns["cider"],
        "ROUGE_L": columns["rouge_l"],
        "METEOR": meteor.meteor(columns["meteor"]),
    }
    ours |= {f"Bleu_{k}": values for k, values in enumerate(bleus, 1)}
    for name, values in ours.items():
        np.testing.assert_allclose(
            values, expected[name], rtol=0, atol=5.1e-11, err_msg=name
        )  # 10 decimals are held


def test_tokens_are_those_of_pycocoevalcap(caption_oracle: dict[str, Any]) -> None:
    raw, tokenized = caption_oracle["fakecap_input_raw"], caption_oracle["fakecap_input_ptb_tokenized"]
    sentences = [r for refs in raw["refs"].values() for r in refs] + list(raw["hyps"].values())
    wanted = [r for refs in tokenized["refs"].values() for r in refs] + list(tokenized["hyps"].values())
    assert tokenizer.tokenize(sentences) == wanted


BREAKS = {"CR", "CRLF", "U2028", "VT_FF"}


def test_odd_text_is_tokenized_as_pycocoevalcap_does_unless_it_breaks_its_lines(
    caption_oracle: dict[str, Any],
) -> None:
    cases = caption_oracle["ptb_edge_cases"]
    given = {(case, k): rows[0] for case, images in cases["input"].items() for k, rows in images.items()}
    tokens = dict(zip(given, tokenizer.tokenize(list(given.values())), strict=True))
    theirs = {
        (c, k): rows[0]
        for c, images in cases["pycocoevalcap_1.2_output"].items()
        for k, rows in images.items()
    }
    assert {key: t for key, t in tokens.items() if key[0] not in BREAKS} == {
        key: t for key, t in theirs.items() if key[0] not in BREAKS
    }
    for case in BREAKS:  # theirs gives the first image's second line to the second image
        assert tokens[case, "1"].startswith("a cat sat")
        assert tokens[case, "2"] == "a dog"


EDGES = (
    "empty_hyp",
    "all_empty_hyp",
    "empty_ref_one",
    "one_ref_one_img",
    "two_img_identical",
    "short_hyp",
    "unicode",
    "key_order",
)


@pytest.mark.parametrize("case", EDGES)
def test_odd_captions_score_as_in_pycocoevalcap(
    case: str, caption_oracle: dict[str, Any], meteor_program: Any
) -> None:
    cases = caption_oracle["scorer_edge_cases"]
    given, expected = cases["input"][case], cases["pycocoevalcap_1.2"][case]
    captions = [given["res"][i][0] for i in given["gts"]]
    columns = scores.tokenized_statistics(captions, list(given["gts"].values()))
    sheet = ScoreSheet.build(list(given["gts"]), {i: i for i in given["gts"]}, columns)
    values = scores.caption_metrics(sheet, sheet.unit_weights())
    wanted = {
        "cider": expected["CIDEr"][0],
        "rouge_l": expected["ROUGE_L"][0],
        "meteor": expected["METEOR"][0],
    }
    wanted |= {f"bleu_{k}": value for k, value in enumerate(expected["Bleu"][0], 1)}
    assert_same({name: value[0] for name, value in values.items()}, wanted)


def test_summed_meteor_statistics_score_as_the_program_says(coco: Any, meteor_program: Any) -> None:
    statistics = coco[0].columns["meteor"]
    rng = np.random.default_rng(0)
    for size in (1, 7, 200):
        rows = rng.integers(len(statistics), size=size)
        line = " ||| ".join(["EVAL", *(" ".join(map(str, row)) for row in statistics[rows])])
        *each, together = map(float, meteor_program.ask([line], replies_a_line=size + 1))
        np.testing.assert_allclose(meteor.meteor(statistics[rows]), each, rtol=0, atol=1e-12)
        assert meteor.meteor(statistics[rows].sum(axis=0)) == pytest.approx(together, abs=1e-12)


@settings(max_examples=30)
@given(copies=st.lists(st.integers(0, 4), min_size=CLUSTERS, max_size=CLUSTERS).filter(any))
def test_whole_weights_are_resampling_with_copied_rows(coco: Any, copies: list[int]) -> None:
    sheet, plain = coco
    weights = np.array([copies, [1] * CLUSTERS, [0] * CLUSTERS], dtype=np.float64)
    values = Captioning().aggregate(sheet, weights)
    naive = copied(sheet, copies)
    assert_same({k: v[:1] for k, v in values.items()}, scores.caption_metrics(naive, naive.unit_weights()))
    assert_same({k: v[1] for k, v in values.items()}, plain)
    assert all(np.isnan(v[2]) for v in values.values())


def test_captions_that_could_break_the_programs_lines_do_not(meteor_program: Any) -> None:
    nasty = [
        "a ||| cat",
        "a\ncat\r\nEVAL ||| 1",
        "|||||",
        "\ud800 cat",
        "SCORE ||| x",
        "a\u2028cat",
        "\x00",
        "cat",
    ]
    evaluation = captioning_set({f"e{k}": ["a cat", "x ||| y\nz"] for k in range(len(nasty))})
    sheet, values = Captioning().score(Predictions(evaluation.ids, {"caption": nasty}), evaluation)
    assert sheet.columns["meteor"].shape == (len(nasty), 23)
    assert all(np.isfinite(list(values.values())))
    direct = meteor.match_statistics(nasty, [["a cat", "x ||| y\nz"]] * len(nasty))
    assert direct[-1].tolist() == sheet.columns["meteor"][-1].tolist()


def test_the_order_of_predictions_and_examples_does_not_matter(meteor_program: Any) -> None:
    references = {f"e{k}": [f"a man has {k} dogs", "the dogs run"] for k in range(7)}
    evaluation = captioning_set(references)
    captions = {i: f"man with {k % 3} dogs" for k, i in enumerate(references)}
    plain = Captioning().score(
        Predictions(tuple(captions), {"caption": list(captions.values())}), evaluation
    )[1]
    backward = Predictions(tuple(captions)[::-1], {"caption": list(captions.values())[::-1]})
    turned = replace(evaluation, examples=evaluation.examples[::-1])
    assert_same(Captioning().score(backward, turned)[1], plain)


def story_set(protocol: str) -> EvaluationSet:
    targets = {
        "s0": {"references": [["A man waits.", "A man stands."], ["He leaves."]]},
        "s1": {"references": [["Two dogs play in snow."], ["They run home."]]},
        "s2": {"references": [["It rains."], ["A woman reads a book.", "She reads.", "A woman."]]},
    }
    examples = [Example(i, {}) for i in targets]
    return EvaluationSet(f"storytelling@toy:{protocol}", "test", examples, targets, {i: i for i in targets})


STORIES = {
    "s0": ["a man waits", "he goes"],
    "s1": ["dogs play", "they run"],
    "s2": ["sun shines", "a woman reads"],
}


def as_captioning(pairs: list[tuple[str, list[str]]]) -> dict[str, float]:
    evaluation = captioning_set({str(k): references for k, (_, references) in enumerate(pairs)})
    predictions = Predictions(evaluation.ids, {"caption": [caption for caption, _ in pairs]})
    return Captioning().score(predictions, evaluation)[1]


def test_a_story_by_sentences_scores_as_its_clips_do(meteor_program: Any) -> None:
    evaluation = story_set("sentence")
    pairs = [
        pair
        for i, story in STORIES.items()
        for pair in zip(story, evaluation.targets[i]["references"], strict=True)
    ]
    _, values = Storytelling().score(
        Predictions(tuple(STORIES), {"captions": list(STORIES.values())}), evaluation
    )
    assert_same(values, as_captioning(pairs))


def test_a_story_as_a_set_scores_as_one_joined_text(meteor_program: Any) -> None:
    evaluation = story_set("set")
    joined = [
        ("a man waits he goes", ["A man waits. He leaves."]),
        ("dogs play they run", ["Two dogs play in snow. They run home."]),
        ("sun shines a woman reads", ["It rains. A woman reads a book."]),
    ]
    sheet, values = Storytelling().score(
        Predictions(tuple(STORIES), {"captions": list(STORIES.values())}), evaluation
    )
    assert_same(values, as_captioning(joined))
    assert Storytelling().example_scores(sheet).shape == (3,)


@pytest.mark.parametrize(
    ("captions", "message"),
    [
        ([["a"], ["b", "c"], ["d", "e"]], "captions of example 's0' are 1 sentences, expected 2, one a clip"),
        (["ab", ["b", "c"], ["d", "e"]], "captions of example 's0' are str, expected a list of 2 sentences"),
        ([["a", None], ["b", "c"], ["d", "e"]], "caption 1 of example 's0' is NoneType, expected text"),
        ([["a", "b"]], "column 'captions' has 1 rows for 3 examples"),
    ],
)
def test_bad_stories_are_refused_in_one_line(captions: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        Storytelling().validate(Predictions(tuple(STORIES), {"captions": captions}), story_set("sentence"))


@pytest.mark.parametrize(
    ("ids", "columns", "message"),
    [
        (("a", "b"), {}, "predictions have no column 'caption'"),
        (("a", "b"), {"caption": ["x", float("nan")]}, "caption of example 'b' is float, expected text"),
        (
            ("a", "b"),
            {"caption": ["x", "y" * 10_001]},
            "caption of example 'b' has 10001 characters, at most 10000",
        ),
        (("a", "a"), {"caption": ["x", "y"]}, r"1 duplicate ids \(first 'a'\), 1 missing ids \(first 'b'\)"),
        (("a", "c"), {"caption": ["x", "y"]}, r"1 missing ids \(first 'b'\), 1 unknown ids \(first 'c'\)"),
    ],
)
def test_bad_captions_are_refused_in_one_line(ids: Any, columns: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        Captioning().validate(Predictions(ids, columns), captioning_set({"a": ["x"], "b": ["y"]}))


def test_an_example_without_references_is_the_datasets_fault() -> None:
    evaluation = captioning_set({"a": ["x"], "b": []})
    with pytest.raises(DatasetError, match="captioning@coco:clip: example 'b' has no references"):
        Captioning().measure(Predictions(("a", "b"), {"caption": ["x", "y"]}), evaluation)


def test_references_are_tokenized_once_and_kept_on_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("REELBENCH_CACHE", str(tmp_path))
    first = scores.tokenize_references([["A cat."], ["Dogs, dogs!", "a dog"]])
    monkeypatch.setattr(tokenizer, "_run", lambda lines: pytest.fail("tokenized again"))
    assert (
        scores.tokenize_references([["A cat."], ["Dogs, dogs!", "a dog"]])
        == first
        == [["a cat"], ["dogs dogs", "a dog"]]
    )


def test_a_trial_scored_again_needs_no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("REELBENCH_CACHE", str(tmp_path))
    asked = ["A man walks.", "a dog"], [["a man runs", "the man"], ["dogs"]]
    first = scores.caption_statistics(*asked)
    monkeypatch.setattr(tokenizer, "_run", lambda lines: pytest.fail("tokenized again"))
    monkeypatch.setattr(meteor, "_ask", lambda lines: pytest.fail("asked METEOR again"))
    again = scores.caption_statistics(*asked)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    monkeypatch.setattr(
        meteor, "OPTIONS", (*meteor.OPTIONS, "-x")
    )  # what decides a reply is part of what is asked
    with pytest.raises(pytest.fail.Exception, match="asked METEOR again"):
        scores.caption_statistics(*asked)


def test_a_reply_that_is_no_statistics_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("REELBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(meteor, "_ask", lambda lines: ["what?"])
    with pytest.raises(JavaError, match="METEOR gave no statistics but: what"):
        meteor.match_statistics(["a cat"], [["a dog"]])
    assert not list(tmp_path.rglob("*.json"))


def test_only_the_newest_answers_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("REELBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(kept_answers, "LIMIT", 2)
    for k in range(3):
        kept_answers.kept("echo", [], [str(k)], lambda k=k: [str(k)])
        for path in (tmp_path / "echo").iterdir():
            os.utime(path, (path.stat().st_mtime - 10,) * 2)
    assert sorted(p.read_text() for p in (tmp_path / "echo").iterdir()) == ['["1"]', '["2"]']


def subsequence(first: str, second: str) -> int:
    """The longest common subsequence by its definition."""
    if not first or not second:
        return 0
    if first[0] == second[0]:
        return 1 + subsequence(first[1:], second[1:])
    return max(subsequence(first[1:], second), subsequence(first, second[1:]))


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_the_longest_common_subsequence_is_that_of_its_definition(first: str, second: str) -> None:
    assert longest_common_subsequence(list(first), list(second)) == subsequence(first, second)


def test_a_damaged_cache_file_is_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("REELBENCH_CACHE", str(tmp_path))
    tokenizer.tokenize_kept(["A cat."])
    (kept,) = (tmp_path / "ptb").iterdir()
    for damage in ("", "[1]", '["a", "b"]'):
        kept.write_text(damage)
        assert tokenizer.tokenize_kept(["A cat."]) == ["a cat"]


words = st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join)


@settings(max_examples=60)
@given(st.lists(st.tuples(words, st.lists(words, min_size=1, max_size=3)), min_size=1, max_size=4))
def test_any_short_text_scores_as_pycocoevalcap_does(pairs: list[tuple[str, list[str]]]) -> None:
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer
    from pycocoevalcap.cider.cider_scorer import CiderScorer
    from pycocoevalcap.rouge.rouge import Rouge

    captions, references = [c for c, _ in pairs], [r for _, r in pairs]
    theirs_bleu, theirs_cider = BleuScorer(), CiderScorer()
    for caption, refs in pairs:
        theirs_bleu += (caption, refs)
        theirs_cider += (caption, refs)
    summed = bleu.match_statistics(captions, references).sum(axis=0).astype(np.float64)
    np.testing.assert_allclose(bleu.bleu(summed), theirs_bleu.compute_score(option="closest")[0], atol=1e-12)
    if any(
        reference for refs in references for reference in refs
    ):  # theirs fails where there is no n-gram at all
        ours = Cider(tuple(map(tuple, references))).scores(captions)
        np.testing.assert_allclose(ours, theirs_cider.compute_score()[1], atol=1e-12)
    theirs_rouge = [Rouge().calc_score([caption], refs) for caption, refs in pairs]
    np.testing.assert_allclose(rouge_l(captions, references), theirs_rouge, atol=1e-12)


def test_a_caption_is_shown_beside_its_references() -> None:
    shown = Captioning().show(
        Example("a", {}), {"references": ["x", "y"]}, {"caption": "z"}, captioning_set({"a": ["x"]})
    )
    assert shown == {"Answer": "x\ny", "Predicted": "z"}
    told = Storytelling().show(
        Example("s0", {}), {"references": [["x", "y"], ["z"]]}, {"captions": ["p", "q"]}, story_set("set")
    )
    assert told == {"Answer": "x\nz", "Predicted": "p\nq"}
