"""What a method's page says, of all chapters: its words, its variants on each benchmark, its paper's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from reelbench.reports import numbers
from reelbench.reports.chapters import Chapter, Config
from reelbench.reports.frames import Trial


def method_page(name: str, chapters: Sequence[Chapter], trials: Mapping[str, Trial]) -> dict[str, Any]:
    """A method's words, its variants on each benchmark, its curves and its paper's numbers; ``trials`` by run."""
    mine = [(chapter, chapter.parts[name]) for chapter in chapters if name in chapter.parts]
    told_by = next((part.told_by for _, part in mine if part.told_by), "")
    record = trials[told_by].record if told_by else {}
    first = mine[0][1]
    parts = [
        {"href": f"../{c.href}", "title": c.title, "benchmark": c.benchmark, "body": Markup(part.body)}
        for c, part in mine
    ]
    return {
        "name": name, "title": first.title, "role": first.role, "record": record, "parts": parts,
        "departures": prose(str(record.get("departures") or "")), "paper": paper(record.get("paper") or {}, name, chapters),
        "configs": configs([config for _, part in mine for config in part.configs]),
    }  # fmt: skip


def configs(found: Sequence[Config]) -> list[Config]:
    """Each distinct configuration once, under the name that it comes under first."""
    first: dict[str, Config] = {}
    for name, values in found:
        first.setdefault(repr([tuple(value) for value in values]), (name, values))
    return list(first.values())


def prose(text: str) -> list[list[str]]:
    """A docstring's list as items, each split where ````code```` begins and ends (every other part is code)."""
    items: list[str] = []
    for line in text.splitlines():
        if line.startswith("- ") or not items:
            items.append(line.removeprefix("- ").strip())
        else:
            items[-1] = f"{items[-1]} {line.strip()}".strip()
    return [item.split("``") for item in items if item]


def paper(record: Mapping[str, Any], name: str, chapters: Sequence[Chapter]) -> dict[str, Any]:
    """The reference of a method's paper, and its reported numbers beside ours where the benchmark is the same one."""
    about = record.get("paper")
    known = about if isinstance(about, dict) else {}
    reported = record.get("reported")
    rows = (
        [_reported(n, name, chapters) for n in reported if isinstance(n, dict)]
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


def _reported(entry: Mapping[str, Any], name: str, chapters: Sequence[Chapter]) -> dict[str, str]:
    """A reported number; a paper's tables have rows of other methods too, whose number is then beside theirs."""
    metric, variant, method = entry.get("metric"), entry.get("variant", "full"), entry.get("method", name)
    specs = [s for chapter in chapters for s in chapter.specs if s["name"] == metric]
    ours = [
        shown[str(metric)]
        for chapter in chapters
        if chapter.benchmark == entry.get("benchmark")
        for *row, shown in chapter.scores
        if row == [method, variant] and metric in shown
    ]
    value, spec = entry.get("value"), specs[0] if specs else {"name": metric}
    told = f"{numbers.shown(spec, value):.4g}" if isinstance(value, int | float) else str(value or "")
    fields = {k: str(entry.get(k, "")) for k in ("benchmark", "table", "split", "protocol", "note")}
    return fields | {
        "metric": numbers.metric_head(spec), "method": str(method), "variant": str(variant), "value": told, "ours": "; ".join(ours),
        "misprint": "suspected" if entry.get("misprint") else "",
    }  # fmt: skip
