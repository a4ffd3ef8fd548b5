"""Judged claims as text: what the command, the pages and JSON show of each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reelbench.reports import numbers
from reelbench.reports.claims.judging import Draw, Judged
from reelbench.reports.claims.statement import CONTROLS, ControlKind, Side
from reelbench.reports.claims.times_more import MOST_TIMES_MORE
from reelbench.reports.leaderboard import Board
from reelbench.reports.statistics.contrast import CONFIDENCE

STATUSES = (
    "holds", "smaller than claimed", "inconclusive", "refuted", "reversed", "not judged", "not run",
)  # fmt: skip
WORDS = {"leak_check": "check for leaks in", "remainder": "left in"}
HELD: dict[ControlKind, str] = {
    "control": "In control worlds, of the claims about what alone is missing there, {hold} of {judged} hold (at most 5 % should).",
    "leak_check": "Of checks for leaks, where neither side has anything to go by, {hold} of {judged} hold (at most 5 % should).",
    "remainder": "Of claims whose sides differ in more than what is missing there, {hold} of {judged} hold: what is left of their gain has other reasons.",
}


@dataclass(frozen=True)
class ClaimLine:
    """A claim in a world, in words and numbers of the scale on which its metric is shown."""

    name: str
    statement: str
    benchmark: str
    metric: str
    verdict: str
    shown: str
    effect: str
    interval: str
    wanted: str
    power: str
    agree: str
    rows: str
    seeds: str
    note: str
    where: str
    confidence: str = ""
    control: str = ""

    @property
    def measured(self) -> str:
        """``+1.0 [−2.9, 4.9] at 90 %, two one-sided tests``: the effect, its interval and what that is."""
        return " ".join(part for part in (self.effect, self.interval, self.confidence) if part)


def claim_line(one: Judged, spec: numbers.Spec) -> ClaimLine:
    """The line of a judged claim; ``spec`` is its metric's."""
    claim, lead = one.claim, one.lead
    digits = 2 if spec.get("percent") else 3
    sign = "±" if claim.kind == "equivalent" else "≥"
    return ClaimLine(
        claim.name,
        statement(one),
        f"{claim.task}@{one.world}:{one.protocol}",
        numbers.metric_head(spec),
        one.status,
        shown(one, spec),
        numbers.signed(spec, lead.estimate, digits)
        if lead and math.isfinite(lead.estimate)
        else numbers.MISSING,
        numbers.interval(spec, ends, digits) if (ends := _ends(one)) else "",
        f"{sign} {numbers.shown(spec, claim.minimum_effect):.{digits}f}",
        f"{one.power:.0%}".replace("%", " %") if one.power is not None else numbers.MISSING,
        f"{one.agree} of {len(one.draws)}" if one.draws else numbers.MISSING,
        one.rows,
        _span(_seeds(one)) or numbers.MISSING,
        note(one),
        claim.where,
        _confidence(one) if ends else "",
    )


def _ends(one: Judged) -> tuple[float, float] | None:
    """The interval that the verdict rests on; ``None`` where there is none or it has no end."""
    return one.lead.interval(one.confidence) if one.lead and one.lead.is_known else None


def _confidence(one: Judged) -> str:
    """What the interval of an equivalence is, as it is not the one that a reader takes it to be; else empty."""
    if one.claim.kind != "equivalent":
        return ""
    tests = ", two one-sided tests" if one.confidence != one.level else ""
    return f"at {100 * one.confidence:.3g} %{tests}"


def _seeds(one: Judged) -> list[int]:
    """How many seeds each side has in each draw."""
    return [count for draw in one.draws for count in draw.seeds]


def _span(counts: Iterable[int]) -> str:
    """``5``, ``3–5``; empty of nothing."""
    found = sorted(counts)
    return "–".join(map(str, sorted({*found[:1], *found[-1:]})))


