"""Hostile captions, titles and headings, in every format that is written."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from harmless import UNSEEN, read
from hypothesis import given
from hypothesis import strategies as st
from synthetic import HOSTILE, Synthetic

from reelbench import plaintext
from reelbench.reports import escaping
from reelbench.reports.formats import SUFFIXES, slug, write
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards
from reelbench.reports.render import draw_site


@pytest.fixture
def hostile(synthetic: Synthetic) -> Synthetic:
    record = {
        "summary": HOSTILE,
        "departures": HOSTILE,
        "protocol_doc": HOSTILE,
        "task_title": HOSTILE,
        "task_summary": HOSTILE,
        "config": {HOSTILE: HOSTILE},
    }
    synthetic.trial(
        "bad",
        title=HOSTILE,
        shown={HOSTILE: HOSTILE, "Predicted": HOSTILE},
        record=record,
        tags={"rb.not_finite": HOSTILE},
    )
    synthetic.trial("=cmd()", title="@SUM(A1)", seed=1, status="FINISHED")
    synthetic.trial("bad", title=HOSTILE, seed=2, status="FAILED", tags={"rb.error": HOSTILE})
    return synthetic


def test_no_page_takes_text_for_markup(hostile: Synthetic, tmp_path: Path):
    site = draw_site(hostile.uri, tmp_path / "site").parent
    pages = list(site.rglob("*.html"))
    assert len(pages) == 4
    for page in pages:
        read(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SUFFIXES)
def test_no_table_file_holds_controls(hostile: Synthetic, tmp_path: Path, name: str):
    text = write(name, boards(load(hostile.uri))[0], tmp_path).read_text(encoding="utf-8")
    assert not UNSEEN.search(text)


def test_markdown_makes_no_link_image_markup_or_extra_cell(hostile: Synthetic, tmp_path: Path):
    text = write("markdown", boards(load(hostile.uri))[0], tmp_path).read_text(encoding="utf-8")
    assert not re.search(r"(?<!\\)[\[\]<>`]", text)
    assert "http://" not in text
    assert "www.evil" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_latex_runs_no_command_of_the_data(hostile: Synthetic, tmp_path: Path):
    text = write("latex", boards(load(hostile.uri))[0], tmp_path).read_text(encoding="utf-8")
    assert r"\input" not in text
    assert r"\write18" not in text
    assert "textbackslash" in text


def test_csv_starts_no_formula(hostile: Synthetic, tmp_path: Path):
    text = write("csv", boards(load(hostile.uri))[0], tmp_path).read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) == 1
    assert not [c for row in rows for c in row if c.startswith(("=", "+", "@", "\t", "\r"))]
    assert "'=cmd()" in text


@given(st.text())
def test_a_csv_cell_is_never_a_formula(text: str):
    assert not escaping.csv_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text())
def test_visible_text_has_no_controls_and_can_be_encoded(text: str):
    shown = escaping.visible(text)
    assert not UNSEEN.search(shown)
    shown.encode()


def test_reports_and_the_command_line_have_one_rule_of_what_is_visible():
    assert escaping.visible is plaintext.visible
    assert escaping.one_line is plaintext.one_line


@given(st.text())
def test_one_line_is_one_line(text: str):
    assert len(escaping.one_line(text).splitlines()) <= 1


@given(st.text(alphabet="\\{}$&#_^~%[]*ab"))
def test_latex_specials_are_escaped(text: str):
    bare = re.sub(r"\\(text\w+\{\}|[{}$&#_%])|\{[\[\]*]\}", "", escaping.latex(text))
    assert not re.search(r"[\\{}$&#_^~%]", bare)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..", "", "/root", ".hidden", "a/b@c:d", "x" * 500, "\ud800"]
)
def test_a_slug_stays_in_its_folder(name: str):
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,130}", slug(name))


def test_unusual_names_do_not_share_a_file():
    assert slug("a b") != slug("a|b")


def test_a_strip_outside_its_folder_or_of_another_kind_is_not_copied(synthetic: Synthetic, tmp_path: Path):
    import json

    from reelbench.tracking.store import local_folder

    run = synthetic.trial()
    folder = local_folder(synthetic.store.client.get_run(run).info.artifact_uri)
    assert folder is not None
    (folder / "strips" / "best-0.jpg").write_text("<svg onload=alert(1)>")
    examples = [
        {"id": str(k), "pick": "best", "score": 1, "show": {"Answer": "x"}, "strip": s}
        for k, s in enumerate(
            ["strips/best-0.jpg", "../record.json", "/etc/passwd", "strips/../record.json", 7]
        )
    ]
    (folder / "examples.json").write_text(json.dumps(examples))
    site = draw_site(synthetic.uri, tmp_path / "site").parent
    assert not (site / "assets").exists()


def test_an_arrow_of_a_metric_title_is_latex_that_pdflatex_knows():
    assert escaping.latex("R@1 text→video") == r"R@1 text$\rightarrow$video"
