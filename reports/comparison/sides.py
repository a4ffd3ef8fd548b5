"""Which row a word on the command line means."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from reelbench.errors import UsageError
from reelbench.reports.leaderboard import Board, Row


def find_row(board: Board, name: str) -> Row:
    """The row of a method (``jsfusion``), of a variant (``jsfusion/no-audio``), or of a label's beginning.

    Where a method or variant has several rows (presets, recipes), the name must say which: ``jsfusion/full/match/base``.

    Raises
    ------
    UsageError
        If no row or several rows of the board are meant; the message lists them.
    """
    rows = [row for row in board.rows if row.finished]
    found = [row for row in rows if _means(row, name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(sorted(_short(row) for row in (found or rows)))
    problem = "means several rows" if found else "is no row"
    raise UsageError(f"{name!r} {problem} of {board.benchmark}; name one of: {known}")


def _means(row: Row, name: str) -> bool:
    method, _, rest = name.partition("/")
    wanted = f"{method}/{rest or 'full'}"
    label = _short(row)
    return label in (name, wanted) or fnmatchcase(label, f"{wanted}/*")


def _short(row: Row) -> str:
    """A label without its digest."""
    return row.label.partition("#")[0]


def opposed(boards: Sequence[Board], left: str, right: str) -> list[Board]:
    """The boards that have both rows.

    Raises
    ------
    UsageError
        If there is none: which of the rows is nowhere, or where each is.
    """
    both = comparable(boards, (left, right))
    if both:
        return both
    where = {name: [b.benchmark for b in comparable(boards, (name,))] for name in (left, right)}
    if all(where.values()):
        told = "; ".join(f"{name!r} is on {', '.join(found)}" for name, found in where.items())
        raise UsageError(f"no benchmark has both rows: {told}")
    missing = next(name for name, found in where.items() if not found)
    known = ", ".join(sorted({_short(row) for b in boards for row in b.rows if row.finished})) or "none"
    raise UsageError(f"{missing!r} is no row of any benchmark of the record; name one of: {known}")


def comparable(boards: Sequence[Board], names: Sequence[str]) -> list[Board]:
    """The boards that have every one of the rows."""
    return [
        b for b in boards if all(any(_means(row, name) for row in b.rows if row.finished) for name in names)
    ]
