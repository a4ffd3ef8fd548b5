"""Claims of papers: the rules of STATISTICS.md on hand-made differences, then whole records."""

from __future__ import annotations

import json
import math
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from claimed import CLAIM, SECOND, SURE, filled, judged, lead, rows
from click.testing import CliRunner
from synthetic import SPECS, Synthetic

from reelbench.reports.claims.command import claims as command
from reelbench.reports.claims.judging import claims_in, faults_in, is_control, judge
from reelbench.reports.claims.lines import claim_line, counts, judged_object, note, statement
from reelbench.reports.claims.measuring import world_of
from reelbench.reports.claims.needed import controls_text, draws_of, suite_text
from reelbench.reports.claims.pages import paper_page, summary_page
from reelbench.reports.claims.statement import Side, claims_of, readable_claims
from reelbench.reports.claims.verdict import (
    holm_levels,
    judge_equivalent,
    judge_greater,
    pooled,
    power_for,
    power_for_equivalence,
    weakest,
)
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards
from reelbench.reports.statistics.contrast import Contrast
from reelbench.reports.statistics.family import holm
from reelbench.reports.statistics.power import power_of
from reelbench.suite import builtin_suites, load_suite, parse_suite


@pytest.mark.parametrize(
    ("estimate", "half", "verdict"),
    [
        (0.05, 0.03, "holds"),  # above 0, and at least 0.04
        (0.02, 0.01, "smaller than claimed"),  # above 0, upper end 0.03 below 0.04
        (0.03, 0.02, "inconclusive"),  # above 0, below 0.04, yet 0.05 is possible
        (0.01, 0.02, "refuted"),  # 0 is possible, 0.04 is not
        (-0.03, 0.02, "reversed"),
        (0.01, 0.05, "inconclusive"),
    ],
)
def test_verdicts_of_an_effect_of_at_least_four_points(estimate, half, verdict):
    assert judge_greater(lead(estimate, half), 0.04) == verdict


@pytest.mark.parametrize(
    ("estimate", "half", "verdict"),
    [(0.0, 0.01, "holds"), (0.08, 0.01, "refuted"), (-0.08, 0.01, "refuted"), (0.0, 0.2, "inconclusive")],
)
def test_verdicts_of_an_equivalence_within_three_points(estimate, half, verdict):
    assert judge_equivalent(lead(estimate, half), 0.03) == verdict


def test_a_claim_of_several_differences_is_as_good_as_its_weakest():
    assert weakest(["holds", "inconclusive", "holds"]) == "inconclusive"
    assert weakest(["holds", "reversed", "refuted"]) == "reversed"


def test_levels_are_those_of_holms_steps():
    p = [0.001, 0.04, 0.012, 0.5]
    # sorted .001 (0.05/4), .012 (0.05/3), .04 (0.05/2: fails), .5 shares its level
    assert holm_levels(p) == pytest.approx([1 - 0.05 / 4, 1 - 0.05 / 2, 1 - 0.05 / 3, 1 - 0.05 / 2])
    assert [x < 0.05 for x in holm(p)] == [True, False, True, False]


def test_draws_of_a_world_are_pooled_as_independent():
    found = pooled([Contrast(0.1, 0.03, 10), Contrast(0.2, 0.04, 10)])
    assert found.estimate == pytest.approx(0.15)
    assert found.error == pytest.approx(math.hypot(0.03, 0.04) / 2)
    # (9 + 16)^2 / (81 / 10 + 256 / 10), the halves cancel
    assert found.freedom == pytest.approx(625 / 33.7)


def test_a_pooled_difference_counts_terms_without_an_end_to_their_freedom():
    # V = 1/4 each; (1/2)^2 / (1/16 / 10) = 40: the surer half makes it surer
    assert pooled([Contrast(0.1, 1.0, 10), Contrast(0.1, 1.0, math.inf)]).freedom == pytest.approx(40)


def test_power_of_an_equivalence_is_that_of_both_tests():
    error, rng = 0.01, np.random.default_rng(0)
    drawn = [judge_equivalent(Contrast(x, error, math.inf), 0.025) for x in rng.normal(0, error, 3000)]
    found = power_for_equivalence(Contrast(0.3, error, math.inf), 0.025, 1)
    assert found == pytest.approx(drawn.count("holds") / len(drawn), abs=0.03)
    assert power_for_equivalence(lead(0.0, 0.2), 0.03, 1) == 0.0
    assert power_for_equivalence(lead(0.0, 0.2), 0.0, 1) is None


