"""Localization as the page shows it: a sentence, its candidates as bars over the story, and the annotators' choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reelbench.dataset import Dataset
from reelbench.tasks.datasets.microworld.page.choosing import SPLIT, Shown


@dataclass(frozen=True)
class Candidate:
    """A stretch of time; ``votes`` annotators chose it."""

    left: float
    width: float
    label: str
    votes: int


@dataclass(frozen=True)
class Query:
    """A sentence to find in its story."""

    text: str
    truth: Candidate
    candidates: tuple[Candidate, ...]
    annotators: int

    @property
    def chosen(self) -> tuple[Candidate, ...]:
        """The candidates that somebody chose, the favourite first."""
        return tuple(sorted((c for c in self.candidates if c.votes), key=lambda c: -c.votes))


def queries(dataset: Dataset, shown: Shown, count: int) -> list[Query]:
    """Queries of a story, first those on which annotators disagree."""
    asked = [
        _query(example.fields, example.targets or {})
        for example in dataset.relation("segments", SPLIT)
        if example["video"].video == shown.video
    ]
    return sorted(asked, key=lambda query: -len(query.chosen))[:count]


def _query(fields: Mapping[str, Any], targets: Mapping[str, Any]) -> Query:
    length = float(fields["duration_s"])
    votes = [(float(first), float(last)) for first, last in targets["segments"]]
    spans = [(float(first), float(last)) for first, last in fields["candidates"]]
    candidates = tuple(_candidate(span, length, votes.count(span)) for span in spans)
    (first, last), *_ = targets["span"]
    truth = _candidate((float(first), float(last)), length, 0)
    return Query(" ".join(fields["query"]), truth, candidates, len(votes))


def _candidate(span: tuple[float, float], length: float, votes: int) -> Candidate:
    first, last = span
    label = f"{first:g}–{last:g} s"
    return Candidate(round(100 * first / length, 3), round(100 * (last - first) / length, 3), label, votes)
