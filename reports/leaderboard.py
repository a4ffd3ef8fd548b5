"""A benchmark's trials as a table: seeds pooled into rows, rows in bands and sections, best first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from reelbench.reports.frames import Results, Trial

if TYPE_CHECKING:
    from reelbench.reports.published import Published
    from reelbench.reports.standing import Standings
    from reelbench.reports.tables import Table

BANDS = ("method", "baseline", "external", "ceiling")
Place = tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """A metric over a row's seeds: mean, sample standard deviation (``None`` for one seed), and how many."""

    mean: float
    sd: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Cell | None:
        """The cell of some values; ``None`` where there is none."""
        finite = [v for v in values if math.isfinite(v)]
        if not finite:
            return None
        return cls(mean(finite), stdev(finite) if len(finite) > 1 else None, len(finite))


@dataclass(frozen=True)
class Row:
    """The seeds of one method, variant, recipe, preset and feature set."""

    label: str
    trials: tuple[Trial, ...]
    failed_fits: tuple[Trial, ...] = ()

    @cached_property
    def finished(self) -> list[Trial]:
        """Trials with a score, by seed."""
        return sorted((t for t in self.trials if t.is_finished), key=lambda t: t.seed)

    @property
    def failed(self) -> list[Trial]:
        """Trials without one, by seed."""
        return sorted((t for t in self.trials if not t.is_finished), key=lambda t: t.seed)

    def tag(self, name: str) -> str:
        """A tag that all its trials share."""
        return self.trials[0].tags.get(f"rb.{name}", "")

    @property
    def record(self) -> Mapping[str, Any]:
        """The record of its first finished trial."""
        return self.finished[0].record if self.finished else {}

    @property
    def name(self) -> str:
        """The method, its variant where it is not the full one, its recipe where it has several words for it."""
        variant = self.tag("variant")
        return self.tag("method") + ("" if variant == "full" else f" · {variant}")

    @property
    def seeds(self) -> str:
        """``3``, ``1, deterministic``, ``2 of 3``."""
        finished, lost = len(self.finished), len(self.troubles)
        if lost:
            return f"{finished} of {finished + lost}"
        return "1, deterministic" if self.deterministic else str(finished)

    @property
    def deterministic(self) -> bool:
        """Whether every seed gives the same, so that one is enough."""
        return bool(self.record.get("deterministic")) or self.tag("role") == "ceiling"

    @property
    def is_floor(self) -> bool:
        """Whether it answers without having looked: chance."""
        return bool(self.record.get("floor"))

    @property
    def troubles(self) -> list[str]:
        """One line a seed that failed, in its trial or in a stage before it."""
        return [
            f"seed {t.seed}: {t.error or t.status.lower()}"
            for t in sorted((*self.failed, *self.failed_fits), key=lambda t: t.seed)
        ]

    def metric(self, name: str) -> Cell | None:
        """A metric over seeds."""
        return self._cells.get(name)

    @cached_property
    def _cells(self) -> dict[str, Cell | None]:
        """Every metric's: pages ask for each of them many times."""
        names = dict.fromkeys(name for trial in self.finished for name in trial.metrics)
        return {n: Cell.of([t.metrics[n] for t in self.finished if n in t.metrics]) for n in names}

    def cost(self, name: str) -> float | None:
        """Mean of a cost over seeds."""
        found = [float(v) for t in self.finished if (v := t.record.get("cost", {}).get(name)) is not None]
        finite = [v for v in found if math.isfinite(v)]
        return mean(finite) if finite else None


