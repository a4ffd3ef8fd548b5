"""A claim of a paper: which rows differ, on what, by how much at least, and where the paper says so."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reelbench.benchmarks import Benchmark

Kind = Literal["greater", "equivalent", "ordered", "best_of"]
KINDS = ("greater", "equivalent", "ordered", "best_of")
ControlKind = Literal["control", "leak_check", "remainder"]
CONTROLS: tuple[ControlKind, ...] = ("control", "leak_check", "remainder")
"""The key under which a claim names a world that lacks what it is about. ``control``: its sides are one network, with the ingredient and
without, so that no gain may be left. ``leak_check``: neither side has anything to go by, so that a lead is a leak. ``remainder``: its sides
differ in more, so that what is left of the gain has other reasons."""
FULL = "full"


@dataclass(frozen=True, order=True)
class Side:
    """One row of a claim; an empty recipe is whichever serves the benchmark, the same for all sides of a method that name none."""

    method: str
    variant: str = FULL
    recipe: str = ""

    def __str__(self) -> str:
        return self.method if self.within == FULL else f"{self.method} · {self.within}"

    @property
    def within(self) -> str:
        """Its name among rows of one method."""
        return " · ".join(part for part in (self.variant, self.recipe) if part)


@dataclass(frozen=True)
class Claim:
    """A statement that trials can confirm or refute.

    Attributes
    ----------
    paper
        The method whose ``paper.toml`` has it.
    kind
        ``greater`` (left is better than right), ``equivalent`` (they differ by less than ``minimum_effect``), ``ordered`` (each side is better
        than the next), ``best_of`` (the first is better than each other).
    sides
        Two rows, or several for ``ordered`` and ``best_of``.
    task, protocol
        Of the benchmark; an empty protocol is whichever has the rows.
    metric
        Its name in the task.
    minimum_effect
        As the metric is stored, written down before the claim is run.
    control_world
        A world that lacks what the claim is about, ``no-gaze``; empty where there is none.
    control_kind
        What a lead there would say (:data:`CONTROLS`); empty without such a world.
    """

    paper: str
    name: str
    kind: Kind
    sides: tuple[Side, ...]
    task: str
    protocol: str
    metric: str
    minimum_effect: float
    where: str
    control_world: str = ""
    control_kind: ControlKind | Literal[""] = ""

    def pairs(self) -> list[tuple[Side, Side]]:
        """The differences that it is about, better side first."""
        if self.kind == "ordered":
            return list(zip(self.sides, self.sides[1:], strict=False))
        return [(self.sides[0], other) for other in self.sides[1:]]

    def is_on(self, benchmark: Benchmark) -> bool:
        """Whether a benchmark is the one that it is about, on whatever world."""
        return benchmark.task == self.task and self.protocol in ("", benchmark.protocol)


def claims_of(method: str, paper: Mapping[str, Any]) -> list[Claim]:
    """The claims of a parsed ``paper.toml``.

    Raises
    ------
    ValueError
        If one is malformed; the message names it.
    """
    return [_claim(method, entry) for entry in paper.get("claims") or ()]


def readable_claims(method: str, paper: Mapping[str, Any]) -> tuple[list[Claim], list[str]]:
    """The claims of a recorded paper, and a line about each that cannot be read: a record may be another version's."""
    entries = paper.get("claims") or ()
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return [], [f"claims of {method}: expected a list, got {type(entries).__name__}"]
    claims, faults = [], []
    for entry in entries:
        try:
            claims.append(_claim(method, entry))
        except ValueError as error:
            faults.append(str(error))
    return claims, faults


def _claim(method: str, entry: Any) -> Claim:
    name = entry.get("name", "") if isinstance(entry, Mapping) else ""
    try:
        return _read(method, str(name), entry)
    except KeyError as error:
        raise ValueError(f"claim {name!r} of {method}: it has no {error.args[0]}") from None
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"claim {name!r} of {method}: {error}") from None


def _read(method: str, name: str, entry: Mapping[str, Any]) -> Claim:
    kind = entry["kind"]
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    rows: Sequence[Mapping[str, str]] = entry.get("rows") or (entry["left"], entry["right"])
    sides = tuple(
        Side(row.get("method", method), row.get("variant", FULL), row.get("recipe", "")) for row in rows
    )
    if twice := [str(side) for side, n in Counter(sides).items() if n > 1]:
        raise ValueError(f"{twice[0]} is on more than one side")
    if len(sides) < 2 or (kind == "equivalent" and len(sides) > 2):
        raise ValueError(f"{kind} of {len(sides)} rows")
    effect = float(entry["minimum_effect"])
    if not (math.isfinite(effect) and effect >= 0):
        raise ValueError(f"minimum_effect is {effect}, expected a number of at least 0")
    task, _, protocol = str(entry["benchmark"]).partition(":")
    named = [kind for kind in CONTROLS if entry.get(kind)]
    if len(named) > 1:
        raise ValueError(f"it has both {' and '.join(named)}, expected one: they are counted apart")
    tested_as: ControlKind | Literal[""] = named[0] if named else ""
    world = str(entry[tested_as]) if tested_as else ""
    return Claim(
        method, name, kind, sides, task, protocol, str(entry["metric"]), effect,
        str(entry.get("where", "")), world, tested_as,
    )  # fmt: skip
