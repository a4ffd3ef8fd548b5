"""A leaderboard as a Markdown table."""

from __future__ import annotations

from reelbench.reports.escaping import markdown as escape
from reelbench.reports.tables import Line, Table


def render(table: Table) -> str:
    """The grid, its caption above and its notes below."""
    paper = ["Paper"] if table.has_paper else []
    width = len(table.columns) + len(paper) + 4
    lines = [f"### {escape(table.benchmark)}", "", escape(table.caption), ""]
    lines += [
        _row(["Row", "Seeds", "Rank", "To best", *paper, *(c.title for c in table.columns)]),
        "|:---|" + "---:|" * (width - 1),
    ]
    for section in table.sections:
        lines.append("| **" + escape(section.title) + "** |" + " |" * (width - 1))
        lines += [_row(_cells(line, table.has_paper)) for line in section.lines]
    return "\n".join([*lines, "", *(f"- {escape(note)}" for note in table.notes)]) + "\n"


def _cells(line: Line, has_paper: bool) -> list[str]:
    paper = [line.paper_text] if has_paper else []
    return [
        line.name,
        line.seeds,
        line.rank.text,
        line.to_best.whole,
        *paper,
        *(e.whole for e in line.entries),
    ]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(escape(c) for c in cells) + " |"
