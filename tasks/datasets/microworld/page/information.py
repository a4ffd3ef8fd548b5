"""The information rows as the page shows them: what each ingredient is worth here, and in its control world."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from reelbench.dataset import Finding
from reelbench.tasks.datasets.microworld.information.findings import list_findings
from reelbench.tasks.datasets.microworld.sizes import Corpus


@dataclass(frozen=True)
class InformationRow:
    """A claim or shortcut; the three numbers in hundredths, for a picture of them."""

    finding: Finding
    proves: str
    chance: float
    without: float
    with_it: float


@dataclass(frozen=True)
class InformationGroup:
    """Rows under one heading."""

    title: str
    rows: tuple[InformationRow, ...]


def information_groups(corpus: Corpus) -> list[InformationGroup]:
    """All rows, measured on the corpus; a control world has none of its own."""
    if corpus.control:
        return []
    found = groupby(list_findings(corpus), key=lambda finding: finding.group)
    return [InformationGroup(title, tuple(map(_row, findings))) for title, findings in found]


def _row(finding: Finding) -> InformationRow:
    chance, without, with_it = (round(100 * finding.facts[name], 2) for name in ("chance", "without", "with"))
    return InformationRow(finding, str(finding.facts.get("proves", "")), chance, without, with_it)
