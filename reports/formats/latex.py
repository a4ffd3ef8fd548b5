"""A leaderboard as a LaTeX table with booktabs rules."""

from __future__ import annotations

from reelbench.reports.escaping import latex as escape
from reelbench.reports.tables import Entry, Table


def render(table: Table) -> str:
    r"""A ``table`` environment; needs ``\usepackage{booktabs}`` and UTF-8 input."""
    body: list[str] = []
    for section in table.sections:
        body += [
            r"\midrule",
            rf"\multicolumn{{{len(table.columns) + 4}}}{{l}}{{\textit{{{escape(section.title)}}}}} \\",
        ]
        body += [
            _row(
                [
                    *map(escape, (line.name, line.seeds, line.rank.text, line.to_best.whole)),
                    *(_entry(e) for e in line.entries),
                ]
            )
            for line in section.lines
        ]
    head = _row(["Row", "Seeds", "Rank", "To best", *(escape(c.title) for c in table.columns)])
    opening = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(' '.join((table.caption, *table.notes)))}}}",
    ]
    grid = [
        rf"\begin{{tabular}}{{l{'r' * (len(table.columns) + 3)}}}",
        r"\toprule",
        head,
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join([*opening, *grid, r"\end{table}", ""])


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _entry(entry: Entry) -> str:
    text = escape(entry.plain)
    return rf"\textbf{{{text}}}" if entry.best else text
