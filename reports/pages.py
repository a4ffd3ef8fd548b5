"""What each page says, gathered from boards: an overview, a page a benchmark, a page a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reelbench.reports import curves, figures, gallery, marks, numbers
from reelbench.reports.failures import failures
from reelbench.reports.formats import slug
from reelbench.reports.frames import Results
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

    board: Board
    href: str
    title: str
    table: Table
    scale: str
    dots: Mapping[str, marks.Marks | None]
    charts: tuple[curves.Chart, ...]


def title_of(board: Board) -> str:
    """The task's title."""
    return str(board.record.get("task_title") or board.benchmark.partition("@")[0])


def where_of(board: Board) -> str:
    """``microworld/small · sentence``."""
    return board.benchmark.partition("@")[2].replace(":", " · ")


def overview(results: Results, boards: Sequence[Board]) -> dict[str, Any]:
    """What the first page shows."""
    by_dataset: dict[str, list[Card]] = {}
    for board in boards:
        by_dataset.setdefault(str(board.record.get("dataset", "")), []).append(card(board))
    return {
        "cards": by_dataset, "methods": method_lines(boards), "facts": facts(results, boards), "failures": failures(results),
        "contradictions": results.contradictions,
        "has_ceiling": any(c.ceiling for cards in by_dataset.values() for c in cards),
    }  # fmt: skip


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
        f"benchmarks/{slug(board.benchmark)}.html",
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


def facts(results: Results, boards: Sequence[Board]) -> list[tuple[str, str]]:
    """What ran, on what, when."""
    trials = [t for b in boards for r in b.rows for t in r.finished]
    records = [t.record for t in trials if t.record]
    suites = list(dict.fromkeys(s.tags.get("rb.suite", s.name) for s in results.suites))
    seeds = sorted({t.seed for t in trials if t.seed >= 0})
    lines = [
        ("Suites", ", ".join(suites)),
        ("Trials", f"{len(trials)} on {len(boards)} benchmark{'' if len(boards) == 1 else 's'}"),
        ("Seeds", f"{len(seeds)} ({', '.join(map(str, seeds))})" if seeds else ""),
        ("Hardware", "; ".join(sorted({t.tags.get("rb.hardware", "") for t in trials} - {""}))),
        (
            "Predict and score",
            numbers.duration(
                sum(
                    r.get("cost", {}).get(k) or 0
                    for r in records
                    for k in ("predict_seconds", "score_seconds")
                )
            ),
        ),
        ("Training", numbers.duration(_training_seconds(records))),
        ("Last trial", numbers.when(max((r.get("ended_ms", 0) for r in records), default=0))),
        ("Versions", versions(records)),
        ("Record", results.uri),
    ]
    return [(k, v) for k, v in lines if v]


def _training_seconds(records: Sequence[Mapping[str, Any]]) -> float:
    """Seconds of the chains of fits, each distinct set of fits once."""
    chains = {
        tuple(r.get("fingerprints", {}).get("fits", ())): r.get("cost", {}).get("train_seconds") or 0
        for r in records
    }
    return float(sum(chains.values()))


def versions(records: Sequence[Mapping[str, Any]]) -> str:
    """``reelbench 0.1.0, torch 2.13.0``; several of one are all named."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, version in (record.get("versions") or {}).items():
            found.setdefault(str(name), set()).add(str(version))
    return ", ".join(
        f"{name} {' and '.join(sorted(vs))}"
        for name, vs in sorted(found.items(), key=lambda i: (i[0] != "reelbench", i[0]))
    )


def method_lines(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """A line a method and baseline, with where its page is."""
    found: dict[str, dict[str, Any]] = {}
    for board in boards:
        for row in board.rows:
            if row.tag("role") == "ceiling":
                continue
            name = row.tag("method")
            line = found.setdefault(
                name,
                {
                    "name": name,
                    "title": row.tag("title") or name,
                    "role": row.tag("role"),
                    "href": f"methods/{slug(name)}.html",
                    "benchmarks": set(),
                    "variants": set(),
                    "summary": "",
                },
            )
            line["benchmarks"].add(board.benchmark)
            line["variants"].add(row.tag("variant"))
            line["summary"] = line["summary"] or str(row.record.get("summary", ""))
    return sorted(found.values(), key=lambda m: (m["role"] != "method", m["role"], m["title"].lower()))


def benchmark_page(board: Board, strips: gallery.StripFolder, formats: Mapping[str, str]) -> dict[str, Any]:
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


def method_page(name: str, boards: Sequence[Board]) -> dict[str, Any]:
    """A method's words, its variants on each benchmark, its curves and its paper's numbers."""
    mine = [
        (b, [r for r in b.rows if r.tag("method") == name and r.tag("role") != "ceiling"]) for b in boards
    ]
    mine = [(b, rows) for b, rows in mine if rows]
    record = next((r.record for _, rows in mine for r in rows if r.record), {})
    first = mine[0][1][0]
    drawn: set[tuple[str, ...]] = set()
    return {
        "name": name, "title": first.tag("title") or name, "role": first.tag("role"), "record": record,
        "departures": prose(str(record.get("departures") or "")), "parts": [ablations(b, rows, drawn) for b, rows in mine],
        "paper": paper(record.get("paper") or {}, name, boards), "configs": configs(mine),
    }  # fmt: skip


def ablations(board: Board, rows: Sequence[Row], drawn: set[tuple[str, ...]]) -> Ablations:
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
        board, f"../benchmarks/{slug(board.benchmark)}.html", title_of(board), table, scale_text(board, scale),
        {r.label: marks.marks_of(board, r, scale) for r in shown}, tuple(charts),
    )  # fmt: skip


def scale_text(board: Board, scale: marks.Scale) -> str:
    """``0 – 66.0``: what a bar's ends stand for."""
    digits = places(board, board.primary)
    low, high = (f"{numbers.shown(board.primary, v):.{digits}f}" for v in (scale.low, scale.high))
    return f"{'0' if scale.low == 0 else low} – {high}"


