"""A board as a grid of text: what HTML, Markdown, LaTeX and CSV all print, so that no two of them disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reelbench.reports import numbers
from reelbench.reports.leaderboard import Board, Cell, Row
from reelbench.reports.published import Published, beside, paper_notes, printed, source, told
from reelbench.reports.standing import Standings
from reelbench.reports.standing_notes import standing_notes

BANDS = {
    "method": "Methods",
    "external": "External predictions",
    "baseline": "Baselines",
    "ceiling": "Ceilings",
}


@dataclass(frozen=True)
class Column:
    """A column's head, its group (``metric`` or ``cost``), and what its numbers are."""

    key: str
    title: str
    group: str
    doc: str = ""
    lower: bool = False


@dataclass(frozen=True)
class Entry:
    """One cell: its text, the spread beside it, the value to sort by, and what a pointer shows."""

    text: str
    spread: str = ""
    value: float | None = None
    best: bool = False
    note: str = ""
    interval: str = ""

    @property
    def plain(self) -> str:
        """``41.8 ± 1.2``."""
        return f"{self.text} ± {self.spread}" if self.spread else self.text

    @property
    def whole(self) -> str:
        """``41.8 ± 1.2 [39.6, 44.0]``."""
        return f"{self.plain} {self.interval}".rstrip()


@dataclass(frozen=True)
class PaperEntry:
    """A paper's number: its text, where it is from, and all else that is known of it."""

    text: str
    source: str
    note: str


@dataclass(frozen=True)
class Line:
    """A row of the grid: the row it stands for, its name, its seeds, where it stands, and its cells in the columns' order.

    Attributes
    ----------
    rank
        The ranks that are left possible; a dash where the row is not ranked.
    to_best
        The difference to the best ranked row in the primary metric.
    paper
        What papers print for the row, an entry a benchmark; its spread says where.
    published
        All numbers that papers print for it.
    """

    row: Row
    name: str
    seeds: str
    rank: Entry
    to_best: Entry
    entries: tuple[Entry, ...]
    paper: tuple[PaperEntry, ...] = ()
    published: tuple[Published, ...] = ()

    @property
    def paper_text(self) -> str:
        """``34.1 (lsmdc · Table 5.2); 43.2 (msrvtt · Table 5.2)``; a dash where papers print nothing."""
        return "; ".join(f"{e.text} ({e.source})" for e in self.paper) or numbers.MISSING


@dataclass(frozen=True)
class Section:
    """Lines of one role, methods of one feature set."""

    title: str
    role: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """A benchmark's grid, its caption and its notes."""

    benchmark: str
    caption: str
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    standings: Standings

    @property
    def has_paper(self) -> bool:
        """Whether papers print a number for one of its rows."""
        return any(line.paper for section in self.sections for line in section.lines)


def board_table(board: Board, rows: Sequence[Row] | None = None) -> Table:
    """The grid of a board, or of some of its rows."""
    columns = (*_metric_columns(board), *_cost_columns())
    names, papers = board.names, board.published
    sections = [
        _section(board, title, role, group, columns, names, papers)
        for title, role, group in bands(board.rows if rows is None else rows)
    ]
    shown = [n for r in (board.rows if rows is None else rows) for n in beside(papers.get(r.label, ()))]
    return Table(
        board.benchmark,
        _caption(board),
        columns,
        tuple(sections),
        (*_notes(board, rows), *paper_notes(board, shown)),
        board.standings,
    )


