"""Leaderboards as text files: Markdown, LaTeX (booktabs), CSV and JSON, all of the same grid."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from reelbench.reports.formats import delimited, latex, markdown, structured
from reelbench.reports.leaderboard import Board
from reelbench.reports.tables import Table

SUFFIXES: dict[str, tuple[str, Callable[[Table], str]]] = {
    "markdown": (".md", markdown.render),
    "latex": (".tex", latex.render),
    "csv": (".csv", delimited.render),
    "json": (".json", structured.render),
}


def text_of(name: str, board: Board) -> tuple[str, str]:
    """A board's table in the named format: the file's name, and what is in it."""
    suffix, render = SUFFIXES[name]
    return f"{slug(board.benchmark)}{suffix}", render(board.table)


def write(name: str, board: Board, folder: Path) -> Path:
    """Write a board's table in the named format; returns the file."""
    file, text = text_of(name, board)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file
    path.write_text(text, encoding="utf-8", newline="")
    return path


def slug(name: str) -> str:
    """A file name for a benchmark or method: letters, digits, ``.``, ``_`` and ``-`` only, never a hidden file."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".-")[:120] or "unnamed"
    usual = re.fullmatch(r"[\w./@:+-]+", name, re.ASCII)
    return (
        plain
        if usual and len(name) <= 120
        else f"{plain}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:8]}"
    )
