"""What the papers report: every number belongs to a variant that can be run, and claims compare such."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from reelbench.plugins.bnlstm.method import BNLSTM
from reelbench.plugins.jsfusion.method import JSFusion
from reelbench.registry import build_registry
from reelbench.resolution import variants_of

PAPERS = {"jsfusion": JSFusion(), "bnlstm": BNLSTM()}


def paper_of(folder):
    return tomllib.loads((files("reelbench.plugins") / folder / "paper.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("folder", "method"), PAPERS.items())
def test_every_reported_variant_can_be_run(folder, method):
    assert {row["variant"] for row in paper_of(folder)["reported"]} <= set(variants_of(method))


@pytest.mark.parametrize("folder", PAPERS)
def test_reported_shares_are_fractions(folder):
    for row in paper_of(folder)["reported"]:
        assert row["metric"].endswith("rank") or 0 < row["value"] < 1, row


@pytest.mark.parametrize(("folder", "method"), PAPERS.items())
def test_claims_compare_known_rows(folder, method):
    methods = build_registry().methods
    for claim in paper_of(folder)["claims"]:
        for side in (claim["left"], claim["right"]):
            assert side["variant"] in variants_of(methods[side.get("method", method.name)])
        assert claim["minimum_effect"] >= 0
        assert claim["where"]


def test_suspected_misprints_are_marked():
    wrong = {
        (r["variant"], r["value"])
        for r in paper_of("jsfusion")["reported"]
        if r.get("misprint") and r["metric"] == "t2v_recall_at_5"
    }
    assert wrong == {("full", 0.112), ("no-audio", 0.109)}
