"""Chapters: a benchmark drawn once, as its own files and as what pages of several benchmarks say of it.

A chapter is made of its board alone, is plain enough to be kept as JSON, and has all that the overview and the methods'
pages need, so that after a new trial one benchmark is read and computed again and not all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reelbench.reports import curves, formats, gallery, numbers, pages
from reelbench.reports.leaderboard import Board, Row
from reelbench.reports.published import newest_papers
from reelbench.reports.tables import places
from reelbench.reports.templating import drawn, drawn_page

Curves = Mapping[str, frozenset[curves.Key]]
"""Method → the curves that its page has drawn already."""
Config = tuple[str, Sequence[tuple[str, str, str]]]


@dataclass(frozen=True)
class Part:
    """A method on one benchmark, as its own page shows it.

    Attributes
    ----------
    body
        HTML of its rows beside the baselines, and of its curves.
    told_by
        The run whose record tells of the method and its paper; empty where none can be read.
    configs
        Name and values (key, value, where it came from) of each distinct configuration.
    losses
        Curves that are of no benchmark and are drawn on the first one that has them.
    """

    title: str
    role: str
    variants: Sequence[str]
    summary: str
    told_by: str
    body: str
    configs: Sequence[Config]
    losses: Sequence[curves.Key]


@dataclass(frozen=True)
class Facts:
    """What ran: chains are the fits of trials, with the seconds that they took."""

    trials: int
    seeds: Sequence[int]
    hardware: Sequence[str]
    seconds: float
    chains: Sequence[tuple[Sequence[str], float]]
    ended_ms: float
    versions: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Chapter:
    """A benchmark.

    Attributes
    ----------
    card
        HTML of its card on the overview.
    parts
        By method; ceilings have none.
    papers
        Method → the newest run that has its paper.
    scores
        Method, variant, and metric → mean and spread, of each row.
    files
        Address in the site → text, of its page and tables.
    strips
        Film strip → the run and artifact that hold it.
    """

    benchmark: str
    title: str
    dataset: str
    specs: Sequence[Mapping[str, Any]]
    card: str
    has_ceiling: bool
    facts: Facts
    parts: Mapping[str, Part]
    papers: Mapping[str, str]
    scores: Sequence[tuple[str, str, Mapping[str, str]]]
    files: Mapping[str, str]
    strips: Mapping[str, gallery.Source]

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Chapter:
        """What :meth:`plain` made, from JSON."""
        parts = {
            name: Part(**part | {"losses": [tuple(loss) for loss in part["losses"]]})
            for name, part in kept["parts"].items()
        }
        return cls(**{**kept, "parts": parts, "facts": Facts(**kept["facts"])})

    @property
    def href(self) -> str:
        """Where its page is."""
        return pages.href_of(self.benchmark)


def make_chapter(board: Board, seen: Curves) -> Chapter:
    """Draw a board; ``seen`` are the losses' curves that stand on earlier benchmarks."""
    strips = gallery.Strips("../assets/strips")
    card = pages.card(board)
    return Chapter(
        benchmark=board.benchmark,
        title=pages.title_of(board),
        dataset=str(board.record.get("dataset", "")),
        specs=board.specs,
        card=drawn("card.html", {"c": card}),
        has_ceiling=bool(card.ceiling),
        facts=_facts(board),
        parts=_parts(board, seen),
        papers={method: trial.run_id for method, trial in newest_papers([board]).items()},
        scores=[_scores(board, row) for row in board.rows],
        files=_files(board, strips),
        strips=strips.sources,
    )


def _files(board: Board, strips: gallery.Strips) -> dict[str, str]:
    tables = {name: formats.text_of(name, board) for name in formats.SUFFIXES}
    links = {name: f"../tables/{file}" for name, (file, _) in tables.items()}
    href = pages.href_of(board.benchmark)
    page = drawn_page(href, "benchmark.html", pages.benchmark_page(board, strips, links))
    return {href: page} | {f"tables/{file}": text for file, text in tables.values()}


def _parts(board: Board, seen: Curves) -> dict[str, Part]:
    found: dict[str, list[Row]] = {}
    for row in (r for r in board.rows if r.tag("role") != "ceiling"):
        found.setdefault(row.tag("method"), []).append(row)
    return {name: _part(board, name, rows, seen.get(name, frozenset())) for name, rows in found.items()}


def _part(board: Board, name: str, rows: Sequence[Row], seen: frozenset[curves.Key]) -> Part:
    return Part(
        title=rows[0].tag("title") or name,
        role=rows[0].tag("role"),
        variants=list(dict.fromkeys(row.tag("variant") for row in rows)),
        summary=next((said for row in rows if (said := str(row.record.get("summary", "")))), ""),
        told_by=next((row.finished[0].run_id for row in rows if row.record), ""),
        body=drawn("part.html", {"p": pages.ablations(board, rows, set(seen))}),
        configs=_configs(rows),
        losses=sorted(curves.losses_of(board, rows)),
    )


def _configs(rows: Sequence[Row]) -> list[Config]:
    found: dict[str, Config] = {}
    for row in rows:
        config, origins = row.record.get("config") or {}, row.record.get("origins") or {}
        values = [(str(k), str(v), str(origins.get(k, "default"))) for k, v in sorted(config.items())]
        if values:
            name = f"{row.tag('variant')} · {row.tag('recipe')} · {row.tag('preset')}"
            found.setdefault(repr(values), (name, values))
    return list(found.values())


def _scores(board: Board, row: Row) -> tuple[str, str, dict[str, str]]:
    shown = {
        name: numbers.mean_and_spread(spec, row.metric(name), places(board, spec))
        for spec in board.specs
        if (name := str(spec["name"]))
    }
    return row.tag("method"), row.tag("variant"), shown


def _facts(board: Board) -> Facts:
    trials = [trial for row in board.rows for trial in row.finished]
    records = [trial.record for trial in trials if trial.record]
    versions: dict[str, set[str]] = {}
    for record in records:
        for name, version in (record.get("versions") or {}).items():
            versions.setdefault(str(name), set()).add(str(version))
    costs = [record.get("cost", {}) for record in records]
    chains = {
        tuple(r.get("fingerprints", {}).get("fits", ())): c.get("train_seconds") or 0
        for r, c in zip(records, costs, strict=True)
    }
    return Facts(
        trials=len(trials),
        seeds=sorted({trial.seed for trial in trials if trial.seed >= 0}),
        hardware=sorted({trial.tags.get("rb.hardware", "") for trial in trials} - {""}),
        seconds=sum(cost.get(k) or 0 for cost in costs for k in ("predict_seconds", "score_seconds")),
        chains=list(chains.items()),
        ended_ms=max((record.get("ended_ms", 0) for record in records), default=0),
        versions={name: sorted(found) for name, found in versions.items()},
    )
