"""Claims of papers: the rules of STATISTICS.md on hand-made differences, then whole records."""

from __future__ import annotations

import json
import math

import pytest
from click.testing import CliRunner
from synthetic import Synthetic

from reelbench.reports.claims.command import claims as command
from reelbench.reports.claims.judging import claims_in, is_control, judge, world_of
from reelbench.reports.claims.lines import counts, statement
from reelbench.reports.claims.needed import draws_of, suite_text
from reelbench.reports.claims.statement import Side, claims_of
from reelbench.reports.claims.verdict import (
    holm_levels,
    judge_equivalent,
    judge_greater,
    pooled,
    times_more,
    weakest,
)
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards
from reelbench.reports.statistics.contrast import Contrast
from reelbench.reports.statistics.family import holm
from reelbench.suite import parse_suite

CLAIM = {
    "name": "sound-helps", "kind": "greater", "left": {"variant": "full"}, "right": {"variant": "no-audio"},
    "benchmark": "retrieval", "metric": "recall_at_1", "minimum_effect": 0.02, "where": "Table 2",
}  # fmt: skip
SURE = 1e-6


def lead(estimate: float, half: float) -> Contrast:
    """A difference whose 95 % interval is ``estimate ± half``."""
    return Contrast(estimate, half / 1.959964, math.inf)


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


def test_what_it_takes_grows_with_the_square():
    narrow, wide = times_more(lead(0.0, 0.04), 0.02, 1), times_more(lead(0.0, 0.08), 0.02, 1)
    assert wide == pytest.approx(4 * narrow)
    assert times_more(lead(0.0, 0.001), 0.02, 1) == 1.0


def test_a_claim_is_read_with_its_sides():
    (greater,) = claims_of("jsfusion", {"claims": [CLAIM]})
    assert greater.pairs() == [(Side("jsfusion"), Side("jsfusion", "no-audio"))]
    several = CLAIM | {"kind": "ordered", "rows": [{"variant": "a"}, {"variant": "b"}, {"method": "vse"}]}
    (ordered,) = claims_of("jsfusion", {"claims": [several]})
    a, b, c = Side("jsfusion", "a"), Side("jsfusion", "b"), Side("vse")
    assert ordered.pairs() == [(a, b), (b, c)]
    (best,) = claims_of("jsfusion", {"claims": [several | {"kind": "best_of"}]})
    assert best.pairs() == [(a, b), (a, c)]


def test_a_malformed_claim_is_named():
    with pytest.raises(ValueError, match="claim 'sound-helps' of jsfusion: kind is 'better'"):
        claims_of("jsfusion", {"claims": [CLAIM | {"kind": "better"}]})


def test_draws_and_controls_are_read_from_the_dataset():
    assert world_of("microworld/small/no-gaze/draw2") == "microworld/small/no-gaze"
    assert is_control("microworld/small/no-gaze/draw2")
    assert not is_control("microworld/small/draw2")


def filled(
    synthetic: Synthetic, gap: float, *, seeds: int = 3, dataset: str = "microworld/small"
) -> Synthetic:
    """JSFusion with and without sound, ``gap`` apart on every seed but for a hair."""
    for seed in range(seeds):
        for variant, value in (("full", 0.4 + gap), ("no-audio", 0.4)):
            synthetic.trial(
                variant=variant, seed=seed, benchmark=f"retrieval@{dataset}:sentence",
                metrics={"recall_at_1": value + SURE * seed}, record={"paper": {"claims": [CLAIM]}},
            )  # fmt: skip
    return synthetic


def judged(synthetic: Synthetic):
    found = boards(load(synthetic.uri))
    return judge(claims_in(found), found)


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
