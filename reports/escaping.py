"""Text from data, made harmless for where it lands: HTML, Markdown, LaTeX, CSV, a terminal.

HTML itself is escaped by Jinja's autoescape; this is what it does not do. Control characters, terminal escapes and
bidirectional marks are made visible everywhere.
"""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&:@$=-])")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}", "*": "{*}", "±": r"$\pm$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "–": "--", "·": r"\textperiodcentered{}",
    "→": r"$\rightarrow$",
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def visible(text: object) -> str:
    """Plain text whose control and direction characters can be seen: ``⟨U+202E⟩``; tabs and line ends stay."""
    return _INVISIBLE.sub(
        lambda m: "\n" if m[0] == "\r" else f"⟨U+{ord(m[0]):04X}⟩", str(text).replace("\r\n", "\n")
    )


def one_line(text: object) -> str:
    """The same on one line."""
    return " ".join(visible(text).split())


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
