"""Hostile captions on the page of a comparison, and hostile text of claims on their pages, in JSON and in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from claimed import CLAIM
from click.testing import CliRunner
from harmless import SHOWN, UNSEEN, read
from synthetic import HOSTILE, SPECS, Synthetic

from reelbench.cli.score import score
from reelbench.reports.claims.command import claims
from reelbench.reports.comparison.command import compare
from reelbench.reports.render import draw_site

BENCHMARK = "captioning@microworld/smoke"


@pytest.fixture(scope="module")
def captioned(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with two rows of captions made elsewhere; of one, each is hostile."""
    folder = tmp_path_factory.mktemp("captioned")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    places = ["--benchmark", BENCHMARK, "--store", uri, "--workspace", str(folder / "work")]
    assert CliRunner().invoke(score, [*places, "--questions", str(folder / "asked")]).exit_code == 0
    ids = [json.loads(line)["id"] for line in (folder / "asked").read_text().splitlines()]
    for label, caption in (("bad", HOSTILE), ("good", "she walks")):
        path = folder / f"{label}.jsonl"
        path.write_text("\n".join(json.dumps({"id": i, "caption": caption}) for i in ids))
        told = CliRunner().invoke(score, [*places, "--predictions", str(path), "--label", label])
        assert told.exit_code == 0, told.output
    return uri


def test_a_caption_that_was_predicted_is_text_on_the_page_of_a_comparison(captioned: str, tmp_path: Path):
    told = CliRunner().invoke(compare, ["bad", "good", "--store", captioned, "--out", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert not UNSEEN.search(told.output)
    (page,) = tmp_path.rglob("*.html")
    tags = read(page.read_text(encoding="utf-8"))
    assert tags.found.count("article") >= 3  # examples, each with what both rows said
    assert tags.text.count(SHOWN) == tags.found.count("article")
    assert "she walks" in tags.text
    assert not {"iframe", "object", "embed", "form"} & set(tags.found)


def test_the_same_on_the_benchmarks_own_page(captioned: str, tmp_path: Path):
    folder = draw_site(captioned, tmp_path / "site").parent
    found = [read(page.read_text(encoding="utf-8")) for page in folder.rglob("*.html")]
    assert any(SHOWN in tags.text for tags in found)


def test_json_of_a_comparison_has_no_control_that_a_terminal_would_obey(captioned: str):
    told = CliRunner().invoke(compare, ["bad", "good", "--store", captioned, "--json"])
    assert json.loads(told.output)["comparisons"]
    assert not UNSEEN.search(told.output)


@pytest.fixture
def claimed(synthetic: Synthetic) -> Synthetic:
    """A paper whose claims are hostile wherever they have text: two that are judged, one that cannot be read."""
    sides = {"left": {"variant": "full"}, "right": {"variant": HOSTILE}}
    paper = [
        CLAIM | {"name": HOSTILE, "where": HOSTILE} | sides,
        CLAIM | {"name": "again", "where": HOSTILE, "kind": "equivalent"} | sides,
        CLAIM | {"name": HOSTILE, "kind": HOSTILE},
    ]
    record = {
        "paper": {"claims": paper},
        "metric_specs": [SPECS[0] | {"title": HOSTILE}, *SPECS[1:]],
    }
    for seed in range(3):
        for variant in ("full", HOSTILE):
            synthetic.trial(variant=variant, seed=seed, title=HOSTILE, record=record)
    return synthetic


def test_text_of_claims_is_text_on_their_pages(claimed: Synthetic, tmp_path: Path):
    folder = draw_site(claimed.uri, tmp_path / "site").parent
    pages = {page.name: read(page.read_text(encoding="utf-8")) for page in folder.glob("claims/*.html")}
    assert set(pages) == {"index.html", "jsfusion.html"}
    paper = pages["jsfusion.html"].text
    assert paper.count(SHOWN) >= 5  # the title, the variant and the place of each claim, the metric
    assert f"full beats {SHOWN}" in paper
    assert "Left out: claim '<script>alert(1)</script> [x]" in pages["index.html"].text
    for page in folder.rglob("*.html"):
        read(page.read_text(encoding="utf-8"))


def test_text_of_claims_cannot_drive_a_terminal(claimed: Synthetic):
    told = CliRunner().invoke(claims, ["--store", claimed.uri])
    assert told.exit_code == 0, told.output
    assert "⟨U+001B⟩[31mred" in told.output
    assert not UNSEEN.search(told.output)
    told = CliRunner().invoke(claims, ["--store", claimed.uri, "--json"])
    assert [one["name"] for one in json.loads(told.stdout)["claims"]] == [HOSTILE, "again"]
    assert not UNSEEN.search(told.output)
