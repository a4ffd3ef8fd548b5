"""The site: an overview, a page a benchmark and a page a method, drawn from the record with Jinja.

Every page stands alone: style and script are in it, only film strips lie beside it. A drawing can be watched while it
is made again: files are replaced one by one, and pages that nothing stands for any more are removed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reelbench.reports import formats, gallery, pages
from reelbench.reports.claims import pages as claim_pages
from reelbench.reports.claims.judging import claims_in, judge
from reelbench.reports.claims.lines import counts
from reelbench.reports.escaping import visible
from reelbench.reports.frames import Results, load
from reelbench.reports.leaderboard import Board, boards

MANIFEST = ".reelbench-site.json"
TableWriter = Callable[[Board, Path], Path]


def draw_site(uri: str, out: Path, benchmarks: Sequence[str] = ()) -> Path:
    """Draw everything, or some benchmarks, into a folder; returns its ``index.html``.

    Other benchmarks' pages that lie in the folder stay, and stay in the overview.

    Raises
    ------
    TrackingError
        If the store cannot be read or holds no trials.
    """
    results, site = load(uri, benchmarks), Site(out)
    chosen = {b.benchmark for b in boards(results)}
    if benchmarks and site.has_others(chosen):
        results = load(uri)
    site.draw(results, [b for b in boards(results) if b.benchmark in chosen or site.has(b.benchmark)], chosen)
    return out / "index.html"


def draw_tables(
    uri: str, out: Path, writers: Sequence[TableWriter], benchmarks: Sequence[str] = ()
) -> list[Path]:
    """Write every board into ``out/tables`` with each of the registered formats; returns the files."""
    found = boards(load(uri, benchmarks)) if writers else []
    return [write(board, out / "tables") for write in writers for board in found]


class Site:
    """A folder of pages in the making."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.written: list[str] = []
        self.before = {n for n in _listed(out / MANIFEST) if (out / n).is_file()}

    def has(self, benchmark: str) -> bool:
        """Whether an earlier drawing left a page of that benchmark."""
        return _benchmark_page(benchmark) in self.before

    def has_others(self, benchmarks: Iterable[str]) -> bool:
        """Whether an earlier drawing left pages of other benchmarks than these."""
        own = {_benchmark_page(b) for b in benchmarks}
        return any(name.startswith("benchmarks/") and name not in own for name in self.before)

    def draw(self, results: Results, found: Sequence[Board], chosen: Collection[str]) -> None:
        """Write the pages of the chosen benchmarks and of their methods, then the overview of all that were found.

        Where all were chosen, what an earlier drawing left and this one did not write is removed; otherwise it stays.
        """
        strips = gallery.StripFolder(self.out / "assets" / "strips", "../assets/strips")
        drawn = [board for board in found if board.benchmark in chosen]
        for board in drawn:
            self._benchmark(board, strips)
        names = {line["name"] for line in pages.method_lines(drawn)}
        for line in pages.method_lines(found):
            if line["name"] in names or line["href"] not in self.before:
                self._page(line["href"], "method.html", pages.method_page(line["name"], found))
        claims = self._claims(found)
        self._page("index.html", "index.html", pages.overview(results, found) | {"claims": claims})
        self.written += [f"assets/strips/{name}" for name in strips.names]
        if len(drawn) < len(found):
            self.written += sorted(self.before - set(self.written))
        self._forget()

    def _benchmark(self, board: Board, strips: gallery.StripFolder) -> None:
        files = {name: formats.write(name, board, self.out / "tables") for name in formats.SUFFIXES}
        links = {name: f"../tables/{path.name}" for name, path in files.items()}
        self.written += [f"tables/{path.name}" for path in files.values()]
        self._page(
            _benchmark_page(board.benchmark),
            "benchmark.html",
            pages.benchmark_page(board, strips, links),
        )

    def _claims(self, found: Sequence[Board]) -> dict[str, int]:
        """Pages of what the record says of the papers' claims; returns how many have which verdict."""
        judged = judge(claims_in(found), found)
        if not judged:
            return {}
        titles = {row.tag("method"): row.tag("title") or row.tag("method") for b in found for row in b.rows}
        self._page("claims/index.html", "claims.html", claim_pages.summary_page(judged, found, titles))
        for paper in dict.fromkeys(one.claim.paper for one in judged):
            mine = [one for one in judged if one.claim.paper == paper]
            page = claim_pages.paper_page(mine, found, titles.get(paper, paper))
            self._page(f"claims/{formats.slug(paper)}.html", "claims.html", page)
        return counts(judged)

    def _page(self, href: str, template: str, values: dict[str, Any]) -> None:
        root = "../" * href.count("/")
        write_text(self.out / href, environment().get_template(template).render(values, root=root))
        self.written.append(href)

    def _forget(self) -> None:
        """Remove files of the last drawing that this one did not write, and nothing else."""
        manifest = self.out / MANIFEST
        for name in set(_listed(manifest)) - set(self.written):
            path = self.out / name
            if path.resolve().is_relative_to(self.out.resolve()):
                path.unlink(missing_ok=True)
        write_text(manifest, json.dumps(sorted(self.written)))


def _benchmark_page(benchmark: str) -> str:
    return f"benchmarks/{formats.slug(benchmark)}.html"


def _listed(manifest: Path) -> list[str]:
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [n for n in found if isinstance(n, str)] if isinstance(found, list) else []


def write_text(path: Path, text: str) -> None:
    """Write a file by rename, so that a browser never reads half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


@cache
def environment() -> Environment:
    """Jinja with autoescape, strict about unknown names; control characters of any text are made visible."""
    loader = PackageLoader("reelbench.reports", "templates")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (loader.get_source(made, name)[0] for name in ("style.css", "sort.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made.globals |= {"style": Markup(style), "script": Markup(script), "script_hash": digest}
    return made


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
