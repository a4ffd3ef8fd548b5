"""Information rows as the findings that ``reelbench data verify`` prints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from reelbench.dataset import Finding
from reelbench.tasks.datasets.microworld.information.registry import measure
from reelbench.tasks.datasets.microworld.information.rows import Claim, Row, Scores
from reelbench.tasks.datasets.microworld.sizes import Corpus

INGREDIENTS = "An ingredient is worth 15 points or more, and nothing in its control world"
SHORTCUTS = "A shortcut stays near chance (the oracle stands under 'with')"


def list_findings(corpus: Corpus) -> Iterator[Finding]:
    """All rows of a corpus."""
    return map(_finding, measure(corpus))


def _finding(row: Row) -> Finding:
    claim = isinstance(row.of, Claim)
    values = {
        "paper": row.of.methods if isinstance(row.of, Claim) else "",
        "benchmark": row.of.benchmark,
        "metric": row.of.metric,
        "items": str(row.scores.items),
        "chance": _points(row.scores.chance),
        "without": _points(row.scores.without),
        "with": _points(row.scores.with_it),
        "worth": _interval(row.scores) if claim else "",
        "control": row.control_name,
        "worth there": _there(row),
    }
    return Finding(INGREDIENTS if claim else SHORTCUTS, row.of.name, values, _facts(row), row.failure)


def _there(row: Row) -> str:
    if row.control:
        return _interval(row.control)
    return f"no {row.of.asked_of}" if isinstance(row.of, Claim) else ""


def _facts(row: Row) -> dict[str, Any]:
    facts: dict[str, Any] = {"benchmark": row.of.benchmark, "metric": row.of.metric, **_numbers(row.scores)}
    if isinstance(row.of, Claim):
        facts |= {"methods": row.of.methods, "ingredient": row.of.ingredient, "proves": row.of.proves}
    if row.control:
        facts["control"] = {"world": row.control_name, **_numbers(row.control)}
    return facts


def _numbers(scores: Scores) -> dict[str, float | None]:
    numbers = {
        "items": scores.items,
        "chance": scores.chance,
        "without": scores.without,
        "with": scores.with_it,
        "worth": scores.gap,
        "half_interval": scores.error,
    }
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def _points(value: float) -> str:
    return f"{100 * value:.1f}"


def _interval(scores: Scores) -> str:
    error = f" ± {_points(scores.error)}" if math.isfinite(scores.error) else ""
    return f"{_points(scores.gap)}{error}"
