"""What is said beside a verdict: the family that it is one of, draws that are missing, seeds that were lost, one fit for all."""

from __future__ import annotations

import json

import pytest
from claimed import CLAIM, SECOND, SURE, judged, rows
from click.testing import CliRunner
from synthetic import SPECS, Synthetic

from reelbench.reports.claims.command import claims as command
from reelbench.reports.claims.judging import claims_in, judge
from reelbench.reports.claims.lines import claim_line, judged_object, note
from reelbench.reports.claims.pages import paper_page
from reelbench.reports.claims.verdict import confidence_of_equivalence, judge_equivalent
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards
from reelbench.reports.statistics.contrast import Contrast

UNRUN = CLAIM | {"name": "unrun", "kind": "best_of", "rows": [{"variant": v} for v in ("x", "y", "z")]}
ELSEWHERE = UNRUN | {"name": "elsewhere", "benchmark": "gaze:frames", "control": "no-gaze"}


def told(synthetic: Synthetic) -> str:
    return CliRunner().invoke(command, ["--store", synthetic.uri]).output


def test_claims_that_were_not_run_are_of_the_family(synthetic: Synthetic):
    rows(synthetic, CLAIM, UNRUN, ELSEWHERE, values={"full": 0.7, "no-audio": 0.4})
    (one,) = judged(synthetic)
    # one difference that ran, two and two that did not: the smallest p of five
    assert (one.family, one.level) == (5, pytest.approx(1 - 0.05 / 5))


def test_a_claim_that_names_no_protocol_counts_on_each_that_has_its_rows(synthetic: Synthetic):
    for benchmark in ("retrieval@microworld/small:sentence", "retrieval@microworld/small:paragraph"):
        rows(synthetic, CLAIM, UNRUN, values={"full": 0.7, "no-audio": 0.4}, benchmark=benchmark)
    assert [one.family for one in judged(synthetic)] == [4, 4]


def test_a_control_world_has_the_claims_that_name_it_and_those_that_ran(synthetic: Synthetic):
    equal = ELSEWHERE | {"name": "equal", "kind": "equivalent", "rows": [{"variant": v} for v in "ab"]}
    there = "retrieval@microworld/small/no-gaze:sentence"
    half = CLAIM | {"name": "half", "right": {"variant": "no-attention"}}
    rows(
        synthetic,
        CLAIM,
        UNRUN,
        ELSEWHERE,
        equal,
        half,
        values={"full": 0.7, "no-audio": 0.4},
        benchmark=there,
    )
    one, unrun = judged(synthetic)
    assert (unrun.claim.name, unrun.status) == ("half", "not run")  # but for a row that CLAIM needs
    assert one.family == 3  # CLAIM, which ran, and two of ELSEWHERE; an equivalence is not run there


def test_a_verdict_from_one_draw_says_so_and_which_are_missing(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4})
    (one,) = judged(synthetic)
    assert note(one) == "on 1 of 3 draws"
    assert one.unrun == ("microworld/small/draw2", "microworld/small/draw3")
    assert "power 73 %, 3 seeds, 1 of 1 draws agree; on 1 of 3 draws" in told(synthetic)
    found = judged_object(one)
    assert (found["agree"], found["draws_asked"], found["draws_missing"]) == (1, 3, list(one.unrun))
    assert found["draws"][0]["seeds"] == [3, 3]


def test_all_draws_need_no_word(synthetic: Synthetic):
    for draw in ("", "/draw2", "/draw3"):
        where = f"retrieval@microworld/small{draw}:sentence"
        rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4}, benchmark=where)
    (one,) = judged(synthetic)
    assert (one.unrun, note(one)) == ((), "")
    assert "3 seeds, 3 of 3 draws agree" in told(synthetic)


def test_published_files_have_no_other_draws(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4}, benchmark="retrieval@didemo:sentence")
    (one,) = judged(synthetic)
    assert (one.asked, note(one)) == (("didemo",), "")


def test_seeds_that_were_lost_are_said_everywhere(synthetic: Synthetic):
    for variant, value in (("full", 0.7), ("no-audio", 0.4)):
        for seed in range(2):
            synthetic.trial(
                variant=variant, seed=seed, metrics={"recall_at_1": value + SURE * seed},
                record={"paper": {"claims": [CLAIM]}},
            )  # fmt: skip
    synthetic.failed_fit(variant="no-audio", seed=2, error="loss is NaN\nat step 12")
    (one,) = judged(synthetic)
    lost = "jsfusion · no-audio lost 1 seed (seed 2: loss is NaN at step 12)"
    assert note(one) == f"on 1 of 3 draws; {lost}"
    assert judged_object(one)["caveats"] == [lost]
    assert lost in told(synthetic)
    found = boards(load(synthetic.uri))
    page = paper_page(judge(claims_in(found), found), found, "JSFusion")
    assert [line.note for line in page["worlds"]["microworld/small"]] == [f"on 1 of 3 draws; {lost}"]


