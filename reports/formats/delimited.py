"""A leaderboard as CSV for further computing: full precision, metrics on the scale on which they are stored."""

from __future__ import annotations

import csv
import io

from reelbench.reports.escaping import csv_cell
from reelbench.reports.tables import Line, Table

NAMES = ("method", "variant", "recipe", "preset", "features", "role", "label")


def render(table: Table) -> str:
    """One line a row: names, seeds, and for each metric its mean, sample SD and number of seeds."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    metrics = [c.key for c in table.columns if c.group == "metric"]
    costs = [c.key for c in table.columns if c.group == "cost"]
    spread = [f"{m}_{part}" for m in metrics for part in ("mean", "sd", "n")]
    writer.writerow([csv_cell(c) for c in ("benchmark", *NAMES, "seeds", "failed", *spread, *costs)])
    for section in table.sections:
        for line in section.lines:
            writer.writerow([csv_cell(table.benchmark), *_names(line), *_numbers(line, metrics, costs)])
    return out.getvalue()


def _names(line: Line) -> list[str]:
    return [csv_cell(line.row.tag(name)) for name in NAMES]


def _numbers(line: Line, metrics: list[str], costs: list[str]) -> list[float | int | str]:
    found: list[float | int | str] = [len(line.row.finished), len(line.row.troubles)]
    for name in metrics:
        cell = line.row.metric(name)
        found += ["", "", 0] if cell is None else [cell.mean, "" if cell.sd is None else cell.sd, cell.n]
    return found + ["" if (value := line.row.cost(name)) is None else value for name in costs]
