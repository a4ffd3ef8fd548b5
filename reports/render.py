"""The site: an overview, a page a benchmark and a page a method, drawn from the record with Jinja.

Every page stands alone: style and script are in it, only film strips lie beside it. A drawing can be watched while it
is made again: files are replaced one by one, and pages that nothing stands for any more are removed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reelbench.reports import formats, gallery, pages
from reelbench.reports.book import Book
from reelbench.reports.chapters import Chapter
from reelbench.reports.claims import pages as claim_pages
from reelbench.reports.claims.judging import claims_in, judge
from reelbench.reports.claims.lines import counts
from reelbench.reports.frames import Results, is_chosen, load
from reelbench.reports.kept import Kept
from reelbench.reports.leaderboard import Board, boards
from reelbench.reports.method_pages import method_page
from reelbench.reports.overview import method_lines, overview
from reelbench.reports.templating import drawn_page, write_text

MANIFEST = ".reelbench-site.json"
STRIPS = "assets/strips"
CLAIMS = "claims"
TableWriter = Callable[[Board, Path], Path]


def draw_site(uri: str, out: Path, benchmarks: Sequence[str] = (), *, workspace: Path | None = None) -> Path:
    """Draw everything, or some benchmarks, into a folder; returns its ``index.html``.

    Other benchmarks' pages that lie in the folder stay, and stay in the overview.

    Parameters
    ----------
    workspace
        Where chapters are kept for the next drawing; without one everything is drawn anew.

    Raises
    ------
    TrackingError
        If the store cannot be read or holds no trials.
    """
    site = Site(out)
    results, chosen = _wanted(uri, benchmarks, site)
    names = [name for name in results.benchmarks() if name in chosen or site.has(name)]
    kept = Kept(workspace, uri)
    site.draw(results, Book(results, names, kept), chosen, kept)
    if not benchmarks:
        kept.keep_only([CLAIMS, *names])
    return out / "index.html"


def _wanted(uri: str, benchmarks: Sequence[str], site: Site) -> tuple[Results, set[str]]:
    """What is to be drawn from, and which benchmarks were chosen; of all others only what the overview needs."""
    if benchmarks and site.has_others(()):
        whole = load(uri)
        chosen = {name for name in whole.benchmarks() if is_chosen(name, benchmarks)}
        if chosen and site.has_others(chosen):
            return whole, chosen
    results = load(uri, benchmarks)
    return results, set(results.benchmarks())


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
        return pages.href_of(benchmark) in self.before

    def has_others(self, benchmarks: Iterable[str]) -> bool:
        """Whether an earlier drawing left pages of other benchmarks than these."""
        own = {pages.href_of(b) for b in benchmarks}
        return any(name.startswith("benchmarks/") and name not in own for name in self.before)

    def draw(self, results: Results, book: Book, chosen: Collection[str], kept: Kept) -> None:
        """Write the pages of the chosen benchmarks and of their methods, then the overview of all that were found.

        Where all were chosen, what an earlier drawing left and this one did not write is removed; otherwise it stays.
        """
        drawn = [chapter for chapter in book.chapters if chapter.benchmark in chosen]
        for chapter in drawn:
            self._benchmark(chapter, book)
        names = {line["name"] for line in method_lines(drawn)}
        for line in method_lines(book.chapters):
            if line["name"] in names or line["href"] not in self.before:
                page = method_page(line["name"], book.chapters, book.trials)
                self._page(line["href"], "method.html", page)
        claims = self._claims(book, kept)
        self._page("index.html", "index.html", overview(results, book.chapters) | {"claims": claims})
        if len(drawn) < len(book.chapters):
            self.written += sorted(self.before - set(self.written))
        self._forget()

    def _benchmark(self, chapter: Chapter, book: Book) -> None:
        for href, text in chapter.files.items():
            self._write(href, text)
        for name, (run, path) in chapter.strips.items():
            gallery.copy_strip(book.trials[run], path, self.out / STRIPS / name)
            self.written.append(f"{STRIPS}/{name}")

    def _claims(self, book: Book, kept: Kept) -> dict[str, int]:
        """Pages of what the record says of the papers' claims; returns how many have which verdict."""
        found = kept.read(CLAIMS)
        if found.get("entered") != book.digest:
            found = {"entered": book.digest, **_judged(book)}
            kept.write(CLAIMS, found)
        for href, text in found["pages"].items():
            self._write(href, text)
        return dict(found["counts"])

    def _page(self, href: str, template: str, values: Mapping[str, Any]) -> None:
        self._write(href, drawn_page(href, template, values))

    def _write(self, href: str, text: str) -> None:
        write_text(self.out / href, text)
        self.written.append(href)

    def _forget(self) -> None:
        """Remove files of the last drawing that this one did not write, and nothing else."""
        manifest = self.out / MANIFEST
        for name in set(_listed(manifest)) - set(self.written):
            path = self.out / name
            if path.resolve().is_relative_to(self.out.resolve()):
                path.unlink(missing_ok=True)
        write_text(manifest, json.dumps(sorted(set(self.written))))


def _judged(book: Book) -> dict[str, Any]:
    """Pages of claims by address, and how many claims have which verdict."""
    papers = book.papers()
    claims = claims_in(papers)
    found = book.boards() if claims else []
    judged = judge(claims, found)
    if not judged:
        return {"pages": {}, "counts": {}}
    titles = {row.tag("method"): row.tag("title") or row.tag("method") for b in found for row in b.rows}
    values = {"claims/index.html": claim_pages.summary_page(judged, papers, titles)}
    for paper in dict.fromkeys(one.claim.paper for one in judged):
        mine = [one for one in judged if one.claim.paper == paper]
        page = claim_pages.paper_page(mine, found, titles.get(paper, paper))
        values[f"claims/{formats.slug(paper)}.html"] = page
    drawn = {href: drawn_page(href, "claims.html", page) for href, page in values.items()}
    return {"pages": drawn, "counts": counts(judged)}


def _listed(manifest: Path) -> list[str]:
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [n for n in found if isinstance(n, str)] if isinstance(found, list) else []
