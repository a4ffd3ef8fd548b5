"""Holds the claims of papers against the record: world by world, draw by draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from reelbench.benchmarks import Benchmark
from reelbench.reports.claims.statement import Claim, Side, claims_of
from reelbench.reports.claims.verdict import (
    Verdict,
    holm_levels,
    judge_equivalent,
    judge_greater,
    pooled,
    power_for,
    times_more,
    weakest,
)
from reelbench.reports.leaderboard import Board, Row
from reelbench.reports.standing import scores_of
from reelbench.reports.statistics.contrast import CONFIDENCE, Contrast, Scores, contrast


@dataclass(frozen=True)
class Draw:
    """One pair of a claim in one draw of the world."""

    dataset: str
    lead: Contrast
    verdict: Verdict
    seeds: tuple[int, int]


@dataclass(frozen=True)
class Judged:
    """A claim in a world.

    Attributes
    ----------
    world
        The dataset without its draw: ``microworld/small/no-gaze``.
    lead
        Its weakest difference, pooled over draws; ``None`` where a row is missing.
    level
        Of the interval that the verdict rests on, from Holm's correction over the paper's claims in this world.
    agree
        How many draws, judged alone, say the same.
    missing
        What was not run.
    """

    claim: Claim
    world: str
    verdict: Verdict | None
    lead: Contrast | None = None
    level: float = CONFIDENCE
    draws: tuple[Draw, ...] = ()
    power: float | None = None
    times_more: float | None = None
    missing: tuple[str, ...] = ()

    @property
    def agree(self) -> int:
        """How many draws, judged alone, come to the same verdict."""
        return sum(draw.verdict == self.verdict for draw in self.draws)

    @property
    def is_control(self) -> bool:
        """Whether the world is one in which an ingredient carries nothing."""
        return is_control(self.world)


def is_control(dataset: str) -> bool:
    """``microworld/small/no-gaze`` is a control world."""
    return any(part.startswith("no-") for part in dataset.split("/")[1:])


def world_of(dataset: str) -> str:
    """A dataset without its draw."""
    return "/".join(part for part in dataset.split("/") if not _is_draw(part))


def _is_draw(part: str) -> bool:
    return part.startswith("draw") and part[4:].isdigit()


def claims_in(boards: Iterable[Board]) -> list[Claim]:
    """Every claim of the papers of the methods that the record has."""
    papers = {row.tag("method"): row.record.get("paper") for board in boards for row in board.rows}
    return [
        claim
        for method, paper in sorted(papers.items())
        if isinstance(paper, Mapping)
        for claim in claims_of(method, paper)
    ]


def judge(claims: Sequence[Claim], boards: Sequence[Board]) -> list[Judged]:
    """Every claim in every world that has a trial of its benchmark; one family a paper and world."""
    found = [one for claim in claims for one in _measured(claim, boards)]
    found.sort(key=_family)
    return [one for _, family in groupby(found, key=_family) for one in _with_verdicts(list(family))]


def _family(one: _Measured) -> tuple[str, str]:
    return one.world, one.claim.paper


@dataclass(frozen=True)
class _Measured:
    """A claim's differences in a world: pair → draw → lead."""

    claim: Claim
    world: str
    leads: Mapping[tuple[Side, Side], Mapping[str, tuple[Contrast, tuple[int, int]]]]
    missing: tuple[str, ...]

    def whole(self) -> bool:
        return all(self.leads[pair] for pair in self.claim.pairs())

    def lead(self, pair: tuple[Side, Side]) -> Contrast:
        return pooled([lead for lead, _ in self.leads[pair].values()])

    def p(self, pair: tuple[Side, Side]) -> float:
        lead = self.lead(pair)
        return lead.p_equivalent(self.claim.minimum_effect) if self.claim.kind == "equivalent" else lead.p


def _measured(claim: Claim, boards: Sequence[Board]) -> Iterator[_Measured]:
    worlds: dict[str, list[Board]] = {}
    for board in boards:
        benchmark = Benchmark.parse(board.benchmark)
        if claim.is_on(benchmark) and any(spec["name"] == claim.metric for spec in board.specs):
            worlds.setdefault(world_of(benchmark.dataset), []).append(board)
    for world, draws in worlds.items():
        by_draw = {Benchmark.parse(b.benchmark).dataset: _sides(claim, b) for b in draws}
        rows = [side for pair in claim.pairs() for side in pair]
        missing = tuple(
            f"{side} on {dataset}"
            for dataset, scores in by_draw.items()
            for side in dict.fromkeys(rows)
            if side not in scores
        )
        if len(missing) == len(by_draw) * len(set(rows)):
            continue
        sign = -1.0 if _lower_is_better(claim, draws[0]) else 1.0
        leads = {
            (left, right): {
                dataset: (
                    _lead(scores[left], scores[right], sign),
                    (len(scores[left].values), len(scores[right].values)),
                )
                for dataset, scores in by_draw.items()
                if left in scores and right in scores
            }
            for left, right in claim.pairs()
        }
        yield _Measured(claim, world, leads, missing)


def _sides(claim: Claim, board: Board) -> dict[Side, Scores]:
    """The claim's rows on a board, with their scores; of several presets or recipes the one with the best mean."""
    found: dict[Side, Scores] = {}
    for side in {side for pair in claim.pairs() for side in pair}:
        rows = [row for row in board.rows if _is(row, side) and row.tag("role") != "ceiling"]
        scores = [scored[claim.metric] for row in rows if claim.metric in (scored := scores_of(row))]
        if scores:
            found[side] = scores[0]  # a board has its best row first
    return found


def _is(row: Row, side: Side) -> bool:
    return (row.tag("method"), row.tag("variant") or "full") == (side.method, side.variant)


def _lower_is_better(claim: Claim, board: Board) -> bool:
    return any(s["name"] == claim.metric and s.get("direction") == "lower" for s in board.specs)


def _lead(left: Scores, right: Scores, sign: float) -> Contrast:
    found = contrast(left, right)
    return Contrast(sign * found.estimate, found.error, found.freedom)


def _with_verdicts(family: Sequence[_Measured]) -> Iterator[Judged]:
    """Verdicts at the levels of Holm's procedure over all differences of the family."""
    tests = [(one, pair) for one in family if one.whole() for pair in one.claim.pairs()]
    levels = dict(
        zip([(id(o), pair) for o, pair in tests], holm_levels([o.p(pair) for o, pair in tests]), strict=True)
    )
    for one in family:
        if not one.whole():
            yield Judged(one.claim, one.world, None, missing=one.missing)
            continue
        pairs = one.claim.pairs()
        judged = {pair: _verdict(one.claim, one.lead(pair), levels[id(one), pair]) for pair in pairs}
        verdict = weakest(list(judged.values()))
        pair = next(p for p in pairs if judged[p] == verdict)
        lead, effect, count = one.lead(pair), one.claim.minimum_effect, len(tests)
        draws = tuple(
            Draw(dataset, alone, _verdict(one.claim, alone, CONFIDENCE), seeds)
            for dataset, (alone, seeds) in one.leads[pair].items()
        )
        yield Judged(
            one.claim, one.world, verdict, lead, levels[id(one), pair], draws,
            power_for(lead, effect, count), times_more(lead, effect, count), one.missing,
        )  # fmt: skip


def _verdict(claim: Claim, lead: Contrast, level: float) -> Verdict:
    judged = judge_equivalent if claim.kind == "equivalent" else judge_greater
    return judged(lead, claim.minimum_effect, level)
