"""A store's chapters in order: those that nothing changed for are taken as they were kept, others are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from reelbench.fingerprints import digest
from reelbench.reports.chapters import Chapter, make_chapter
from reelbench.reports.curves import Key
from reelbench.reports.frames import Results, Trial
from reelbench.reports.inputs import files_read, rows_digest
from reelbench.reports.kept import Kept
from reelbench.reports.leaderboard import Board, Row, board_of


class Book:
    """The chapters of some benchmarks; a benchmark without a finished trial has none.

    Attributes
    ----------
    chapters
        In the order of the benchmarks.
    digest
        Of all that entered them.
    """

    def __init__(self, results: Results, benchmarks: Iterable[str], kept: Kept) -> None:
        self._results, self._kept = results, kept
        self._boards: dict[str, Board | None] = {}
        self._losses: dict[str, set[Key]] = {}
        self.chapters: list[Chapter] = []
        entered = []
        for name in benchmarks:
            found = self._found(name) or self._made(name)
            entered.append([found[key] for key in ("rows", "seen", "read")])
            if found["chapter"]:
                chapter = Chapter.of(found["chapter"])
                self.chapters.append(chapter)
                for method, part in chapter.parts.items():
                    self._losses.setdefault(method, set()).update(part.losses)
        self.digest = digest(entered)

    @cached_property
    def trials(self) -> Mapping[str, Trial]:
        """By run."""
        return {trial.run_id: trial for trial in self._results.trials}

    def boards(self) -> list[Board]:
        """The board of each chapter."""
        return [board for chapter in self.chapters if (board := self._board(chapter.benchmark))]

    def papers(self) -> list[Board]:
        """A board for each chapter with only the newest trial of each method that has a paper."""
        several = [(c.benchmark, [self.trials[run] for run in c.papers.values()]) for c in self.chapters]
        return [
            Board(benchmark, tuple(Row(trial.label, (trial,)) for trial in trials))
            for benchmark, trials in several
        ]

    def _board(self, benchmark: str) -> Board | None:
        if benchmark not in self._boards:
            self._boards[benchmark] = board_of(self._results, benchmark)
        return self._boards[benchmark]

    def _found(self, benchmark: str) -> Mapping[str, Any]:
        """What was kept, if all that entered it is as it was; else empty."""
        kept = self._kept.read(benchmark)
        if kept.get("rows") != rows_digest(benchmark, self._results):
            return {}
        as_it_was = all(self.trials[run].mark(name) == told for run, name, told in kept["read"])
        losses = (kept["chapter"] or {"parts": {}})["parts"]
        asked = {method: [tuple(loss) for loss in part["losses"]] for method, part in losses.items()}
        return kept if as_it_was and kept["seen"] == self._seen(asked) else {}

    def _made(self, benchmark: str) -> Mapping[str, Any]:
        board = self._board(benchmark)
        seen = {method: frozenset(losses) for method, losses in self._losses.items()}
        chapter = make_chapter(board, seen) if board else None
        asked = {method: part.losses for method, part in chapter.parts.items()} if chapter else {}
        made = {
            "rows": rows_digest(benchmark, self._results),
            "seen": self._seen(asked),
            "read": files_read(self._results.of(benchmark)),
            "chapter": chapter.plain() if chapter else None,
        }
        self._kept.write(benchmark, made)
        return made

    def _seen(self, asked: Mapping[str, Sequence[Key]]) -> str:
        """Which of a chapter's losses stand in earlier chapters."""
        return digest(
            {name: sorted(self._losses.get(name, set()).intersection(some)) for name, some in asked.items()}
        )
