"""A claim of a paper: which rows differ, on what, by how much at least, and where the paper says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reelbench.benchmarks import Benchmark

Kind = Literal["greater", "equivalent", "ordered", "best_of"]
KINDS = ("greater", "equivalent", "ordered", "best_of")
FULL = "full"


@dataclass(frozen=True, order=True)
class Side:
    """One row of a claim."""

    method: str
    variant: str = FULL

    def __str__(self) -> str:
        return self.method if self.variant == FULL else f"{self.method} · {self.variant}"


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
    return [_claim(method, entry) for entry in paper.get("claims", ())]


def _claim(method: str, entry: Mapping[str, Any]) -> Claim:
    name = str(entry.get("name", ""))
    if entry.get("kind") not in KINDS:
        raise ValueError(
            f"claim {name!r} of {method}: kind is {entry.get('kind')!r}, expected one of {', '.join(KINDS)}"
        )
    task, _, protocol = str(entry["benchmark"]).partition(":")
    sides: Sequence[Mapping[str, str]] = entry.get("rows") or (entry["left"], entry["right"])
    return Claim(
        method, name, entry["kind"], tuple(Side(s.get("method", method), s.get("variant", FULL)) for s in sides), task, protocol,
        str(entry["metric"]), float(entry["minimum_effect"]), str(entry.get("where", "")),
    )  # fmt: skip
