"""A leaderboard as JSON: everything that a table says, in full precision, under a schema that ``docs/reports.md`` documents."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reelbench.reports.standing import Place, Standings
from reelbench.reports.statistics.contrast import Contrast
from reelbench.reports.tables import Line, Table

SCHEMA = 1
NAMES = ("method", "variant", "recipe", "preset", "features", "role", "label")


def render(table: Table) -> str:
    """One object a benchmark."""
    return json.dumps(table_object(table), indent=1, allow_nan=False) + "\n"


def table_object(table: Table) -> dict[str, Any]:
    """The object that :func:`render` prints: plain lists, dicts, strings and numbers; ``None`` for what is not defined."""
    metrics = [column.key for column in table.columns if column.group == "metric"]
    costs = [column.key for column in table.columns if column.group == "cost"]
    lines = [line for section in table.sections for line in section.lines]
    return {
        "schema": SCHEMA,
        "benchmark": table.benchmark,
        "metrics": [{"name": c.key, "title": c.title, "lower_is_better": c.lower} for c in table.columns if c.group == "metric"],
        "rows": [_row(line, table.standings.place(line.row), metrics, costs) for line in lines],
        "tests": _tests(table.standings),
        "notes": list(table.notes),
    }  # fmt: skip


def _row(line: Line, place: Place, metrics: list[str], costs: list[str]) -> dict[str, Any]:
    row = line.row
    return {name: row.tag(name) for name in NAMES} | {
        "name": line.name,
        "seeds": [trial.seed for trial in row.finished],
        "troubles": list(row.troubles),
        "rank": list(place.rank) if place.rank else None,
        "not_ranked": place.why or None,
        "to_best": _contrast(place.to_best),
        "metrics": {name: _metric(line, name, place.intervals) for name in metrics},
        "cost": {name: row.cost(name) for name in costs},
        "paper": [asdict(number) for number in line.published],
    }


def _metric(line: Line, name: str, intervals: Mapping[str, Contrast]) -> dict[str, Any] | None:
    cell = line.row.metric(name)
    if cell is None:
        return None
    by_seed = {str(trial.seed): trial.metrics[name] for trial in line.row.finished if name in trial.metrics}
    return {
        "mean": cell.mean,
        "sd": cell.sd,
        "n": cell.n,
        "by_seed": by_seed,
        "interval": _bounds(intervals.get(name)),
    }


def _contrast(found: Contrast | None) -> dict[str, Any] | None:
    if found is None or not found.is_known:
        return None
    freedom = found.freedom if math.isfinite(found.freedom) else None
    return {
        "estimate": found.estimate, "standard_error": found.error, "degrees_of_freedom": freedom, "p": found.p,
        "interval": _bounds(found),
    }  # fmt: skip


def _bounds(found: Contrast | None) -> list[float] | None:
    return list(found.interval()) if found and found.is_known else None


def _tests(standings: Standings) -> dict[str, Any]:
    return {
        "clusters": standings.clusters, "best": standings.best or None, "ranked": list(standings.ranked), "pairs": standings.pairs,
        "correction": "holm", "adjusted_p": [list(row) for row in standings.adjusted] if standings.pairs else [],
        "smallest_resolvable_difference": standings.resolvable,
    }  # fmt: skip
