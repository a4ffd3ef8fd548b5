"""What the papers report: every number belongs to a variant that can be run, and claims compare such."""

from __future__ import annotations

import re

import pytest

from reelbench.papers import read_paper
from reelbench.registry import build_registry
from reelbench.resolution import resolve, variants_of

METHODS = build_registry().methods
PAPERS = {name: read_paper(type(method)) for name, method in METHODS.items()}
PAPERS = {name: paper for name, paper in PAPERS.items() if paper}


def test_every_method_that_is_no_baseline_has_a_paper():
    assert {name for name, method in METHODS.items() if method.role == "method"} <= set(PAPERS)


@pytest.mark.parametrize("name", PAPERS)
def test_every_reported_variant_can_be_run(name):
    rows = PAPERS[name]["reported"]
    assert {row["variant"] for row in rows if "method" not in row} <= set(variants_of(METHODS[name]))
    for row in rows:
        if "method" in row:
            assert row["variant"] in variants_of(METHODS[row["method"]]), row


@pytest.mark.parametrize("name", METHODS)
def test_no_two_variants_are_one_row(name):
    """Equal stages run once, under the first name: a claim about the second would never be run."""
    method, preset = METHODS[name], next(iter(METHODS[name].presets))
    rows = {
        variant: repr(
            [
                resolve(method, recipe, variant, preset, {}).__dict__ | {"origins": None}
                for recipe in method.recipes
            ]
        )
        for variant in variants_of(method)
    }
    assert len(set(rows.values())) == len(rows), rows


@pytest.mark.parametrize("name", PAPERS)
def test_reported_shares_are_fractions(name):
    shares = (
        "recall",
        "accuracy",
        "hit",
        "perr",
        "gap",
        "bleu",
        "meteor",
        "rouge",
        "top_",
        "map",
        "miou",
        "rank_at",
    )
    for row in PAPERS[name]["reported"]:
        if any(word in row["metric"] for word in shares):
            assert 0 <= row["value"] <= 1, row


@pytest.mark.parametrize("name", PAPERS)
def test_claims_compare_known_rows(name):
    for claim in PAPERS[name]["claims"]:
        for side in (claim["left"], claim["right"]):
            assert side["variant"] in variants_of(METHODS[side.get("method", name)]), claim["name"]
        assert claim["minimum_effect"] >= 0
        assert claim["where"]


@pytest.mark.parametrize("name", PAPERS)
def test_a_method_is_held_against_a_baseline_on_each_of_its_tasks(name):
    """STATISTICS.md: the full model against its strongest baseline."""
    rivals = {
        claim["benchmark"].partition(":")[0]
        for claim in PAPERS[name]["claims"]
        if "method" not in claim["left"] and claim["right"].get("method", name) != name
    }
    served = {task for recipe in METHODS[name].recipes.values() for task in recipe.serves}
    assert rivals == {re.split("[:@]", task)[0] for task in served}


def test_what_a_table_calls_vse_lstm_is_the_row_of_that_name():
    """``vse`` is our standing embedding, in no table of that paper: a claim against it is ours, and says so."""
    for claim in PAPERS["jsfusion"]["claims"]:
        if claim["right"].get("method") == "vse":
            assert claim["where"].startswith("ours"), claim["name"]
        elif "(VSE-LSTM)" in claim["where"]:
            assert claim["right"] == {"method": "vse-lstm", "variant": "full"}, claim["name"]


@pytest.mark.parametrize("name", PAPERS)
def test_claims_have_names_of_their_own(name):
    names = [claim["name"] for claim in PAPERS[name]["claims"]]
    assert len(set(names)) == len(names)


def test_suspected_misprints_are_marked():
    wrong = {
        (r["variant"], r["value"])
        for r in PAPERS["jsfusion"]["reported"]
        if r.get("misprint") and r["metric"] == "t2v_recall_at_5"
    }
    assert wrong == {("full", 0.112), ("no-audio", 0.109)}
