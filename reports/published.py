"""The numbers that papers print, beside a benchmark's rows. They are never ranked: data, splits and budgets differ."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reelbench.reports import numbers
from reelbench.reports.frames import Trial
from reelbench.reports.leaderboard import Board


@dataclass(frozen=True)
class Published:
    """One number of a paper's table.

    Attributes
    ----------
    paper
        Title of the method whose paper prints it.
    benchmark
        On which it was measured there, which is seldom the board's own.
    value
        As the metric is stored, a fraction where a page says %.
    misprint
        Whether it is suspected to be one; ``note`` says why.
    """

    paper: str
    method: str
    variant: str
    benchmark: str
    metric: str
    value: float
    table: str
    split: str
    protocol: str
    note: str
    misprint: bool

    @property
    def task(self) -> str:
        """Of the benchmark."""
        return self.benchmark.partition("@")[0]

    @property
    def dataset(self) -> str:
        """``lsmdc``."""
        return self.benchmark.partition("@")[2].partition(":")[0]

    @property
    def setting(self) -> str:
        """The benchmark's protocol by name: ``1k``."""
        return self.benchmark.partition(":")[2]


def published(board: Board) -> dict[str, tuple[Published, ...]]:
    """Label → what papers print for that method and variant on the board's task, in the board's metrics.

    The papers are those of the board's own methods; a paper's table has rows of other methods too. Where a paper has the board's
    protocol by name (``paragraph``), only that counts; where it has one protocol for each of its datasets, that stands for the board's.
    """
    task, metrics = board.benchmark.partition("@")[0], [str(s["name"]) for s in board.specs]
    found = [n for n in _numbers(board) if n.task == task and n.metric in metrics]
    fitting = _fitting(found, board.benchmark.partition(":")[2])
    return {
        row.label: tuple(sorted(own, key=lambda n: _order(n, board, metrics)))
        for row in board.rows
        if (own := [n for n in fitting if (n.method, n.variant) == (row.tag("method"), row.tag("variant"))])
    }


def beside(found: Sequence[Published]) -> list[Published]:
    """One number a benchmark and paper, of those that :func:`published` found: the primary metric's, of the test split, where there is one."""
    first: dict[tuple[str, str], Published] = {}
    for number in found:
        first.setdefault((number.benchmark, number.paper), number)
    return list(first.values())


def _order(number: Published, board: Board, metrics: Sequence[str]) -> tuple[bool, int, bool, bool]:
    """The board's own benchmark first, its primary metric, the test split, what is no misprint."""
    return (
        number.benchmark != board.benchmark, metrics.index(number.metric), number.split != "test", number.misprint,
    )  # fmt: skip


def _fitting(found: Sequence[Published], protocol: str) -> list[Published]:
    papers: dict[str, list[Published]] = {}
    for number in found:
        papers.setdefault(number.paper, []).append(number)
    return [number for several in papers.values() for number in _of_protocol(several, protocol)]


def _of_protocol(several: Sequence[Published], protocol: str) -> list[Published]:
    named = [n for n in several if n.setting == protocol]
    settings = {(n.dataset, n.setting) for n in several}
    return named or (list(several) if len(settings) == len({d for d, _ in settings}) else [])


def _numbers(board: Board) -> Iterator[Published]:
    """Every number of the papers of a board's methods, each method's newest paper, each number once."""
    seen: set[Published] = set()
    for method, trial in newest_papers([board]).items():
        title = trial.tags.get("rb.title") or method
        for entry in _entries(trial):
            number = _read(entry, method, title)
            if number and number not in seen:
                seen.add(number)
                yield number


def newest_papers(boards: Iterable[Board]) -> dict[str, Trial]:
    """Method → its newest finished trial that has a paper which is not empty; the record of a failed trial has none."""
    trials = [(row.tag("method"), trial) for board in boards for row in board.rows for trial in row.finished]
    found: dict[str, Trial] = {}
    for method, trial in sorted(trials, key=lambda one: (one[0], -one[1].started_ms)):
        if method not in found and isinstance(paper := trial.record.get("paper"), Mapping) and paper:
            found[method] = trial
    return found


def _entries(trial: Trial) -> list[Mapping[str, object]]:
    reported = trial.record["paper"].get("reported")
    return [n for n in reported if isinstance(n, Mapping)] if isinstance(reported, list) else []


def _read(entry: Mapping[str, object], method: str, title: str) -> Published | None:
    """``None`` for what is not a finite number: a record may be another version's, or made elsewhere."""
    value = entry.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        return None
    told = {k: str(entry.get(k, "")) for k in ("benchmark", "metric", "table", "split", "protocol", "note")}
    return Published(
        paper=title,
        method=str(entry.get("method", method)),
        variant=str(entry.get("variant", "full")),
        value=float(value),
        misprint=bool(entry.get("misprint")),
        **told,
    )


def printed(number: Published, spec: numbers.Spec) -> str:
    """``34.1``, with as many decimals as papers print, and a question mark where it is suspected to be a misprint."""
    value = numbers.shown(spec, number.value)
    digits = (
        (1 if round(value, 1) == round(value, 2) else 2) if spec.get("percent") else 3 if value < 10 else 1
    )
    return f"{value:.{digits}f}{'?' if number.misprint else ''}"


def source(number: Published, board: Board, own: str) -> str:
    """``lsmdc · Table 5.2``: where a number is from, as short as it can be told; ``own`` is the title of the row's method."""
    metric = next(s for s in board.specs if s["name"] == number.metric)
    parts = [
        "" if metric is board.specs[0] else str(metric.get("title") or metric["name"]),
        "same benchmark" if number.benchmark == board.benchmark else number.dataset,
        "" if number.setting == board.benchmark.partition(":")[2] else number.setting,
        "" if number.split == "test" else number.split,
        number.table if number.paper == own else f"{number.paper}, {number.table}",
    ]
    return " · ".join(part for part in parts if part)


def told(number: Published, spec: numbers.Spec) -> str:
    """All there is to a number, as a pointer shows it."""
    parts = (
        f"{numbers.metric_head(spec)} on {number.benchmark}", f"{number.paper}, {number.table}", f"split {number.split}" if number.split else "",
        number.protocol, f"suspected misprint: {number.note}" if number.misprint else number.note,
    )  # fmt: skip
    return "; ".join(part for part in parts if part)


def paper_notes(board: Board, shown: Iterable[Published]) -> list[str]:
    """What stands below a table with papers' numbers: that they are not ranked, how their protocols differ, suspected misprints."""
    several = list(dict.fromkeys(shown))
    if not several:
        return []
    ours = f"here: {board.record.get('examples', '?')} examples of {board.benchmark.partition('@')[2]}"
    theirs: dict[str, dict[str, None]] = {}
    for number in several:
        where = number.benchmark.partition("@")[2]
        theirs.setdefault(where, {})[number.protocol or f"split {number.split}"] = None
    protocols = "; ".join(f"{where} ({', '.join(said)})" for where, said in theirs.items())
    notes = [f"Paper: what papers print, never ranked. Protocols: {protocols}; {ours}."]
    doubted = {f"{n.paper}, {n.table}: {n.note}" for n in several if n.misprint}
    return [*notes, *(f"? is a suspected misprint. {line}." for line in sorted(doubted))]
