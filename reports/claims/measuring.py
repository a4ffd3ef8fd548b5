"""A claim's differences in the record: which rows stand for its sides, and what speaks against a verdict on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reelbench.benchmarks import Benchmark
from reelbench.plaintext import one_line
from reelbench.reports.claims.needed import draws_of
from reelbench.reports.claims.statement import Claim, Side
from reelbench.reports.claims.verdict import pooled
from reelbench.reports.comparison.caveats import caveats_of
from reelbench.reports.leaderboard import Board, Row
from reelbench.reports.standing import FEWEST_CLUSTERS, scores_of, why_no_scores
from reelbench.reports.statistics.contrast import Contrast, Scores, contrast

Pair = tuple[Side, Side]
PRESETS = ("base", "tiny", "paper")


@dataclass(frozen=True)
class Difference:
    """A pair in one draw of the world.

    Attributes
    ----------
    lead
        The better side less the other, turned so that higher is better; ``None`` where the two cannot be compared.
    why
        Why no verdict may rest on it; empty where one may.
    """

    lead: Contrast | None
    seeds: tuple[int, int]
    why: str = ""

    @property
    def sound(self) -> Contrast | None:
        """The lead, if a verdict may rest on it."""
        return None if self.why else self.lead


@dataclass(frozen=True)
class Measured:
    """A claim's differences in a world and protocol: pair → draw → difference.

    Attributes
    ----------
    rows
        Their preset and recipes.
    asked
        The draws of the world that a verdict is meant to rest on, and any other that the record has.
    missing
        Rows that were not run, and differences that are left out because others are sound.
    caveats
        What the intervals of its rows do not cover.
    """

    claim: Claim
    world: str
    protocol: str
    rows: str
    leads: Mapping[Pair, Mapping[str, Difference]]
    asked: tuple[str, ...]
    missing: tuple[str, ...]
    caveats: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether each pair was run in some draw."""
        return all(self.leads[pair] for pair in self.claim.pairs())

    @property
    def why(self) -> str:
        """Why there is no verdict although all was run."""
        if not self.is_whole:
            return ""
        unsound = [draws for draws in self.leads.values() if not any(d.sound for d in draws.values())]
        return next(iter(unsound[0].values())).why if unsound else ""

    @property
    def is_open(self) -> bool:
        """Whether there is no verdict to be had."""
        return not self.is_whole or bool(self.why)

    def lead(self, pair: Pair) -> Contrast:
        """Pooled over the draws on which a verdict may rest."""
        return pooled([lead for d in self.leads[pair].values() if (lead := d.sound)])

    def pooled_lead(self, pair: Pair) -> Contrast | None:
        """Pooled over all draws, sound or not; ``None`` where none has an error that can be told."""
        leads = [d.lead for d in self.leads[pair].values() if d.lead and d.lead.is_known]
        return pooled(leads) if leads else None


def parts_of(dataset: str) -> list[str]:
    """What follows a dataset's name: its size, what it lacks, its draw."""
    return dataset.split("/")[1:]


def world_of(dataset: str) -> str:
    """A dataset without its draw."""
    return "/".join(part for part in dataset.split("/") if not _is_draw(part))


def _is_draw(part: str) -> bool:
    return part.startswith("draw") and part[4:].isdigit()


def measured(claim: Claim, boards: Sequence[Board]) -> Iterator[Measured]:
    """A claim in each world and protocol that has any of its rows."""
    places: dict[tuple[str, str], dict[str, Board]] = {}
    for board in boards:
        benchmark = Benchmark.parse(board.benchmark)
        if claim.is_on(benchmark) and any(spec["name"] == claim.metric for spec in board.specs):
            place = world_of(benchmark.dataset), benchmark.protocol
            places.setdefault(place, {})[benchmark.dataset] = board
    for (world, protocol), draws in places.items():
        found = {dataset: _candidates(claim, board) for dataset, board in draws.items()}
        if any(found.values()) and _concerns(claim, draws.values()):
            rows, chosen = _chosen(claim, found)
            yield _measured(claim, world, protocol, rows, draws, chosen)


def _concerns(claim: Claim, boards: Iterable[Board]) -> bool:
    """Whether a protocol that a claim does not name is its own: one on which its paper's method stands, in whatever variant.

    Its baselines may serve many protocols that the method has nothing to do with.
    """
    if claim.protocol or claim.paper not in {side.method for side in claim.sides}:
        return True
    return any(row.tag("method") == claim.paper for board in boards for row in board.rows)


@dataclass(frozen=True)
class _Candidate:
    """A row that may stand for a side; it has no scores where ``why`` speaks against them."""

    side: Side
    row: Row
    scores: Scores | None
    why: str = ""

    @property
    def preset(self) -> str:
        return self.row.tag("preset")

    @property
    def recipe(self) -> str:
        return self.row.tag("recipe")

    @property
    def seeds(self) -> int:
        return len(self.row.finished)

    @property
    def order(self) -> tuple[bool, bool, int, str]:
        """One that can be judged, as the method has it before changed values, then most seeds; never by the score."""
        return bool(self.why), _is_overridden(self.row), -self.seeds, self.row.label


def _candidates(claim: Claim, board: Board) -> list[_Candidate]:
    return [
        _candidate(claim, side, row)
        for row in board.rows
        for side in dict.fromkeys(claim.sides)
        if _may_stand_for(side, row) and row.finished
    ]


def _may_stand_for(side: Side, row: Row) -> bool:
    return (
        (side.method, side.variant) == (row.tag("method"), row.tag("variant") or "full")
        and side.recipe in ("", row.tag("recipe"))
        and row.tag("role") != "ceiling"
    )


