"""The site as files: what is drawn, where it leads, and what happens when it is drawn again."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from synthetic import BENCHMARK, Synthetic

from reelbench.errors import TrackingError
from reelbench.reports.command import report
from reelbench.reports.render import draw_site
from reelbench.reports.writer import SiteWriter


class Page(HTMLParser):
    """Addresses, text and elements of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [v or "" for k, v in attrs if k in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_every_address_leads_to_a_file_of_the_site(site: Path):
    for path in site.rglob("*.html"):
        for address in Page(path).addresses:
            if not address.startswith("#"):
                assert (path.parent / address).resolve().is_file(), (path, address)


def test_no_page_needs_anything_from_outside(site: Path):
    for path in site.rglob("*.html"):
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//|@import|url\(", path.read_text(encoding="utf-8"))


def test_the_overview_says_what_ran(site: Path):
    text = Page(site / "index.html").text
    for words in (
        "44 on 2 benchmarks",
        "3 (0, 1, 2)",
        "cpu x86_64, 2 cores, 8 GiB",
        "reelbench 0.1.0",
        "ceiling 98.0",
        "may be noise",
    ):
        assert words in text


def test_a_method_page_has_its_variants_its_curve_and_its_papers_number(site: Path):
    page = site / "methods" / "jsfusion.html"
    text = Page(page).text
    for words in (
        "no-attention",
        "R@1 % ↑ on validation",
        "10.2",
        "suspected",
        "A. Author. A paper. ECCV 2018",
        "preset tiny",
    ):
        assert words in text
    drawn = page.read_text(encoding="utf-8")
    assert (drawn.count("<polyline"), drawn.count("<polygon")) == (2 * 3, 2 * 3)  # of 3 seeds each


OTHER = "multiple_choice@microworld/small:choice"


def curves(synthetic: Synthetic, tmp_path: Path) -> list[tuple[str, str, int]]:
    """Benchmark, caption and number of lines of each chart on the method's page."""
    draw_site(synthetic.uri, tmp_path / "site")
    text = (tmp_path / "site" / "methods" / "jsfusion.html").read_text(encoding="utf-8")
    found = []
    for part in text.split("<h2>")[1:]:
        for chart in part.split('<figure class="chart">')[1:]:
            caption = re.sub("<[^>]+>", "", chart.partition("</figcaption>")[0]).strip()
            found.append(
                (part.partition("</h2>")[0].split("benchmarks/")[1][:9], caption, chart.count("<polyline"))
            )
    return found


def test_a_curve_is_drawn_only_under_the_benchmark_that_it_was_validated_on(
    synthetic: Synthetic, tmp_path: Path
):
    validated = {"validation": [{"phase": "joint", "benchmark": BENCHMARK}]}
    for seed in (0, 1):
        synthetic.trial(seed=seed, record=validated)
        synthetic.trial(seed=seed, record=validated, benchmark=OTHER)
    assert curves(synthetic, tmp_path) == [
        (
            "retrieval",
            f"R@1 % ↑ on validation of {BENCHMARK}, by optimiser step; mean over seeds, band ± SD",
            1,
        )
    ]


def test_an_older_record_s_curve_is_drawn_where_its_metric_is_the_primary_one(
    synthetic: Synthetic, tmp_path: Path
):
    curve = [{"phase": "joint", "step": s, "values": {"val/accuracy": s / 9}} for s in range(3)]
    synthetic.trial(record={"validation": None})
    synthetic.trial(record={"validation": None, "curve": curve}, benchmark=OTHER)
    assert [where for where, _, _ in curves(synthetic, tmp_path)] == ["retrieval"]


def test_a_validation_loss_is_drawn_once_and_names_its_relation(synthetic: Synthetic, tmp_path: Path):
    curve = [{"phase": "joint", "step": s, "values": {"val/loss": 1 - s / 9}} for s in range(3)]
    told = {"validation": [], "curve": curve, "fingerprints": {"fits": ["one"]}}
    synthetic.trial(record=told)
    synthetic.trial(record=told, benchmark=OTHER)
    ((_, caption, lines),) = curves(synthetic, tmp_path)
    assert (caption, lines) == ("loss on validation of the relation captions, by optimiser step", 1)


def test_a_drawing_is_the_same_when_nothing_changed(small: Synthetic, site: Path, tmp_path: Path):
    again = draw_site(small.uri, tmp_path / "again").parent
    first = {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}
    assert first == {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}


def test_drawing_again_removes_its_own_old_pages_and_nobody_elses(synthetic: Synthetic, tmp_path: Path):
    out, kept = tmp_path / "site", tmp_path / "kept.txt"
    synthetic.trial("old-one")
    draw_site(synthetic.uri, out)
    kept.write_text("mine")
    (out / "notes.html").write_text("mine")
    manifest = out / ".reelbench-site.json"
    manifest.write_text(json.dumps([*json.loads(manifest.read_text()), "../kept.txt"]))
    for run in synthetic.store.search([synthetic.store.experiment(f"reelbench/{BENCHMARK}")]):
        synthetic.store.client.set_tag(run.info.run_id, "rb.superseded", "true")
    synthetic.trial("new-one")
    draw_site(synthetic.uri, out)
    assert [p.name for p in (out / "methods").iterdir()] == ["new-one.html"]
    assert kept.exists()
    assert (out / "notes.html").exists()


def test_drawing_one_benchmark_again_keeps_the_other_pages_and_every_link(
    synthetic: Synthetic, tmp_path: Path
):
    for benchmark in (BENCHMARK, OTHER):
        synthetic.trial("jsfusion", benchmark=benchmark)
        synthetic.trial("only-here" if benchmark == OTHER else "chance", benchmark=benchmark)
    site = draw_site(synthetic.uri, tmp_path / "site").parent
    everything = {p: p.read_bytes() for p in site.rglob("*") if p.is_file()}
    draw_site(synthetic.uri, site, [BENCHMARK])
    assert {p: p.read_bytes() for p in site.rglob("*") if p.is_file()} == everything
    synthetic.trial("newcomer", benchmark=BENCHMARK)
    synthetic.trial("late", benchmark=OTHER)  # in the store, and not on the page that is not drawn again
    draw_site(synthetic.uri, site, [BENCHMARK])
    for page in site.rglob("*.html"):
        for address in Page(page).addresses:
            if not address.startswith(("#", "http", "data:", "mailto:")):
                assert (page.parent / address.partition("#")[0]).resolve().exists(), (page, address)
    assert {"methods/newcomer.html", "methods/late.html"} <= set(Page(site / "index.html").addresses)
    assert "Multiple_choice" in Page(site / "index.html").text
    draw_site(synthetic.uri, site)
    page = Page(site / "benchmarks" / "multiple_choice-microworld-small-choice.html")
    assert "../methods/late.html" in page.addresses


def test_one_benchmark_drawn_into_an_empty_folder_is_alone(synthetic: Synthetic, tmp_path: Path):
    for benchmark in (BENCHMARK, OTHER):
        synthetic.trial("jsfusion", benchmark=benchmark)
    site = draw_site(synthetic.uri, tmp_path / "site", [OTHER]).parent
    assert len(list((site / "benchmarks").iterdir())) == 1
    assert "Retrieval" not in Page(site / "index.html").text


def test_no_password_of_the_store_is_on_a_page(
    small: Synthetic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from reelbench.reports import render

    results = render.load(small.uri)
    from reelbench.reports.frames import Results
    from reelbench.tracking.store import redact

    shown = Results(
        results.trials, redact("postgresql://me:hunter2@db/x"), results.failed_fits, results.suites
    )
    monkeypatch.setattr(render, "load", lambda uri, benchmarks=(): shown)
    site = draw_site("any", tmp_path / "site").parent
    assert not [p for p in site.rglob("*") if p.is_file() and b"hunter2" in p.read_bytes()]


def test_the_command_prints_where_the_site_is(small: Synthetic, tmp_path: Path):
    places = ["--out", str(tmp_path / "site"), "--workspace", str(tmp_path / "workspace")]
    result = CliRunner().invoke(report, ["--store", small.uri, *places])
    assert result.output.strip() == str(tmp_path / "site" / "index.html")


def test_the_command_writes_only_the_tables_asked_for(small: Synthetic, tmp_path: Path):
    options = ["--store", small.uri, "--out", str(tmp_path), "--format", "latex", "--benchmark", BENCHMARK]
    CliRunner().invoke(report, options, catch_exceptions=False)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["retrieval-microworld-small-sentence.tex"]


def test_the_command_writes_a_format_that_a_plugin_registered(
    small: Synthetic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def write(board: Any, folder: Path) -> Path:
        return folder / f"{board.benchmark}.odt"

    registered = SimpleNamespace(formats={"odt": write})
    monkeypatch.setattr("reelbench.registry.build_registry", lambda: registered)
    result = CliRunner().invoke(
        report,
        ["--store", small.uri, "--out", str(tmp_path), "--format", "odt", "--benchmark", BENCHMARK],
        catch_exceptions=False,
    )
    assert result.output.strip() == str(tmp_path / "tables" / f"{BENCHMARK}.odt")


def test_a_mistaken_store_is_a_handled_error(tmp_path: Path):
    result = CliRunner().invoke(report, ["--store", f"sqlite:///{tmp_path / 'none.db'}"])
    assert isinstance(result.exception, TrackingError)


class Drawings(SiteWriter):
    """Counts drawings instead of making them."""

    def __init__(self, plan: Any) -> None:
        super().__init__("sqlite:///x.db", Path("site"), Path("workspace"), plan)
        self.count = 0

    def _draw_aside(self) -> None:
        self.count += 1


def test_the_site_is_drawn_again_when_the_last_trial_of_a_seed_ends():
    stages = [
        SimpleNamespace(kind="score", fingerprint=f"{seed}{k}", spec={"seed": seed})
        for seed in range(2)
        for k in range(2)
    ]
    drawings = Drawings(SimpleNamespace(trials=lambda: stages))
    counts = []
    for stage in stages:
        drawings.ended(stage)  # type: ignore[arg-type]
        counts.append(drawings.count)
    assert counts == [0, 1, 1, 1]  # the last seed is drawn at the plan's end


def test_a_long_seed_is_drawn_before_it_is_complete(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("reelbench.reports.writer.REFRESH_S", -1.0)
    stages = [SimpleNamespace(kind="score", fingerprint=str(k), spec={"seed": 0}) for k in range(3)]
    drawings = Drawings(SimpleNamespace(trials=lambda: stages))
    drawings.ended(stages[0])  # type: ignore[arg-type]
    assert drawings.count == 1


def test_a_seed_that_was_partly_cached_is_drawn_when_the_next_one_begins():
    stages = [
        SimpleNamespace(kind="score", fingerprint=f"{seed}{k}", spec={"seed": seed})
        for seed in range(2)
        for k in range(2)
    ]
    drawings = Drawings(SimpleNamespace(trials=lambda: stages))
    counts = []
    for stage in stages[1:]:  # the first was cached, and nobody says that it ended
        drawings.ended(stage)  # type: ignore[arg-type]
        counts.append(drawings.count)
    assert counts == [0, 1, 2]