def shown(one: Judged, spec: numbers.Spec) -> str:
    """What the effect is of where its sign or its pair does not go without saying; else empty."""
    named = f"{' – '.join(_names(one, one.pair))}" if one.pair and len(one.claim.pairs()) > 1 else ""
    if one.pair and spec.get("direction") == "lower":
        return f"lead of {_names(one, one.pair)[0]} (lower is better)" + (f", {named}" if named else "")
    return named


def _names(one: Judged, sides: Sequence[Side]) -> list[str]:
    """The method's own name is left out."""
    return [s.within if s.method == one.claim.paper else str(s) for s in sides]


def statement(one: Judged) -> str:
    """``full beats no-audio``; the method's own name is left out."""
    names = _names(one, one.claim.sides)
    if one.claim.kind == "ordered":
        return " beats ".join(names)
    verb = "equals" if one.claim.kind == "equivalent" else "beats"
    return f"{names[0]} {verb} {' and '.join(names[1:])}"


def note(one: Judged) -> str:
    """Why there is no verdict, what it would take to have a clear one, what was not run, and what the interval does not cover."""
    return "; ".join(part for part in (*_standing(one), _absent(one), *one.caveats) if part)


def _standing(one: Judged) -> Iterator[str]:
    if one.verdict is None:
        yield one.why
        return
    yield takes(one)
    if one.unrun:
        yield f"on {len(one.draws)} of {len(one.asked)} draws"


def _absent(one: Judged) -> str:
    more = f" and {len(one.missing) - 2} more" if len(one.missing) > 2 else ""
    return f"without {'; '.join(one.missing[:2])}{more}" if one.missing else ""


def takes(one: Judged) -> str:
    """``takes about 5 seeds a side where 3 ran, and 1.6 times the test clusters``; empty where the claim is not open.

    A row that is alike on every seed has one, and needs no more.
    """
    if one.verdict != "inconclusive" or one.times_more is None:
        return ""
    ran = [count for count in _seeds(one) if count > 1]
    if math.isinf(one.times_more):
        return "on the border itself, so that no record will tell"
    if one.times_more > MOST_TIMES_MORE:
        what = "seeds and test clusters" if ran else "test clusters"
        return f"would take more than {MOST_TIMES_MORE} times the {what}"
    clusters = f"{math.ceil(10 * one.times_more) / 10:.1f} times the test clusters"
    if not ran:
        return f"takes about {clusters}"
    needed = _span(math.ceil(one.times_more * count) for count in ran)
    return f"takes about {needed} seeds a side where {_span(ran)} ran, and {clusters}"


def control_of(one: Judged, judged: Sequence[Judged]) -> Judged | None:
    """The same claim in the control world that it names, where that was run."""
    wanted = f"{one.world}/{one.claim.control_world}"
    if one.is_control or not one.claim.control_world:
        return None
    return next(
        (o for o in judged if (o.claim, o.protocol, o.world) == (one.claim, one.protocol, wanted)), None
    )


def weight(one: Judged, line: ClaimLine) -> str:
    """``power 43 %, 3 seeds, 1 of 1 draws agree``: what stands behind a verdict; empty where there is none."""
    if one.verdict is None:
        return ""
    power = f"power {line.power}" if one.power is not None else "no power"
    return f"{power}, {line.seeds} {'seed' if line.seeds == '1' else 'seeds'}, {line.agree} draws agree"


def in_control(
    one: Judged, judged: Sequence[Judged], specs: Mapping[tuple[str, str], Mapping[str, Any]]
) -> str:
    """``in no-gaze: refuted, +0.1 [-0.8, 1.0]``, ``check for leaks in …`` or ``left in …``, where a claim names a control world; else empty."""
    if one.is_control or not one.claim.control_world:
        return ""
    found = control_of(one, judged)
    line = claim_line(found, spec_of(found, specs)) if found else None
    told = f"{line.verdict}, {line.measured}" if line and found and found.lead else ""
    named = WORDS.get(one.claim.control_kind, "in")
    return f"{named} {one.claim.control_world}: {told or (line.verdict if line else 'not run')}"


