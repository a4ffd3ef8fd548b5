"""The information rows as the page shows them: what each ingredient is worth here, and in its control world."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from reelbench.dataset import Finding


@dataclass(frozen=True)
class InformationRow:
    """A claim or shortcut; the three numbers in hundredths, for a picture of them."""

    finding: Finding
    proves: str
    chance: float | None
    without: float | None
    with_it: float | None


@dataclass(frozen=True)
class InformationGroup:
    """Rows under one heading."""

    title: str
    rows: tuple[InformationRow, ...]


def information_groups(findings: Iterable[Finding]) -> list[InformationGroup]:
    """The findings by their heading."""
    groups = groupby(findings, key=lambda finding: finding.group)
    return [InformationGroup(title, tuple(map(_row, of_group))) for title, of_group in groups]


def _row(finding: Finding) -> InformationRow:
    facts = finding.facts
    marks = (_hundredths(facts[name]) for name in ("chance", "without", "with"))
    return InformationRow(finding, str(facts.get("proves", "")), *marks)


def _hundredths(value: float | None) -> float | None:
    """Where a mark stands; nowhere for what was not measured."""
    return None if value is None else round(100 * value, 2)
