"""Holds the claims of papers against the record: world by world, draw by draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from reelbench.reports.claims.measuring import Measured, Pair, measured, parts_of
from reelbench.reports.claims.statement import Claim, ControlKind, readable_claims
from reelbench.reports.claims.times_more import times_more, times_more_for_equivalence
from reelbench.reports.claims.verdict import (
    Verdict,
    confidence_of_equivalence,
    holm_levels,
    judge_equivalent,
    judge_greater,
    power_for,
    power_for_equivalence,
    weakest,
)
from reelbench.reports.leaderboard import Board
from reelbench.reports.published import newest_papers
from reelbench.reports.statistics.contrast import CONFIDENCE, Contrast


@dataclass(frozen=True)
class Draw:
    """A claim in one draw of the world that has all its rows.

    Attributes
    ----------
    lead
        Of the pair that is shown.
    verdict
        The weakest of its pairs, in this draw alone.
    seeds
        Of each side of that pair.
    """

    dataset: str
    lead: Contrast
    verdict: Verdict
    seeds: tuple[int, int]


@dataclass(frozen=True)
class Judged:
    """A claim in a world and protocol.

    Attributes
    ----------
    world
        The dataset without its draw: ``microworld/small/no-gaze``.
    rows
        Of which preset and recipes the rows are: ``tiny, match``.
    pair
        The sides whose difference is shown: of those that decide the verdict, the one with the smallest lower end.
    lead
        Its difference, pooled over draws; ``None`` where a row is missing or the two cannot be compared.
    level
        Of each test, from Holm's correction over the paper's claims in this world.
    family
        How many differences that correction is over.
    draws
        Those that have all rows.
    asked
        The draws of the world that a verdict is meant to rest on.
    times_more
        By what factor seeds and test clusters have to grow until an open claim is settled; infinite where no record will tell.
    why
        Why there is no verdict although all was run: ``one seed``; empty otherwise.
    missing
        What was not run, or left out of the pooled difference.
    caveats
        What the interval does not cover: seeds that were lost, that there is but one, that they start from one shared fit.
    """

    claim: Claim
    world: str
    protocol: str
    verdict: Verdict | None
    rows: str = ""
    pair: Pair | None = None
    lead: Contrast | None = None
    level: float = CONFIDENCE
    family: int = 0
    draws: tuple[Draw, ...] = ()
    asked: tuple[str, ...] = ()
    power: float | None = None
    times_more: float | None = None
    why: str = ""
    missing: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The verdict, or ``not judged``, or ``not run``."""
        return self.verdict or ("not judged" if self.why else "not run")

    @property
    def agree(self) -> int:
        """How many draws, judged alone, come to the same verdict."""
        return sum(draw.verdict == self.verdict for draw in self.draws)

    @property
    def unrun(self) -> tuple[str, ...]:
        """The draws that no verdict rests on as yet."""
        return tuple(
            dataset for dataset in self.asked if dataset not in {draw.dataset for draw in self.draws}
        )

    @property
    def confidence(self) -> float:
        """Of the interval that the verdict rests on: of an equivalence, that of its two one-sided tests."""
        return self.confidence_at(self.lead, self.level) if self.lead else self.level

    def confidence_at(self, lead: Contrast, level: float) -> float:
        """The same of another lead, at another level of the test."""
        margin = self.claim.minimum_effect
        return confidence_of_equivalence(lead, margin, level) if self.claim.kind == "equivalent" else level

    @property
    def is_control(self) -> bool:
        """Whether the world is one in which an ingredient carries nothing."""
        return is_control(self.world)

    @property
    def tested_as(self) -> ControlKind | Literal[""]:
        """What a lead in this world says (``CONTROLS``); empty in one that the claim does not name."""
        return self.claim.control_kind if is_tested_by(self.claim, self.world) else ""


def is_control(dataset: str) -> bool:
    """``microworld/small/no-gaze`` is a control world."""
    return any(part.startswith("no-") for part in parts_of(dataset))


def is_tested_by(claim: Claim, dataset: str) -> bool:
    """Whether a claim names this control world; an equivalence has no lead that could say anything there."""
    return claim.control_world in parts_of(dataset) and claim.kind != "equivalent"


def claims_in(boards: Iterable[Board]) -> list[Claim]:
    """Every claim that can be read, of the papers of the methods that the record has."""
    return [claim for method, paper in _papers(boards).items() for claim in readable_claims(method, paper)[0]]


def faults_in(boards: Iterable[Board]) -> list[str]:
    """A line about each claim in the record that cannot be read."""
    return [fault for method, paper in _papers(boards).items() for fault in readable_claims(method, paper)[1]]


def _papers(boards: Iterable[Board]) -> dict[str, Mapping[str, object]]:
    return {method: trial.record["paper"] for method, trial in newest_papers(boards).items()}