def test_a_claim_of_any_lead_has_no_power():
    assert power_for(lead(0.1, 0.2), 0.0, 1) is None
    assert power_for(lead(0.1, 0.02), 0.1, 1) > 0.99


def test_a_claim_is_read_with_its_sides():
    (greater,) = claims_of("jsfusion", {"claims": [CLAIM]})
    assert greater.pairs() == [(Side("jsfusion"), Side("jsfusion", "no-audio"))]
    several = CLAIM | {"kind": "ordered", "rows": [{"variant": "a"}, {"variant": "b"}, {"method": "vse"}]}
    (ordered,) = claims_of("jsfusion", {"claims": [several]})
    a, b, c = Side("jsfusion", "a"), Side("jsfusion", "b"), Side("vse")
    assert ordered.pairs() == [(a, b), (b, c)]
    (best,) = claims_of("jsfusion", {"claims": [several | {"kind": "best_of"}]})
    assert best.pairs() == [(a, b), (a, c)]


def test_the_same_row_is_not_two_sides():
    with pytest.raises(
        ValueError, match="'sound-helps' of jsfusion: jsfusion · no-audio is on more than one"
    ):
        claims_of("jsfusion", {"claims": [CLAIM | {"left": {"variant": "no-audio"}}]})


def test_a_side_that_names_its_recipe_is_that_row(synthetic: Synthetic):
    left, right = ({"variant": "full", "recipe": recipe} for recipe in ("tuned", "shared"))
    claim = CLAIM | {"left": left, "right": right}
    for recipe, value in (("tuned", 0.7), ("shared", 0.4), ("other", 0.9)):
        for seed in range(3):
            tags = {"rb.recipe": recipe, "rb.label": recipe, "rb.fingerprint.score": f"{recipe} {seed}"}
            values, record = {"recall_at_1": value + SURE * seed}, {"paper": {"claims": [claim]}}
            synthetic.trial(seed=seed, metrics=values, tags=tags, record=record)
    (one,) = judged(synthetic)
    assert (one.verdict, one.rows) == ("holds", "tiny, tuned, shared")
    assert one.lead is not None
    assert one.lead.estimate == pytest.approx(0.3, abs=1e-5)
    assert statement(one) == "full · tuned beats full · shared"
    sides = judged_object(one)["sides"]
    assert [side["recipe"] for side in sides] == ["tuned", "shared"]


def test_the_claim_of_the_authors_page_is_read():
    page = (Path(__file__).parents[2] / "docs/methods.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(\[paper\].*?)```", page, re.DOTALL)
    (claim,) = claims_of("jsfusion", tomllib.loads(block))
    assert (claim.name, claim.control_world, claim.minimum_effect) == ("sound-helps", "no-audio", 0.005)


def test_a_malformed_claim_is_named():
    with pytest.raises(ValueError, match="claim 'sound-helps' of jsfusion: kind is 'better'"):
        claims_of("jsfusion", {"claims": [CLAIM | {"kind": "better"}]})


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({k: v for k, v in CLAIM.items() if k != "metric"}, "it has no metric"),
        (CLAIM | {"minimum_effect": -1}, "minimum_effect is -1.0"),
        (CLAIM | {"minimum_effect": "much"}, "could not convert"),
        (CLAIM | {"rows": [{"variant": "a"}]}, "greater of 1 rows"),
        (CLAIM | {"left": "full"}, "no attribute"),
        ("sound helps", "of jsfusion: "),
    ],
)
def test_a_recorded_claim_that_cannot_be_read_leaves_the_others(entry, told):
    claims, (fault,) = readable_claims("jsfusion", {"claims": [entry, CLAIM]})
    assert [claim.name for claim in claims] == ["sound-helps"]
    assert told in fault


def test_draws_and_controls_are_read_from_the_dataset():
    assert world_of("microworld/small/no-gaze/draw2") == "microworld/small/no-gaze"
    assert is_control("microworld/small/no-gaze/draw2")
    assert not is_control("microworld/small/draw2")


