"""What the first page says, of all chapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from reelbench.reports import numbers
from reelbench.reports.chapters import Chapter
from reelbench.reports.failures import failures
from reelbench.reports.formats import slug
from reelbench.reports.frames import Results


def overview(results: Results, chapters: Sequence[Chapter]) -> dict[str, Any]:
    """What the first page shows."""
    by_dataset: dict[str, list[Markup]] = {}
    for chapter in chapters:
        by_dataset.setdefault(chapter.dataset, []).append(Markup(chapter.card))
    return {
        "cards": by_dataset, "methods": method_lines(chapters), "facts": facts(results, chapters), "failures": failures(results),
        "contradictions": results.contradictions, "has_ceiling": any(c.has_ceiling for c in chapters),
    }  # fmt: skip


def facts(results: Results, chapters: Sequence[Chapter]) -> list[tuple[str, str]]:
    """What ran, on what, when."""
    told = [chapter.facts for chapter in chapters]
    suites = list(dict.fromkeys(s.tags.get("rb.suite", s.name) for s in results.suites))
    seeds = sorted({seed for f in told for seed in f.seeds})
    chains = {tuple(fits): seconds for f in told for fits, seconds in f.chains}  # each set of fits once
    on = f"{len(chapters)} benchmark{'' if len(chapters) == 1 else 's'}"
    lines = [
        ("Suites", ", ".join(suites)),
        ("Trials", f"{sum(f.trials for f in told)} on {on}"),
        ("Seeds", f"{len(seeds)} ({', '.join(map(str, seeds))})" if seeds else ""),
        ("Hardware", "; ".join(sorted({name for f in told for name in f.hardware}))),
        ("Predict and score", numbers.duration(sum(f.seconds for f in told))),
        ("Training", numbers.duration(float(sum(chains.values())))),
        ("Last trial", numbers.when(max((f.ended_ms for f in told), default=0))),
        ("Versions", versions([f.versions for f in told])),
        ("Record", results.uri),
    ]
    return [(k, v) for k, v in lines if v]


def versions(several: Sequence[Mapping[str, Sequence[str]]]) -> str:
    """``reelbench 0.1.0, torch 2.13.0``; several of one are all named."""
    found: dict[str, set[str]] = {}
    for told in several:
        for name, some in told.items():
            found.setdefault(name, set()).update(some)
    return ", ".join(
        f"{name} {' and '.join(sorted(vs))}"
        for name, vs in sorted(found.items(), key=lambda i: (i[0] != "reelbench", i[0]))
    )


def method_lines(chapters: Sequence[Chapter]) -> list[dict[str, Any]]:
    """A line a method and baseline, with where its page is."""
    found: dict[str, dict[str, Any]] = {}
    for chapter in chapters:
        for name, part in chapter.parts.items():
            line = found.setdefault(
                name,
                {
                    "name": name,
                    "title": part.title,
                    "role": part.role,
                    "href": f"methods/{slug(name)}.html",
                    "benchmarks": set(),
                    "variants": set(),
                    "summary": "",
                },
            )
            line["benchmarks"].add(chapter.benchmark)
            line["variants"].update(part.variants)
            line["summary"] = line["summary"] or part.summary
    return sorted(found.values(), key=lambda m: (m["role"] != "method", m["role"], m["title"].lower()))