def bands(rows: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    """Title, role and rows of each part of a table: methods by feature set, then each other role."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        role = row.tag("role") or "method"
        found.setdefault((role, row.tag("section") if role == "method" else ""), []).append(row)
    order = list(BANDS)
    keys = sorted(
        found, key=lambda k: (order.index(k[0]) if k[0] in order else len(order), -k[1].count("+"), k[1])
    )
    return [(_band_title(*key), key[0], found[key]) for key in keys]


def distinct_names(rows: Sequence[Row]) -> Mapping[str, str]:
    """Label → a name that no other row of the table has: title and variant, and as much more as it takes."""
    names = {row.label: display_name(row) for row in rows}
    for tag in ("recipe", "preset", "features"):
        for row in rows:
            twins = [r for r in rows if names[r.label] == names[row.label]]
            if len({r.tag(tag) for r in twins}) > 1:
                names.update({r.label: f"{names[r.label]} · {r.tag(tag)}" for r in twins})
    repeated = [label for label, name in names.items() if list(names.values()).count(name) > 1]
    return names | {label: f"{names[label]} #{label.rpartition('#')[2]}" for label in repeated}


def display_name(row: Row) -> str:
    """The method's title, and its variant unless it is the full method."""
    title, variant = row.tag("title") or row.tag("method"), row.tag("variant")
    return title if variant in ("", "full") else f"{title} · {variant}"


def places(board: Board, spec: numbers.Spec) -> int:
    """Decimals of a metric's column."""
    cells = [c.mean for r in board.rows if (c := r.metric(str(spec["name"])))]
    return numbers.decimals(spec, int(board.record.get("examples", 0)), max(map(abs, cells), default=1.0))


def seed_note(row: Row) -> str:
    """``2 of 3 seeds, 1 failed: seed 2: loss is NaN``, ``deterministic`` or ``3 seeds``."""
    if row.troubles:
        return f"{row.seeds} seeds, {len(row.troubles)} failed: {'; '.join(row.troubles)}"
    return (
        "deterministic"
        if row.deterministic
        else f"{len(row.finished)} seed{'' if len(row.finished) == 1 else 's'}"
    )


def _band_title(role: str, section: str) -> str:
    if role == "method":
        return f"Methods · features {section.replace('+', ' + ') or 'none'}"
    return BANDS.get(role, role)


def _metric_columns(board: Board) -> list[Column]:
    return [
        Column(
            str(s["name"]),
            numbers.metric_head(s),
            "metric",
            str(s.get("doc", "")),
            s.get("direction") == "lower",
        )
        for s in board.specs
    ]


def _cost_columns() -> list[Column]:
    return [
        Column(name, title, "cost", lower=name != "examples_per_second")
        for name, title in numbers.COSTS.items()
    ]


def _section(
    board: Board,
    title: str,
    role: str,
    rows: Sequence[Row],
    columns: Sequence[Column],
    names: Mapping[str, str],
    papers: Mapping[str, tuple[Published, ...]],
) -> Section:
    tops = (
        {c.key: _top(c, rows) for c in columns if c.group == "metric"}
        if role == "method" and len(rows) > 1
        else {}
    )
    lines = [
        Line(
            row,
            names[row.label],
            _seeds(row),
            _rank(board, row),
            _to_best(board, row),
            tuple(_entry(board, row, c, tops.get(c.key)) for c in columns),
            _paper(board, row, papers.get(row.label, ())),
            papers.get(row.label, ()),
        )
        for row in rows
    ]
    return Section(title, role, tuple(lines))


def _paper(board: Board, row: Row, found: Sequence[Published]) -> tuple[PaperEntry, ...]:
    specs, own = {str(s["name"]): s for s in board.specs}, row.tag("title") or row.tag("method")
    return tuple(
        PaperEntry(printed(n, specs[n.metric]), source(n, board, own), told(n, specs[n.metric]))
        for n in beside(found)
    )


def _seeds(row: Row) -> str:
    return "det." if row.deterministic and not row.troubles else row.seeds


def _rank(board: Board, row: Row) -> Entry:
    place = board.standings.place(row)
    if place.rank is None:
        return Entry(numbers.MISSING, note=f"not ranked: {place.why}" if place.why else "")
    return Entry(numbers.rank(*place.rank), value=sum(place.rank) / 2)


def _to_best(board: Board, row: Row) -> Entry:
    found = board.standings.place(row).to_best
    if found is None:
        return Entry("best" if row.label == board.standings.best else numbers.MISSING)
    spec, digits = board.primary, places(board, board.primary)
    return Entry(
        numbers.signed(spec, found.estimate, digits),
        value=found.estimate,
        interval=numbers.interval(spec, found.interval(), digits),
        note=f"p = {found.p:.2g}, of this difference alone",
    )


def _top(column: Column, rows: Sequence[Row]) -> float | None:
    means = [c.mean for r in rows if (c := r.metric(column.key))]
    return (min(means) if column.lower else max(means)) if means else None


def _entry(board: Board, row: Row, column: Column, top: float | None) -> Entry:
    if column.group == "cost":
        value = None if row.tag("role") in ("ceiling", "external") else row.cost(column.key)
        return Entry(numbers.cost(column.key, value), value=value)
    spec = next(s for s in board.specs if s["name"] == column.key)
    cell, digits = row.metric(column.key), places(board, spec)
    best = cell is not None and cell.mean == top
    return Entry(
        numbers.number(spec, cell, digits),
        numbers.spread(spec, cell, digits),
        cell.mean if cell else None,
        best,
        _about(spec, row, cell, digits),
        _interval(board, row, spec, digits),
    )


def _interval(board: Board, row: Row, spec: numbers.Spec, digits: int) -> str:
    found = board.standings.place(row).intervals.get(str(spec["name"]))
    return numbers.interval(
        spec, _within(spec, found.interval()) if found and found.error and found.is_known else None, digits
    )


def _within(spec: numbers.Spec, bounds: tuple[float, float]) -> tuple[float, float]:
    """An interval cut at the metric's own range."""
    low, high = float(spec.get("low", -math.inf)), float(spec.get("high", math.inf))
    return max(bounds[0], low), min(bounds[1], high)


def _about(spec: numbers.Spec, row: Row, cell: Cell | None, digits: int) -> str:
    """Each seed's value, where there are several."""
    if cell is None or cell.n < 2:
        return ""
    values = [
        f"{t.seed}: {numbers.shown(spec, t.metrics[str(spec['name'])]):.{digits}f}"
        for t in row.finished
        if spec["name"] in t.metrics
    ]
    return f"by seed {', '.join(values)}"


def _caption(board: Board) -> str:
    record = board.record
    examples, clusters = record.get("examples"), record.get("clusters")
    return f"{board.benchmark}, split {record.get('split', '?')}, {examples} examples in {clusters} clusters: mean ± sample SD over seeds [95 % interval]."


def _notes(board: Board, rows: Sequence[Row] | None) -> list[str]:
    names = board.names
    shown = board.rows if rows is None else rows
    failed = [f"{names[r.label]}: {seed_note(r)}." for r in shown if r.troubles]
    undefined = [
        f"{names[r.label]}, seed {trial.seed}: not finite and left out: {told}."
        for r in shown
        for trial in r.finished
        if (told := trial.tags.get("rb.not_finite"))
    ]
    return [*standing_notes(board, names), *failed, *undefined]