def test_a_claim_that_the_record_bears_out_holds(synthetic: Synthetic):
    (one,) = judged(filled(synthetic, 0.2))
    assert (one.verdict, one.agree, len(one.draws)) == ("holds", 1, 1)
    assert one.lead is not None
    assert one.lead.estimate == pytest.approx(0.2, abs=1e-5)
    assert statement(one) == "full beats no-audio"


def test_a_claim_that_goes_the_other_way_is_reversed(synthetic: Synthetic):
    (one,) = judged(filled(synthetic, -0.2))
    assert one.verdict == "reversed"


def test_draws_of_one_world_are_judged_together_and_count_how_many_agree(synthetic: Synthetic):
    filled(synthetic, 0.2)
    filled(synthetic, 0.3, dataset="microworld/small/draw2")
    (one,) = judged(synthetic)
    assert one.lead is not None
    assert one.lead.estimate == pytest.approx(0.25, abs=1e-5)
    assert (one.agree, [d.dataset for d in one.draws]) == (2, ["microworld/small", "microworld/small/draw2"])


def test_a_control_world_is_a_world_of_its_own(synthetic: Synthetic):
    filled(synthetic, 0.2)
    filled(synthetic, 0.0, dataset="microworld/small/no-audio")
    worlds = {one.world: one for one in judged(synthetic)}
    assert worlds["microworld/small"].verdict == "holds"
    assert worlds["microworld/small/no-audio"].is_control
    assert worlds["microworld/small/no-audio"].verdict != "holds"


def test_one_seed_is_no_verdict_and_yet_one_of_the_family(synthetic: Synthetic):
    second = CLAIM | {"name": "attention-helps", "right": {"variant": "no-attention"}}
    rows(synthetic, CLAIM, second, values={"full": 0.7, "no-attention": 0.4})
    rows(synthetic, CLAIM, second, values={"no-audio": 0.4}, seeds=1)
    one, other = judged(synthetic)
    assert (one.verdict, one.why, one.status) == (None, "one seed", "not judged")
    assert one.lead is not None
    assert one.lead.estimate == pytest.approx(0.3, abs=1e-5)
    line = claim_line(one, SPECS[0])
    assert line.note == (
        "one seed; given the one seed of jsfusion · no-audio: what another would give is not in the interval"
    )
    assert line.interval
    assert (other.verdict, other.level) == ("holds", pytest.approx(1 - 0.05 / 2))  # the first of two
    assert counts([one, other]) == {"holds": 1, "not judged": 1}


def test_a_deterministic_row_needs_no_second_seed(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4}, seeds=1, deterministic=True)
    (one,) = judged(synthetic)
    assert one.verdict == "holds"


def test_few_clusters_are_no_verdict(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4}, clusters=9)
    (one,) = judged(synthetic)
    assert (one.verdict, one.why) == (None, "too few clusters")
    assert one.lead is not None


def test_an_error_that_cannot_be_told_is_no_verdict_and_no_number_of_the_json(
    synthetic: Synthetic, monkeypatch
):
    untold = Contrast(0.3, math.inf, math.inf)
    monkeypatch.setattr("reelbench.reports.claims.measuring.contrast", lambda left, right: untold)
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4})
    (one,) = judged(synthetic)
    assert (one.verdict, one.why, one.lead) == (None, "its error cannot be told", None)
    assert json.loads(json.dumps(judged_object(one), allow_nan=False))["effect"] is None


def test_rows_of_different_test_sets_are_not_compared(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7}, clusters=20)
    rows(synthetic, CLAIM, values={"no-audio": 0.4}, clusters=30)
    (one,) = judged(synthetic)
    assert (one.verdict, one.why, one.lead) == (None, "scored on different test sets", None)
    assert json.dumps(judged_object(one), allow_nan=False)


def test_a_draw_with_one_seed_is_left_out_of_sound_ones_and_named(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4})
    rows(synthetic, CLAIM, values={"full": 0.4, "no-audio": 0.4}, seeds=1, benchmark=SECOND)
    (one,) = judged(synthetic)
    assert one.lead is not None
    assert (one.verdict, one.lead.estimate) == ("holds", pytest.approx(0.3, abs=1e-5))
    assert note(one) == "on 1 of 3 draws; without microworld/small/draw2: one seed"


