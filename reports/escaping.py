"""Text from data, made harmless for where it lands: HTML, Markdown, LaTeX, CSV, a terminal.

HTML itself is escaped by Jinja's autoescape; this is what it does not do. Control characters, terminal escapes and
bidirectional marks are made visible everywhere.
"""

from __future__ import annotations

import re

from reelbench.plaintext import one_line, visible

__all__ = ["csv_cell", "latex", "markdown", "one_line", "visible"]

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&:@$=-])")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}", "*": "{*}", "±": r"$\pm$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "–": "--", "·": r"\textperiodcentered{}",
    "→": r"$\rightarrow$", "−": "$-$",
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def markdown(text: object) -> str:
    """One line of Markdown that renders as the text itself: no link, image, table cell or markup is made of it."""
    return _MARKDOWN.sub(r"\\\1", one_line(text)).replace("www.", "www\\.")


def latex(text: object) -> str:
    """One line of LaTeX that prints the text itself, also at the start of a table row."""
    return "".join(_LATEX.get(c, c) for c in one_line(text))


def csv_cell(text: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    plain = one_line(text)
    return f"'{plain}" if str(text).startswith(_FORMULA) or plain.startswith(_FORMULA) else plain