def prose(text: str) -> list[list[str]]:
    """A docstring's list as items, each split where ````code```` begins and ends (every other part is code)."""
    items: list[str] = []
    for line in text.splitlines():
        if line.startswith("- ") or not items:
            items.append(line.removeprefix("- ").strip())
        else:
            items[-1] = f"{items[-1]} {line.strip()}".strip()
    return [item.split("``") for item in items if item]


def _variant_name(row: Row, rows: Sequence[Row]) -> str:
    variant = row.tag("variant") or "full"
    same = [r for r in rows if r.tag("variant") == row.tag("variant")]
    return variant if len(same) == 1 else f"{variant} · {row.tag('recipe')}"


def configs(mine: Sequence[tuple[Board, Sequence[Row]]]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Name and values (key, value, where it came from) of each distinct configuration."""
    found: dict[str, tuple[str, list[tuple[str, str, str]]]] = {}
    for _, rows in mine:
        for row in rows:
            config, origins = row.record.get("config") or {}, row.record.get("origins") or {}
            values = [(str(k), str(v), str(origins.get(k, "default"))) for k, v in sorted(config.items())]
            if values:
                found.setdefault(
                    repr(values),
                    (f"{row.tag('variant')} · {row.tag('recipe')} · {row.tag('preset')}", values),
                )
    return list(found.values())


def paper(record: Mapping[str, Any], name: str, boards: Sequence[Board]) -> dict[str, Any]:
    """The reference of a method's paper, and its reported numbers beside ours where the benchmark is the same one."""
    about = record.get("paper")
    known = about if isinstance(about, dict) else {}
    reported = record.get("reported")
    rows = (
        [_reported(n, name, boards) for n in reported if isinstance(n, dict)]
        if isinstance(reported, list)
        else []
    )
    return (
        {"reference": _reference(known), "url": _web_address(known.get("url")), "rows": rows}
        if known or rows
        else {}
    )


def _reference(about: Mapping[str, Any]) -> str:
    """``A. Author, B. Author: Title. ECCV 2018, §5``."""
    authors = about.get("authors")
    names = ", ".join(map(str, authors)) if isinstance(authors, list) else str(authors or "")
    where = " ".join(str(about[k]) for k in ("venue", "year") if k in about)
    return ". ".join(
        part
        for part in (
            names,
            str(about.get("title", "")),
            ", ".join(p for p in (where, str(about.get("section", ""))) if p),
        )
        if part
    )


def _web_address(address: object) -> str:
    """The address, if a browser may follow it."""
    return address if isinstance(address, str) and address.startswith(("https://", "http://")) else ""


def _reported(entry: Mapping[str, Any], name: str, boards: Sequence[Board]) -> dict[str, str]:
    """A reported number; a paper's tables have rows of other methods too, whose number is then beside theirs."""
    metric, variant, method = entry.get("metric"), entry.get("variant", "full"), entry.get("method", name)
    specs = [(board, s) for board in boards for s in board.specs if s["name"] == metric]
    ours = [
        numbers.mean_and_spread(spec, row.metric(str(metric)), places(board, spec))
        for board, spec in specs for row in board.rows
        if board.benchmark == entry.get("benchmark") and (row.tag("method"), row.tag("variant")) == (method, variant)
    ]  # fmt: skip
    value, spec = entry.get("value"), specs[0][1] if specs else {"name": metric}
    told = f"{numbers.shown(spec, value):.4g}" if isinstance(value, int | float) else str(value or "")
    fields = {k: str(entry.get(k, "")) for k in ("benchmark", "table", "split", "protocol", "note")}
    return fields | {
        "metric": numbers.metric_head(spec), "method": str(method), "variant": str(variant), "value": told, "ours": "; ".join(ours),
        "misprint": "suspected" if entry.get("misprint") else "",
    }  # fmt: skip