def test_each_protocol_that_has_the_rows_is_judged(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4})
    rows(
        synthetic,
        CLAIM,
        values={"full": 0.4, "no-audio": 0.7},
        benchmark="retrieval@microworld/small:uniform-4",
    )
    rows(synthetic, CLAIM, values={"full": 0.4}, benchmark="retrieval@microworld/small:paragraph")
    synthetic.trial("vse", role="baseline", benchmark="retrieval@microworld/small:observed-2")
    found = {one.protocol: one.status for one in judged(synthetic)}
    assert found == {"sentence": "holds", "uniform-4": "reversed", "paragraph": "not run"}


def test_a_protocol_of_a_baseline_alone_is_no_matter_unless_the_claim_names_it(synthetic: Synthetic):
    against, elsewhere = CLAIM | {"right": {"method": "vse"}}, "retrieval@microworld/small:paragraph"
    named = against | {"name": "named", "benchmark": "retrieval:paragraph"}
    rows(synthetic, against, named, values={"full": 0.7})
    for seed in range(2):
        synthetic.trial("vse", role="baseline", seed=seed, metrics={"recall_at_1": 0.4})
        synthetic.trial("vse", role="baseline", seed=seed, benchmark=elsewhere)
    found = {(one.claim.name, one.protocol): one.status for one in judged(synthetic)}
    assert found == {("sound-helps", "sentence"): "holds", ("named", "paragraph"): "not run"}


def test_both_sides_are_of_one_preset_and_scores_do_not_choose_it(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.9}, preset="base")
    rows(synthetic, CLAIM, values={"full": 0.5, "no-audio": 0.4}, preset="tiny")
    (one,) = judged(synthetic)
    assert one.lead is not None
    assert (one.rows, one.lead.estimate) == ("tiny, match", pytest.approx(0.1, abs=1e-5))
    rows(synthetic, CLAIM, values={"no-audio": 0.95}, preset="base")
    (one,) = judged(synthetic)
    assert one.lead is not None
    assert (one.rows, one.lead.estimate) == ("base, match", pytest.approx(-0.05, abs=1e-5))
    assert claim_line(one, SPECS[0]).rows == "base, match"


def test_of_rows_with_changed_values_the_better_is_not_taken(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.5, "no-audio": 0.4})
    rows(synthetic, CLAIM, values={"full": 0.9}, origins={"hidden": "suite"})
    (one,) = judged(synthetic)
    assert one.lead is not None
    assert one.lead.estimate == pytest.approx(0.1, abs=1e-5)


def test_a_failed_row_does_not_erase_the_claims_of_its_method(synthetic: Synthetic):
    filled(synthetic, 0.2)
    for variant in ("a-first", "z-last"):
        synthetic.trial(variant=variant, status="FAILED")
    synthetic.trial(variant="bare", artifacts=False)
    assert [one.verdict for one in judged(synthetic)] == ["holds"]


def test_several_differences_show_the_lowest_and_draws_agree_on_all_of_them(synthetic: Synthetic):
    best = CLAIM | {"kind": "best_of", "rows": [{"variant": v} for v in ("full", "a", "b")]}
    rows(synthetic, best, values={"full": 0.5, "a": 0.7, "b": 0.9})
    rows(synthetic, best, values={"full": 0.5, "a": 0.6, "b": 0.1}, benchmark=SECOND)
    (one,) = judged(synthetic)
    # in the mean a leads by 0.15, b by nothing; both a's are reversed, whatever b says
    assert (one.verdict, one.pair) == ("reversed", (Side("jsfusion"), Side("jsfusion", "a")))
    assert claim_line(one, SPECS[0]).shown == "full – a"
    assert one.agree == 2


def test_a_draw_that_fails_another_pair_than_the_shown_one_does_not_agree(synthetic: Synthetic):
    best = CLAIM | {"kind": "best_of", "rows": [{"variant": v} for v in ("full", "a", "b")]}
    rows(synthetic, best, values={"full": 0.9, "a": 0.4, "b": 0.5})
    rows(synthetic, best, values={"full": 0.9, "a": 0.2, "b": 1.0}, benchmark=SECOND)
    (one,) = judged(synthetic)
    assert (one.verdict, one.pair) == ("holds", (Side("jsfusion"), Side("jsfusion", "b")))
    assert [draw.verdict for draw in one.draws] == ["holds", "reversed"]
    assert claim_line(one, SPECS[0]).agree == "1 of 2"