def _candidate(claim: Claim, side: Side, row: Row) -> _Candidate:
    scores = scores_of(row, (claim.metric,))
    why = why_no_scores(row, claim.metric, scores, f" of {side}")
    return _Candidate(side, row, scores.get(claim.metric), why)


def _is_overridden(row: Row) -> bool:
    """Whether a suite or ``--set`` changed a value of it."""
    return "suite" in row.record.get("origins", {}).values()


def _chosen(
    claim: Claim, found: Mapping[str, Sequence[_Candidate]]
) -> tuple[str, dict[str, dict[Side, _Candidate]]]:
    """One preset for all sides and, of those that name none, one recipe a method, by what is there and never by the score."""
    every = {dataset: list(several) for dataset, several in found.items()}
    preset = _fullest(set(claim.sides), every, "preset")
    every = {dataset: [c for c in several if c.preset == preset] for dataset, several in every.items()}
    recipes = {}
    open_sides = [side for side in claim.sides if not side.recipe]
    for method in dict.fromkeys(side.method for side in open_sides):
        mine = {side for side in open_sides if side.method == method}
        own = {d: [c for c in several if c.side in mine] for d, several in every.items()}
        if any(own.values()):
            recipes[method] = _fullest(mine, own, "recipe")
    chosen = {
        dataset: {
            c.side: c
            for c in sorted(several, key=lambda c: c.order, reverse=True)  # the first in order is set last
            if c.side.recipe or recipes[c.side.method] == c.recipe
        }
        for dataset, several in every.items()
    }
    named = [side.recipe for side in claim.sides if side.recipe]
    return ", ".join([preset, *dict.fromkeys([*recipes.values(), *named])]), chosen


def _fullest(sides: set[Side], found: Mapping[str, Sequence[_Candidate]], key: str) -> str:
    """The preset or recipe that has all sides in most draws, then most of them, then by name; sides that cannot be judged count last."""
    values = {str(getattr(c, key)) for several in found.values() for c in several}

    def order(value: str) -> tuple[int, int, int, int, str]:
        rows = [[c for c in several if getattr(c, key) == value] for several in found.values()]
        there = [{c.side for c in several if not c.why} for several in rows]
        place = PRESETS.index(value) if key == "preset" and value in PRESETS else len(PRESETS)
        every = sum(len({c.side for c in several}) for several in rows)
        return -sum(sides <= some for some in there), -sum(map(len, there)), -every, place, value

    return min(values, key=order)


def _measured(
    claim: Claim, world: str, protocol: str, rows: str, draws: Mapping[str, Board], chosen: Mapping[str, Mapping[Side, _Candidate]]
) -> Measured:  # fmt: skip
    sign = -1.0 if any(_lower_is_better(claim, board) for board in draws.values()) else 1.0
    leads = {
        (left, right): {
            dataset: _difference(there[left], there[right], sign)
            for dataset, there in chosen.items()
            if left in there and right in there
        }
        for left, right in claim.pairs()
    }
    absent = [
        f"{side} on {dataset}{_lost(side, draws[dataset])}"
        for dataset, there in chosen.items()
        for side in dict.fromkeys(claim.sides)
        if side not in there
    ]
    meant = draws_of(world) if any(board.record.get("generated") for board in draws.values()) else []
    asked = tuple(dict.fromkeys([*meant, *draws]))
    missing = (*absent, *_left_out(leads))
    return Measured(claim, world, protocol, rows, leads, asked, missing, tuple(_caveats(leads, chosen)))


def _lost(side: Side, board: Board) -> str:
    """`` (seed 0: loss is NaN)`` of a side whose every seed failed; empty of one that was not run."""
    rows = [row for row in board.rows if _may_stand_for(side, row) and not row.finished]
    told = one_line("; ".join(trouble for row in rows for trouble in row.troubles))
    return f" ({told})" if told else ""


def _caveats(
    leads: Mapping[Pair, Mapping[str, Difference]], chosen: Mapping[str, Mapping[Side, _Candidate]]
) -> Iterator[str]:
    """Of the rows that a verdict rests on, or of all where none does; a draw is named where not all of them share it."""
    sound = {dataset for several in leads.values() for dataset, d in several.items() if d.sound}
    used = {dataset: there for dataset, there in chosen.items() if dataset in sound or not sound}
    found: dict[str, list[str]] = {}
    for dataset, there in used.items():
        for caveat in caveats_of({str(side): there[side].row for side in sorted(there)}):
            found.setdefault(caveat, []).append(dataset)
    for caveat, datasets in found.items():
        yield caveat + (f" (on {', '.join(datasets)})" if len(datasets) < len(used) else "")


def _left_out(leads: Mapping[Pair, Mapping[str, Difference]]) -> Iterable[str]:
    """Draws on which no verdict may rest, of pairs that have others."""
    found = {
        f"{dataset}: {d.why}": None
        for several in leads.values()
        if any(d.sound for d in several.values())
        for dataset, d in several.items()
        if d.why
    }
    return list(found)


def _difference(left: _Candidate, right: _Candidate, sign: float) -> Difference:
    seeds = left.seeds, right.seeds
    if left.scores is None or right.scores is None:
        return Difference(None, seeds, left.why or right.why)
    try:
        found = contrast(left.scores, right.scores)
    except ValueError:
        return Difference(None, seeds, "scored on different test sets")
    lead = replace(found, estimate=sign * found.estimate)
    if left.scores.clusters < FEWEST_CLUSTERS:
        return Difference(lead, seeds, "too few clusters")
    if left.scores.given_seed or right.scores.given_seed:
        return Difference(lead, seeds, "one seed")
    return Difference(lead, seeds, "" if lead.is_known else "its error cannot be told")


def _lower_is_better(claim: Claim, board: Board) -> bool:
    return any(s["name"] == claim.metric and s.get("direction") == "lower" for s in board.specs)