def judge(claims: Sequence[Claim], boards: Sequence[Board]) -> list[Judged]:
    """Every claim in every world and protocol that has a trial of its rows; one family a paper and world.

    Parameters
    ----------
    claims
        Of each paper all: those that were not run belong to its family, too.
    """
    found = sorted((one for claim in claims for one in measured(claim, boards)), key=_family)
    judged: list[Judged] = []
    for (world, paper), family in groupby(found, key=_family):
        several = list(family)
        judged += _with_verdicts(several, _family_size(claims, world, paper, several))
    return judged


def _family_size(claims: Sequence[Claim], world: str, paper: str, found: Sequence[Measured]) -> int:
    """How many differences of a paper there are to test in a world, whatever has been run by now.

    Were only those counted that ran, verdicts would be lenient early in a suite, and some would be withdrawn later. A claim that names no
    protocol counts on each that has its rows. In a control world only claims that name it are meant to be run; others count where all
    their rows were, and not for a row that another claim needs.
    """
    begun = [one.claim for one in found]
    unseen = [claim for claim in claims if claim.paper == paper and claim not in begun]
    counted = [one.claim for one in found if one.is_whole or _is_meant(one.claim, world)]
    counted += [claim for claim in unseen if _is_meant(claim, world)]
    return sum(len(claim.pairs()) for claim in counted)


def _is_meant(claim: Claim, world: str) -> bool:
    return not is_control(world) or is_tested_by(claim, world)


def families(judged: Iterable[Judged]) -> dict[tuple[str, str], list[Judged]]:
    """World and paper → what was judged of them together."""
    found: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        found.setdefault(_family(one), []).append(one)
    return found


def _family(one: Measured | Judged) -> tuple[str, str]:
    return one.world, one.claim.paper


def _with_verdicts(family: Sequence[Measured], size: int) -> Iterator[Judged]:
    """Verdicts at the levels of Holm's procedure over all differences of the family; one that cannot be tested as yet has a p of 1."""
    tests = [(one, pair) for one in family if not one.is_open for pair in one.claim.pairs()]
    known = [_p(one.claim, one.lead(pair)) for one, pair in tests]
    levels = holm_levels([*known, *[1.0] * (size - len(known))])[: len(known)]
    at = {(id(one), pair): level for (one, pair), level in zip(tests, levels, strict=True)}
    for one in family:
        if one.is_open:
            yield _unjudged(one)
        else:
            yield _judged(one, {pair: at[id(one), pair] for pair in one.claim.pairs()}, size)


def _unjudged(one: Measured) -> Judged:
    leads = {pair: lead for pair in one.claim.pairs() if (lead := one.pooled_lead(pair))}
    pair = _lowest({pair: lead.interval()[0] for pair, lead in leads.items()}) if one.why and leads else None
    return Judged(
        one.claim, one.world, one.protocol, None, one.rows, pair, leads[pair] if pair else None, asked=one.asked,
        why=one.why, missing=one.missing, caveats=one.caveats,
    )  # fmt: skip


def _judged(one: Measured, levels: Mapping[Pair, float], family: int) -> Judged:
    claim, leads = one.claim, {pair: one.lead(pair) for pair in levels}
    verdicts = {pair: _verdict(claim, lead, levels[pair]) for pair, lead in leads.items()}
    verdict = weakest(list(verdicts.values()))
    pair = _lowest({p: leads[p].interval(levels[p])[0] for p, v in verdicts.items() if v == verdict})
    lead, effect = leads[pair], claim.minimum_effect
    power = power_for_equivalence if claim.kind == "equivalent" else power_for
    more = times_more_for_equivalence if claim.kind == "equivalent" else times_more
    return Judged(
        claim, one.world, one.protocol, verdict, one.rows, pair, lead, levels[pair], family, tuple(_draws(one, pair)), one.asked,
        power(lead, effect, family), more(lead, effect, levels[pair]) if verdict == "inconclusive" else None,
        missing=one.missing, caveats=one.caveats,
    )  # fmt: skip


def _draws(one: Measured, shown: Pair) -> Iterator[Draw]:
    """Each draw that has all pairs, judged alone."""
    for dataset, found in one.leads[shown].items():
        alone = [one.leads[pair].get(dataset) for pair in one.claim.pairs()]
        leads = [difference.sound for difference in alone if difference]
        sound = [lead for lead in leads if lead]
        if found.sound and len(sound) == len(alone):
            verdict = weakest([_verdict(one.claim, lead, CONFIDENCE) for lead in sound])
            yield Draw(dataset, found.sound, verdict, found.seeds)


def _lowest(ends: Mapping[Pair, float]) -> Pair:
    return min(ends, key=ends.__getitem__)


def _p(claim: Claim, lead: Contrast) -> float:
    return lead.p_equivalent(claim.minimum_effect) if claim.kind == "equivalent" else lead.p


def _verdict(claim: Claim, lead: Contrast, level: float) -> Verdict:
    judged = judge_equivalent if claim.kind == "equivalent" else judge_greater
    return judged(lead, claim.minimum_effect, level)
