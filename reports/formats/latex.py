"""A leaderboard as a LaTeX table with booktabs rules."""

from __future__ import annotations

from reelbench.reports.escaping import latex as escape
from reelbench.reports.tables import Entry, Table


def render(table: Table) -> str:
    r"""A ``table`` environment; needs ``\usepackage{booktabs}`` and UTF-8 input."""
    body: list[str] = []
    paper = ["Paper"] if table.has_paper else []
    width = len(table.columns) + len(paper) + 4
    for section in table.sections:
        body += [
            r"\midrule",
            rf"\multicolumn{{{width}}}{{l}}{{\textit{{{escape(section.title)}}}}} \\",
        ]
        body += [
            _row(
                [
                    *map(escape, (line.name, line.seeds, line.rank.text)),
                    _with_interval(escape(line.to_best.plain), line.to_best),
                    *([escape(line.paper_text)] if paper else []),
                    *(_entry(e) for e in line.entries),
                ]
            )
            for line in section.lines
        ]
    head = _row(["Row", "Seeds", "Rank", "To best", *paper, *(escape(c.title) for c in table.columns)])
    opening = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(' '.join((table.caption, *table.notes)))}}}",
    ]
    grid = [
        rf"\begin{{tabular}}{{l{'r' * (width - 1)}}}",
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
    return _with_interval(rf"\textbf{{{text}}}" if entry.best else text, entry)


def _with_interval(text: str, entry: Entry) -> str:
    r"""The interval beside it in smaller type, which the caption says is there: ``41.8 {\scriptsize [39.6, 44.0]}``."""
    return rf"{text} {{\scriptsize {escape(entry.interval)}}}" if entry.interval else text