@dataclass(frozen=True)
class Board:
    """A benchmark's table."""

    benchmark: str
    rows: tuple[Row, ...]

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """A record of the newest finished trial, which says what the task and protocol are."""
        trials = sorted((t for r in self.rows for t in r.finished), key=lambda t: -t.started_ms)
        return next((t.record for t in trials if t.record), {})

    @cached_property
    def standings(self) -> Standings:
        """Intervals and ranks of its rows."""
        from reelbench.reports.standing import stand

        return stand(self)

    @cached_property
    def table(self) -> Table:
        """All its rows as a grid of text, which a page and four formats print."""
        from reelbench.reports.tables import board_table

        return board_table(self)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Label → a name that no other of its rows has."""
        from reelbench.reports.tables import distinct_names

        return distinct_names(self.rows)

    @cached_property
    def published(self) -> Mapping[str, tuple[Published, ...]]:
        """Label → what papers print for that row."""
        from reelbench.reports.published import published

        return published(self)

    @property
    def specs(self) -> list[dict[str, Any]]:
        """Metrics, the primary one first."""
        return list(self.record.get("metric_specs", []))

    @property
    def primary(self) -> dict[str, Any]:
        """The metric by which rows are ordered."""
        return self.specs[0]

    def band(self, role: str) -> list[Row]:
        """Rows of a role, best first; rows without a score last."""
        return [r for r in self.rows if (r.tag("role") or "method") == role]

    def sections(self) -> dict[str, list[Row]]:
        """Feature set → rows that are not ceilings, methods and baselines together, best first."""
        found: dict[str, list[Row]] = {}
        for row in (r for r in self.rows if r.tag("role") != "ceiling"):
            found.setdefault(row.tag("section"), []).append(row)
        return dict(sorted(found.items(), key=lambda item: -item[0].count("+") - bool(item[0])))


def boards(results: Results) -> list[Board]:
    """A board a benchmark that has a finished trial."""
    return [board for name in results.benchmarks() if (board := board_of(results, name))]


def board_of(results: Results, benchmark: str) -> Board | None:
    """A benchmark's board; ``None`` where it has no finished trial."""
    found = _board(benchmark, results.of(benchmark), results.failed_fits)
    return found if found.specs else None


def _board(benchmark: str, trials: Sequence[Trial], fits: Sequence[Trial] = ()) -> Board:
    board = Board(benchmark, tuple(_rows(trials, fits)))
    if not board.specs:
        return board
    sign = -1 if board.primary["direction"] == "higher" else 1

    def place(row: Row) -> tuple[bool, float, str, str]:
        cell = row.metric(board.primary["name"])
        return (cell is None, sign * cell.mean if cell else 0.0, row.name, row.label)

    return Board(benchmark, tuple(sorted(board.rows, key=place)))


def _rows(trials: Sequence[Trial], fits: Sequence[Trial]) -> Iterator[Row]:
    """A row a label; then one for each row of which every prediction failed, whose trials have no label of a score."""
    by_label: dict[str, list[Trial]] = {}
    for trial in (t for t in trials if t.is_scored):
        by_label.setdefault(trial.label, []).append(trial)
    unscored = [t for t in trials if not t.is_scored]
    for label, several in by_label.items():
        yield Row(label, tuple(several), _lost(several, (*unscored, *fits)))
    known = {_place(several[0]) for several in by_label.values()}
    by_place: dict[Place, dict[int, Trial]] = {}
    for trial in (t for t in unscored if _place(t) not in known):
        by_place.setdefault(_place(trial), {}).setdefault(trial.seed, trial)
    for by_seed in by_place.values():
        several = list(by_seed.values())
        yield Row(several[0].label, tuple(several), _lost(several, fits))


def _lost(trials: Sequence[Trial], failed: Sequence[Trial]) -> tuple[Trial, ...]:
    """Failed fits and predictions of a row, of seeds that it does not have; one a seed, the first of several."""
    seeds, place = {t.seed for t in trials}, _place(trials[0])
    lost = {f.seed: f for f in reversed(failed) if f.seed not in seeds and _place(f) == place}
    return tuple(lost.values())


def _place(trial: Trial) -> Place:
    """What a row's fits, predictions and scores share, though each kind of stage has a family of its own."""
    return tuple(
        trial.tags.get(f"rb.{n}", "")
        for n in ("method", "variant", "recipe", "preset", "features", "dataset")
    )