def test_a_verdict_says_on_how_many_draws_and_what_is_missing(synthetic: Synthetic):
    rows(synthetic, CLAIM, values={"full": 0.7, "no-audio": 0.4})
    rows(synthetic, CLAIM, values={"full": 0.7}, benchmark=SECOND)
    (one,) = judged(synthetic)
    assert one.verdict == "holds"
    assert note(one) == "on 1 of 3 draws; without jsfusion · no-audio on microworld/small/draw2"


def test_a_lead_on_a_metric_of_which_less_is_better_is_said_to_be_one(synthetic: Synthetic):
    rows(
        synthetic,
        CLAIM | {"metric": "median_rank"},
        values={"full": 5.0, "no-audio": 9.0},
        metric="median_rank",
    )
    (one,) = judged(synthetic)
    line = claim_line(one, SPECS[2])
    assert (line.verdict, line.effect[:3], line.shown) == ("holds", "+4.", "lead of full (lower is better)")


def test_an_equivalence_is_claimed_around_nought(synthetic: Synthetic):
    rows(synthetic, CLAIM | {"kind": "equivalent"}, values={"full": 0.5, "no-audio": 0.5})
    (one,) = judged(synthetic)
    assert claim_line(one, SPECS[0]).wanted == "± 2.00"


def test_control_worlds_count_the_claims_about_what_they_lack(synthetic: Synthetic):
    about = CLAIM | {"control": "no-audio"}
    equal = about | {"name": "equal", "kind": "equivalent"}
    other = CLAIM | {"name": "other"}
    for world in ("no-audio", "no-gaze"):
        where = f"retrieval@microworld/small/{world}:sentence"
        rows(synthetic, about, equal, other, values={"full": 0.7, "no-audio": 0.4}, benchmark=where)
    found = boards(load(synthetic.uri))
    every = judge(claims_in(found), found)
    assert [(o.claim.name, o.world) for o in every if o.tested_as == "control"] == [
        ("sound-helps", "microworld/small/no-audio")
    ]
    assert "1 of 1 hold (at most 5 % should)" in summary_page(every, found, {})["control"]
    unnamed = [one for one in every if one.claim.name == "other"]
    told = summary_page(unnamed, found, {})["control"]
    assert "2 of 2 hold" in told
    assert "5 %" not in told


def test_what_a_lead_in_a_control_world_says_is_counted_and_shown_apart(synthetic: Synthetic):
    about, leak = CLAIM | {"control": "no-audio"}, CLAIM | {"name": "leak", "leak_check": "no-audio"}
    more = CLAIM | {"name": "more", "remainder": "no-audio"}
    for world in ("", "/no-audio"):
        where = f"retrieval@microworld/small{world}:sentence"
        rows(synthetic, about, leak, more, values={"full": 0.7, "no-audio": 0.4}, benchmark=where)
    told = CliRunner().invoke(command, ["--store", synthetic.uri]).output
    assert "claims about what alone is missing there, 1 of 1 hold (at most 5 % should)" in told
    assert (
        "Of checks for leaks, where neither side has anything to go by, 1 of 1 hold (at most 5 % should)"
        in told
    )
    assert "1 of 1 hold: what is left of their gain has other reasons" in told
    for words in ("; in", "; check for leaks in", "; left in"):
        assert told.count(f"{words} no-audio: holds") == 1
    found = json.loads(CliRunner().invoke(command, ["--store", synthetic.uri, "--json"]).stdout)
    kinds = ("control", "leak_check", "remainder")
    assert found["controls"] == {kind: {"judged": 1, "hold": 1} for kind in kinds}
    text = controls_text(claims_of("jsfusion", {"claims": [leak]}), "microworld/small", 1)
    assert "retrieval@microworld/small/no-audio:*" in text


def test_a_claim_has_one_control_world_of_one_kind():
    with pytest.raises(ValueError, match="'sound-helps' of jsfusion: it has both control and leak_check"):
        claims_of("jsfusion", {"claims": [CLAIM | {"control": "no-audio", "leak_check": "no-audio"}]})