def test_seeds_of_one_fit_are_given_it(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7}, upstream=["f" * 64])
    rows(synthetic, CLAIM, values={"no-audio": 0.4})
    (one,) = judged(synthetic)
    assert judged_object(one)["caveats"] == [
        "given upstream: the seeds of jsfusion start from one shared fit, whose own spread is not in theirs"
    ]


def test_a_caveat_of_one_draw_names_it_and_that_of_a_draw_left_out_is_no_matter(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4})
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4}, benchmark=SECOND, upstream=["f" * 64])
    third = "retrieval@microworld/small/draw3:sentence"
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4}, benchmark=third, seeds=1)
    (one,) = judged(synthetic)
    assert one.caveats == (
        "given upstream: the seeds of jsfusion and of jsfusion · no-audio start from one shared fit, whose own spread is not in theirs "
        "(on microworld/small/draw2)",
    )


def test_a_row_whose_every_seed_failed_says_why_it_is_not_there(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7})
    tags = {"rb.error": "loss is NaN at step 12"}
    synthetic.trial(variant="no-audio", status="FAILED", tags=tags)
    (one,) = judged(synthetic)
    assert one.status == "not run"
    lost = "jsfusion · no-audio on microworld/small (seed 0: loss is NaN at step 12)"
    assert (one.missing, note(one)) == ((lost,), f"without {lost}")


CIDER = CLAIM | {"metric": "cider"}


def unscored(synthetic: Synthetic, **tags: str) -> None:
    """A row that ran on two seeds; MLflow has no number of seed 1's CIDEr, which was not finite."""
    for seed in range(2):
        values = {"recall_at_1": 0.5} | ({} if seed else {"cider": 1.0})
        synthetic.trial(
            variant="no-audio", seed=seed, metrics=values, tags=tags, record={"paper": {"claims": [CIDER]}}
        )


def test_a_score_that_is_not_finite_is_not_a_row_that_was_not_run(synthetic: Synthetic):
    rows(synthetic, CIDER, values={"full": 0.7}, metric="cider")
    unscored(synthetic)
    (one,) = judged(synthetic)
    assert (one.status, one.missing) == ("not judged", ())
    assert note(one) == "a seed's score of jsfusion · no-audio is not finite"
    assert f"not judged            {CLAIM['name']}" in told(synthetic)


def test_two_sides_without_a_score_are_a_claim_nonetheless(synthetic: Synthetic):
    swapped = CIDER | {"left": {"variant": "no-audio"}, "right": {"variant": "full"}}
    synthetic.trial(metrics={"recall_at_1": 0.5}, record={"paper": {"claims": [swapped]}})
    unscored(synthetic)
    (one,) = judged(synthetic)
    assert note(one).startswith("a seed's score of jsfusion · no-audio is not finite")


def test_a_preset_that_can_be_judged_goes_before_one_that_cannot(synthetic: Synthetic):
    rows(synthetic, CIDER, values={"full": 0.7, "no-audio": 0.4}, metric="cider")
    rows(synthetic, CIDER, values={"full": 0.9}, metric="cider", preset="base")
    unscored(synthetic, **{"rb.preset": "base", "rb.label": "no-audio/base/own"})
    (one,) = judged(synthetic)
    assert (one.rows, one.verdict) == ("tiny, match", "holds")


def test_an_equivalence_shows_the_interval_of_its_two_tests(synthetic: Synthetic):
    rows(synthetic, CLAIM | {"kind": "equivalent"}, values={"full": 0.5, "no-audio": 0.5})
    (one,) = judged(synthetic)
    assert one.lead is not None
    assert (one.level, one.confidence) == (pytest.approx(0.95), pytest.approx(0.9))
    line = claim_line(one, SPECS[0])
    assert line.confidence == "at 90 %, two one-sided tests"
    assert f"{line.effect} {line.interval} at 90 %, two one-sided tests, claimed ± 2.00" in told(synthetic)
    found = judged_object(one)
    assert found["confidence"] == pytest.approx(0.9)
    assert found["interval"] == found["draws"][0]["interval"] == pytest.approx(one.lead.interval(0.9))


@pytest.mark.parametrize("estimate", [0.0, 0.012, 0.02, 0.05, 0.06, 0.08, -0.08, -0.02])
def test_what_is_shown_of_an_equivalence_agrees_with_its_verdict(estimate):
    found = Contrast(estimate, 0.01, 5.0)
    low, high = found.interval(confidence_of_equivalence(found, 0.03))
    inside, outside = low > -0.03 and high < 0.03, low > 0.03 or high < -0.03
    expected = "holds" if inside else "refuted" if outside else "inconclusive"
    assert judge_equivalent(found, 0.03) == expected


def test_the_json_of_a_claim_that_was_not_run_is_json(synthetic: Synthetic):
    synthetic.trial(metrics={"recall_at_1": 0.4}, record={"paper": {"claims": [CLAIM]}})
    (one,) = judged(synthetic)
    found = json.loads(json.dumps(judged_object(one), allow_nan=False))
    assert (found["agree"], found["times_more"], found["confidence"]) == (None, None, None)
