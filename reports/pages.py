"""What is said of one board: its card, its page, and its part of a method's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reelbench.reports import curves, figures, gallery, marks, numbers
from reelbench.reports.formats import slug
from reelbench.reports.leaderboard import Board, Row
from reelbench.reports.tables import Table, bands, board_table, places

CARD_ROWS = 6
SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class MiniRow:
    """A row of a benchmark's card."""

    name: str
    role: str
    text: str
    spread: str
    rank: str
    why: str
    marks: marks.Marks | None


@dataclass(frozen=True)
class Card:
    """A benchmark at a glance."""

    benchmark: str
    href: str
    title: str
    where: str
    head: str
    rows: tuple[MiniRow, ...]
    more: int
    ceiling: str


@dataclass(frozen=True)
class Ablations:
    """A method on one benchmark: its variants beside the baselines, and its curves."""

    table: Table
    scale: str
    dots: Mapping[str, marks.Marks | None]
    charts: tuple[curves.Chart, ...]


def href_of(benchmark: str) -> str:
    """Where a benchmark's page is in the site."""
    return f"benchmarks/{slug(benchmark)}.html"


def title_of(board: Board) -> str:
    """The task's title."""
    return str(board.record.get("task_title") or board.benchmark.partition("@")[0])


def where_of(board: Board) -> str:
    """``microworld/small · sentence``."""
    return board.benchmark.partition("@")[2].replace(":", " · ")


def card(board: Board) -> Card:
    """The best methods without their variants, then the best baselines, chance among them."""
    spec, scale = board.primary, marks.scale_of(board)
    names, digits = board.names, places(board, board.primary)
    chosen = _card_rows(board)
    rows = tuple(_mini(board, r, names[r.label], scale, digits) for r in chosen)
    top = marks.ceiling_row(board)
    ceiling = numbers.number(spec, top.metric(str(spec["name"])), digits) if top else ""
    shown = sum(1 for r in board.rows if r.tag("role") != "ceiling")
    return Card(
        board.benchmark,
        href_of(board.benchmark),
        title_of(board),
        where_of(board),
        numbers.metric_head(spec),
        rows,
        shown - len(rows),
        ceiling,
    )


def _mini(board: Board, row: Row, name: str, scale: marks.Scale, digits: int) -> MiniRow:
    spec = board.primary
    cell, place = row.metric(str(spec["name"])), board.standings.place(row)
    return MiniRow(
        name,
        row.tag("role"),
        numbers.number(spec, cell, digits),
        numbers.spread(spec, cell, digits),
        numbers.rank(*place.rank) if place.rank else numbers.MISSING,
        place.why,
        marks.marks_of(board, row, scale),
    )


def _card_rows(board: Board) -> list[Row]:
    full = [r for r in board.band("method") if r.tag("variant") == "full"]
    methods = (full or board.band("method"))[:4]
    chance = marks.chance_row(board)
    others = [r for r in board.band("baseline") if r is not chance][
        : CARD_ROWS - len(methods) - (chance is not None)
    ]
    return [*methods, *(r for r in board.band("baseline") if r is chance or r in others)]


def benchmark_page(board: Board, strips: gallery.Strips, formats: Mapping[str, str]) -> dict[str, Any]:
    """A benchmark's table, protocol, metrics and examples."""
    names, scale = board.names, marks.scale_of(board)
    shown = [r for _, role, rows in bands(board.rows) for r in rows if role != "ceiling"][:SIDE_BY_SIDE]
    return {
        "board": board, "title": title_of(board), "where": where_of(board), "table": board.table, "record": board.record,
        "marks": {r.label: marks.marks_of(board, r, scale) for r in board.rows}, "scale": scale_text(board, scale),
        "groups": gallery.groups([(names[r.label], r) for r in shown], strips), "formats": formats, "slugs": method_slugs(board),
        "info": _evaluation_info(board), "bars": [b for b in (figures.ranks(board), figures.differences(board)) if b],
        "plot": figures.score_against_cost(board),
    }  # fmt: skip


def method_slugs(board: Board) -> dict[str, str]:
    """Label → the page of its method; ceilings have none."""
    return {
        r.label: f"../methods/{slug(r.tag('method'))}.html" for r in board.rows if r.tag("role") != "ceiling"
    }


def _evaluation_info(board: Board) -> list[tuple[str, str]]:
    found = board.record.get("evaluation_info") or {}
    return [
        (str(k).replace("_", " "), f"{v:g}" if isinstance(v, float) else str(v))
        for k, v in found.items()
        if isinstance(v, str | int | float)
    ]


def ablations(board: Board, rows: Sequence[Row], drawn: set[curves.Key]) -> Ablations:
    """A method's rows, then the best of the others of each kind to hold them against; ``drawn`` is :func:`curves.charts_of`'s."""
    beside = {
        r.label: r
        for r in (*board.band("baseline")[:1], marks.chance_row(board), marks.ceiling_row(board))
        if r
    }
    shown = list(({r.label: r for r in rows} | beside).values())
    table = board_table(board, shown)
    scale = marks.scale_of(board)
    charts = curves.charts_of(board, [(_variant_name(r, rows), r) for r in rows], drawn)
    return Ablations(
        table, scale_text(board, scale), {r.label: marks.marks_of(board, r, scale) for r in shown}, tuple(charts),
    )  # fmt: skip


def scale_text(board: Board, scale: marks.Scale) -> str:
    """``0 – 66.0``: what a bar's ends stand for."""
    digits = places(board, board.primary)
    low, high = (f"{numbers.shown(board.primary, v):.{digits}f}" for v in (scale.low, scale.high))
    return f"{'0' if scale.low == 0 else low} – {high}"


def _variant_name(row: Row, rows: Sequence[Row]) -> str:
    variant = row.tag("variant") or "full"
    same = [r for r in rows if r.tag("variant") == row.tag("variant")]
    return variant if len(same) == 1 else f"{variant} · {row.tag('recipe')}"
