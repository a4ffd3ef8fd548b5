"""LaTeX tables: what their caption promises stands in their cells, and they are built so that LaTeX takes them."""

from __future__ import annotations

import re
import shutil

import pytest
from synthetic import HOSTILE, Synthetic

from reelbench.reports.formats import latex
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards
from reelbench.reports.tables import Table
from reelbench.tracking.store import local_folder

INTERVAL = r"\{\\scriptsize \{\[\}[−$\-\d. ]+, [$\-\d.]+\{\]\}\}"


def table_of(synthetic: Synthetic) -> Table:
    return boards(load(synthetic.uri))[0].table


@pytest.fixture(scope="module")
def small_table(small: Synthetic) -> Table:
    return table_of(small)


def cells(text: str) -> dict[str, list[str]]:
    """Name → cells of each row; an escaped ampersand does not part cells."""
    rows = [
        line.removesuffix(r" \\") for line in text.splitlines() if line.endswith(r" \\") and " & " in line
    ]
    parted = [re.split(r"(?<!\\) & ", row) for row in rows]
    return {name: rest for name, *rest in parted}


def test_the_interval_that_the_caption_names_stands_in_every_cell_that_has_one(small_table: Table):
    text = latex.render(small_table)
    assert r"mean $\pm$ sample SD over seeds {[}95 \% interval{]}" in text
    rows = cells(text)
    lines = [line for section in small_table.sections for line in section.lines]
    assert len(lines) == 8
    with_one = 0
    for line in lines:
        told = rows[latex.escape(line.name)]
        metrics = told[-len(line.entries) :]
        for entry, cell in zip(line.entries, metrics, strict=True):
            assert bool(re.search(INTERVAL, cell)) == bool(entry.interval)
            with_one += bool(entry.interval)
    assert with_one >= 7 * 3  # seven rows of three seeds, three metrics


def test_a_cell_is_the_mean_its_spread_and_the_interval_in_smaller_type(synthetic: Synthetic):
    for seed, score in enumerate((0.40, 0.42, 0.44)):  # mean 42.0 %, sample SD 2.0 %
        synthetic.trial(seed=seed, metrics={"recall_at_1": score, "cider": 1.0, "median_rank": 5.0})
        lower = {"recall_at_1": score - 0.2, "cider": 0.5, "median_rank": 9.0}
        synthetic.trial("bn-lstm", seed=seed, metrics=lower)
    rows = cells(latex.render(table_of(synthetic)))
    table = table_of(synthetic)
    low, high = table.standings.place(table.sections[0].lines[0].row).intervals["recall_at_1"].interval()
    cell = rows["Jsfusion"][4]  # seeds, rank, to best, paper, R@1
    wanted = rf"{{\scriptsize {{[}}{100 * low:.1f}, {100 * high:.1f}{{]}}}}"
    assert cell == rf"\textbf{{42.0 $\pm$ 2.0}} {wanted}"
    to_best = rows["Bn lstm"][2]
    assert re.fullmatch(rf"\$-\$20\.0 {INTERVAL}", to_best)
    assert rows["Jsfusion"][2] == "best"


def test_a_cell_without_an_interval_has_no_empty_brackets(synthetic: Synthetic):
    run = synthetic.trial(metrics={"recall_at_1": 0.42, "cider": 1.0, "median_rank": 5.0})
    folder = local_folder(synthetic.store.client.get_run(run).info.artifact_uri)
    assert folder is not None
    shutil.rmtree(folder / "sheet")  # the replicates, from which intervals come
    text = latex.render(table_of(synthetic))
    assert cells(text)["Jsfusion"][4:7] == ["42.0", "1.000", "5.000"]
    assert "scriptsize" not in text


def test_every_row_has_as_many_cells_as_the_head(small_table: Table):
    text = latex.render(small_table)
    columns = re.search(r"\\begin\{tabular\}\{(l r*|lr*)\}", text)
    assert columns
    wide = len(columns[1])
    assert {1 + len(rest) for rest in cells(text).values()} == {wide}
    assert set(re.findall(r"\\multicolumn\{(\d+)\}", text)) == {str(wide)}


def balanced(text: str) -> bool:
    """Whether braces that LaTeX would read as such come in pairs."""
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def test_groups_and_environments_are_closed_whatever_the_data_hold(synthetic: Synthetic):
    for seed in range(3):
        synthetic.trial("bad", title=HOSTILE + "}{\\end{tabular}", seed=seed)
    text = latex.render(table_of(synthetic))
    assert balanced(text)
    assert re.findall(r"\\(?:begin|end)\{\w+\}", text) == [
        r"\begin{table}",
        r"\begin{tabular}",
        r"\end{tabular}",
        r"\end{table}",
    ]
    assert set(re.findall(r"(?<!\\)\\([a-zA-Z]+)", text)) <= {
        "usepackage", "begin", "end", "centering", "caption", "toprule", "midrule", "bottomrule", "multicolumn", "textit", "textbf",
        "scriptsize", "pm", "uparrow", "downarrow", "rightarrow", "textperiodcentered", "textbackslash", "textless", "textgreater",
        "textbar", "textquotedbl", "textasciitilde", "textasciicircum", "textasciigrave",
    }  # fmt: skip