def test_a_malformed_claim_in_the_record_is_a_line_of_the_page(synthetic: Synthetic, tmp_path):
    from reelbench.reports.render import draw_site

    rows(synthetic, CLAIM, CLAIM | {"name": "odd", "kind": "better"}, values={"full": 0.7, "no-audio": 0.4})
    draw_site(synthetic.uri, tmp_path / "site")
    assert "Left out: claim &#39;odd&#39; of jsfusion" in (tmp_path / "site/claims/index.html").read_text()
    told = CliRunner().invoke(command, ["--store", synthetic.uri])
    assert "1 holds" in told.output
    assert len(faults_in(boards(load(synthetic.uri)))) == 1


def test_the_suite_names_protocols_where_claims_do_and_each_benchmark_once():
    several = [
        CLAIM,
        CLAIM | {"name": "b", "benchmark": "retrieval:paragraph"},
        CLAIM | {"name": "c", "benchmark": "gaze:frames"},
    ]
    text = suite_text(claims_of("jsfusion", {"claims": several}), ["microworld/small"])
    suite = parse_suite(text, origin="x", default_name="x")
    assert suite.benchmarks == ("gaze@microworld/small:frames", "retrieval@microworld/small:*")
    assert suite.methods[0].benchmarks == ("gaze@*:frames", "retrieval@*:*")


def test_the_shipped_suite_is_what_the_registered_papers_need(tmp_path):
    told = CliRunner().invoke(command, ["--write-suite", str(tmp_path / "claims.toml")])
    assert told.exit_code == 0, told.output
    made = (tmp_path / "claims.toml").read_text(encoding="utf-8")
    assert builtin_suites()["claims"] == made, (
        "run `reelbench claims --write-suite harness/suites/claims.toml`"
    )
    suite = load_suite("claims")
    assert (len(suite.seeds), suite.preset) == (5, "tiny")


def test_the_shipped_suite_of_controls_is_what_claims_name(tmp_path):
    path = tmp_path / "controls.toml"
    told = CliRunner().invoke(command, ["--controls", "--write-suite", str(path)])
    assert told.exit_code == 0, told.output
    assert builtin_suites()["controls"] == path.read_text(encoding="utf-8"), (
        "run `reelbench claims --controls --write-suite harness/suites/controls.toml`"
    )


def test_a_row_is_run_in_the_control_worlds_of_its_own_claims_alone():
    several = [
        CLAIM | {"control": "no-audio"},
        CLAIM | {"name": "b", "benchmark": "gaze:frames", "control": "no-gaze", "right": {"method": "x"}},
        CLAIM | {"name": "c", "kind": "equivalent", "control": "no-order", "right": {"method": "y"}},
        CLAIM | {"name": "d", "right": {"method": "z"}},
    ]
    text = controls_text(claims_of("jsfusion", {"claims": several}), "microworld/small", 2)
    suite = parse_suite(text, origin="x", default_name="x")
    assert suite.benchmarks == (
        "retrieval@microworld/small/no-audio:*",
        "gaze@microworld/small/no-gaze:frames",
        "retrieval@microworld/small/no-audio/draw2:*",
        "gaze@microworld/small/no-gaze/draw2:frames",
    )
    assert {(m.name, *m.variants): m.benchmarks for m in suite.methods} == {
        ("jsfusion", "full"): ("retrieval@*/no-audio:*", "gaze@*/no-gaze:frames"),
        ("jsfusion", "no-audio"): ("retrieval@*/no-audio:*",),
        ("x", "full"): ("gaze@*/no-gaze:frames",),
    }


def test_every_control_that_a_shipped_claim_names_is_a_world():
    from reelbench.reports.claims.command import _known
    from reelbench.tasks.datasets.microworld.sizes import CONTROLS

    named = [claim.control_world for claim in _known(()) if claim.control_world]
    assert set(named) <= set(CONTROLS)
    assert len(named) >= 20


