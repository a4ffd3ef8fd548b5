"""Judged claims as text: what the command, the pages and JSON show of each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reelbench.reports import numbers
from reelbench.reports.claims.judging import Judged
from reelbench.reports.leaderboard import Board

VERDICTS = ("holds", "smaller than claimed", "inconclusive", "refuted", "reversed")


@dataclass(frozen=True)
class ClaimLine:
    """A claim in a world, in words and numbers of the scale on which its metric is shown."""

    name: str
    statement: str
    benchmark: str
    metric: str
    verdict: str
    effect: str
    interval: str
    wanted: str
    power: str
    agree: str
    seeds: str
    note: str
    where: str


def claim_line(one: Judged, spec: numbers.Spec) -> ClaimLine:
    """The line of a judged claim; ``spec`` is its metric's."""
    claim, lead = one.claim, one.lead
    digits = 2 if spec.get("percent") else 3
    low, high = lead.interval(one.level) if lead else (math.nan, math.nan)
    seeds = sorted({count for draw in one.draws for count in draw.seeds})
    return ClaimLine(
        claim.name,
        statement(one),
        f"{claim.task}@{one.world}" + (f":{claim.protocol}" if claim.protocol else ""),
        numbers.metric_head(spec),
        one.verdict or "not run",
        numbers.signed(spec, lead.estimate, digits) if lead else numbers.MISSING,
        numbers.interval(spec, (low, high), digits) if lead else "",
        f"{numbers.shown(spec, claim.minimum_effect):.{digits}f}",
        f"{one.power:.0%}".replace("%", " %") if one.power is not None else numbers.MISSING,
        f"{one.agree} of {len(one.draws)}" if one.draws else numbers.MISSING,
        "–".join(map(str, sorted({*seeds[:1], *seeds[-1:]}))) or numbers.MISSING,
        note(one),
        claim.where,
    )


def statement(one: Judged) -> str:
    """``full beats no-audio``; the method's own name is left out."""
    names = [s.variant if s.method == one.claim.paper else str(s) for s in one.claim.sides]
    if one.claim.kind == "ordered":
        return " beats ".join(names)
    verb = "equals" if one.claim.kind == "equivalent" else "beats"
    return f"{names[0]} {verb} {' and '.join(names[1:])}"


def note(one: Judged) -> str:
    """What it would take, or what was not run."""
    if one.verdict is None:
        shown = "; ".join(one.missing[:2]) + (
            f" and {len(one.missing) - 2} more" if len(one.missing) > 2 else ""
        )
        return f"not run: {shown}"
    if one.verdict == "inconclusive" and one.times_more and one.times_more > 1:
        return f"takes about {one.times_more:.1f} times the seeds and test clusters"
    return ""


def specs_of(boards: Sequence[Board]) -> dict[tuple[str, str], dict[str, Any]]:
    """(task, metric) → its specification."""
    return {(b.benchmark.partition("@")[0], str(s["name"])): s for b in boards for s in b.specs}


def spec_of(one: Judged, specs: Mapping[tuple[str, str], Mapping[str, Any]]) -> numbers.Spec:
    """The specification of a claim's metric."""
    return specs.get((one.claim.task, one.claim.metric), {"name": one.claim.metric})


def counts(judged: Sequence[Judged]) -> dict[str, int]:
    """How many of each verdict, those that were not run last."""
    found: Counter[str] = Counter(one.verdict or "not run" for one in judged)
    return {verdict: found[verdict] for verdict in (*VERDICTS, "not run") if found[verdict]}


def judged_object(one: Judged) -> dict[str, Any]:
    """A judged claim as JSON, metrics as they are stored."""
    claim, lead = one.claim, one.lead
    return {
        "paper": claim.paper, "name": claim.name, "kind": claim.kind, "sides": [{"method": s.method, "variant": s.variant} for s in claim.sides],
        "task": claim.task, "protocol": claim.protocol or None, "world": one.world, "control": one.is_control, "metric": claim.metric,
        "minimum_effect": claim.minimum_effect, "where": claim.where, "verdict": one.verdict,
        "effect": lead.estimate if lead else None, "interval": list(lead.interval(one.level)) if lead else None, "level": one.level if lead else None,
        "power": one.power, "times_more": one.times_more, "missing": list(one.missing),
        "draws": [{"dataset": d.dataset, "effect": d.lead.estimate, "interval": list(d.lead.interval()), "verdict": d.verdict} for d in one.draws],
    }  # fmt: skip