def control_counts(judged: Sequence[Judged]) -> dict[ControlKind, dict[str, int]]:
    """Of the verdicts in worlds that claims name, by what a lead there says: how many there are, and how many hold."""
    return {kind: _count([one for one in judged if one.tested_as == kind]) for kind in CONTROLS}


def _count(there: Sequence[Judged]) -> dict[str, int]:
    verdicts = [one.verdict for one in there if one.verdict]
    return {"judged": len(verdicts), "hold": verdicts.count("holds")}


def held_in_controls(judged: Sequence[Judged]) -> str:
    """How many claims hold in control worlds, by what that says; empty where nothing was judged there."""
    every = _count([one for one in judged if one.is_control])
    told = [HELD[kind].format(**n) for kind, n in control_counts(judged).items() if n["judged"]]
    if every["judged"] and not told:
        unnamed = "none of them says that what it is about is missing there."
        return f"In control worlds {every['hold']} of {every['judged']} hold; {unnamed}"
    return " ".join(told)


def specs_of(boards: Sequence[Board]) -> dict[tuple[str, str], dict[str, Any]]:
    """(task, metric) → its specification."""
    return {(b.benchmark.partition("@")[0], str(s["name"])): s for b in boards for s in b.specs}


def spec_of(one: Judged, specs: Mapping[tuple[str, str], Mapping[str, Any]]) -> numbers.Spec:
    """The specification of a claim's metric."""
    return specs.get((one.claim.task, one.claim.metric), {"name": one.claim.metric})


def counts(judged: Sequence[Judged]) -> dict[str, int]:
    """How many of each verdict, those without one last."""
    found = Counter(one.status for one in judged)
    return {status: found[status] for status in STATUSES if found[status]}


def judged_object(one: Judged) -> dict[str, Any]:
    """A judged claim as JSON, metrics as they are stored."""
    claim, lead = one.claim, one.lead
    ends = _ends(one)
    return {
        "paper": claim.paper, "name": claim.name, "kind": claim.kind, "sides": _sides(claim.sides),
        "task": claim.task, "protocol": one.protocol, "world": one.world, "control": one.is_control, "tested_as": one.tested_as,
        "metric": claim.metric, "minimum_effect": claim.minimum_effect, "where": claim.where, "verdict": one.verdict, "why": one.why,
        "rows": one.rows, "pair": _sides(one.pair) if one.pair else None,
        "effect": lead.estimate if lead and math.isfinite(lead.estimate) else None,
        "interval": list(ends) if ends else None, "confidence": one.confidence if lead else None, "level": one.level if lead else None, "family": one.family or None,
        "power": one.power, "times_more": _told_times(one), "takes": takes(one), "missing": list(one.missing), "caveats": list(one.caveats),
        "agree": one.agree if one.verdict else None, "draws_asked": len(one.asked), "draws_missing": list(one.unrun),
        "draws": [_draw_object(one, draw) for draw in one.draws],
    }  # fmt: skip


def _told_times(one: Judged) -> float | None:
    """JSON has no infinity, and what is far away is not told as a number anywhere."""
    return one.times_more if one.times_more and one.times_more <= MOST_TIMES_MORE else None


def _draw_object(one: Judged, draw: Draw) -> dict[str, Any]:
    ends = draw.lead.interval(one.confidence_at(draw.lead, CONFIDENCE))
    return {
        "dataset": draw.dataset, "effect": draw.lead.estimate, "interval": list(ends), "verdict": draw.verdict, "seeds": list(draw.seeds),
    }  # fmt: skip


def _sides(sides: Sequence[Side]) -> list[dict[str, str]]:
    return [{k: v for k, v in asdict(side).items() if v} for side in sides]