def test_a_claim_says_what_became_of_it_in_its_control_world(synthetic: Synthetic):
    about = CLAIM | {"control": "no-audio"}
    rows(synthetic, about, CLAIM | {"name": "unnamed"}, values={"full": 0.7, "no-audio": 0.4})
    before = CliRunner().invoke(command, ["--store", synthetic.uri]).output
    assert before.count("in no-audio: not run") == 1
    where = "retrieval@microworld/small/no-audio:sentence"
    rows(synthetic, about, values={"full": 0.5, "no-audio": 0.5}, benchmark=where)
    told = CliRunner().invoke(command, ["--store", synthetic.uri]).output
    assert told.count("in no-audio: refuted") == 1
    assert "0 of 1 hold (at most 5 % should)" in told
    counted = json.loads(CliRunner().invoke(command, ["--store", synthetic.uri, "--json"]).stdout)["controls"]
    assert counted["control"] == {"judged": 1, "hold": 0}
    found = boards(load(synthetic.uri))
    page = paper_page(judge(claims_in(found), found), found, "JSFusion")
    assert [line.control[:20] for line in page["worlds"]["microworld/small"]] == ["in no-audio: refuted", ""]


def test_a_row_that_was_not_run_is_said(synthetic: Synthetic):
    synthetic.trial(metrics={"recall_at_1": 0.4}, record={"paper": {"claims": [CLAIM]}})
    (one,) = judged(synthetic)
    assert one.verdict is None
    assert one.missing == ("jsfusion · no-audio on microworld/small",)
    assert counts([one]) == {"not run": 1}


def test_a_benchmark_without_any_of_its_rows_is_no_matter(synthetic: Synthetic):
    others = {"left": {"method": "a", "variant": "full"}, "right": {"method": "b", "variant": "full"}}
    synthetic.trial("vse", record={"paper": {"claims": [CLAIM | others]}})
    assert judged(synthetic) == []


def test_the_command_prints_verdicts_and_json(synthetic: Synthetic):
    filled(synthetic, 0.2)
    told = CliRunner().invoke(command, ["--store", synthetic.uri])
    assert "jsfusion on microworld/small: 1 holds" in told.output
    whole = json.loads(CliRunner().invoke(command, ["--store", synthetic.uri, "--json"]).output)
    assert whole["claims"][0]["verdict"] == "holds"
    assert whole["claims"][0]["draws"][0]["dataset"] == "microworld/small"


def test_the_suite_has_every_row_once_on_every_draw():
    known = claims_of("jsfusion", {"claims": [CLAIM, CLAIM | {"name": "b", "right": {"method": "vse"}}]})
    suite = parse_suite(suite_text(known, draws_of("microworld/small", 2)), origin="x", default_name="x")
    assert suite.seeds == (0, 1, 2, 3, 4)
    assert suite.benchmarks == ("retrieval@microworld/small:*", "retrieval@microworld/small/draw2:*")
    assert [(m.name, m.variants) for m in suite.methods] == [
        ("jsfusion", ("full",)),
        ("jsfusion", ("no-audio",)),
        ("vse", ("full",)),
    ]


def test_a_site_with_claims_has_their_pages(synthetic: Synthetic, tmp_path):
    from reelbench.reports.render import draw_site

    filled(synthetic, 0.2)
    draw_site(synthetic.uri, tmp_path / "site")
    assert "1 holds" in (tmp_path / "site/index.html").read_text()
    assert "full beats no-audio" in (tmp_path / "site/claims/jsfusion.html").read_text()
    assert 'href="jsfusion.html"' in (tmp_path / "site/claims/index.html").read_text()


def test_what_the_command_prints_cannot_drive_a_terminal(synthetic: Synthetic):
    hostile = {"paper": {"claims": [CLAIM | {"name": "x\x1b[31m\u202egnp", "where": "\x1b]0;owned\x07"}]}}
    for seed in range(2):
        for variant in ("full", "no-audio"):
            synthetic.trial(variant=variant, seed=seed, record=hostile)
    told = CliRunner().invoke(command, ["--store", synthetic.uri]).output
    assert "⟨U+001B⟩" in told
    assert not {"\x1b", "\u202e", "\x07"} & set(told)


@pytest.mark.parametrize("freedom", [1.5, 10.0, 114.6, 500.0])
def test_the_power_of_a_large_effect_is_a_number(freedom: float) -> None:
    found = [power_of(shift, 1.0, freedom, 20) for shift in (1.0, 5.0, 11.3, 40.0, 300.0)]
    assert all(0 < power <= 1 for power in found)
    assert found == sorted(found)
