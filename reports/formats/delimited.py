"""A leaderboard as CSV for further computing: full precision, metrics on the scale on which they are stored."""

from __future__ import annotations

import csv
import io

from reelbench.reports.escaping import csv_cell
from reelbench.reports.standing import Place
from reelbench.reports.tables import Line, Table

STANDING = ("rank_low", "rank_high", "to_best", "to_best_low", "to_best_high", "to_best_p")
PAPER = ("value", "benchmark", "metric", "table", "split", "protocol", "misprint")
NAMES = ("method", "variant", "recipe", "preset", "features", "role", "label")


def render(table: Table) -> str:
    """One line a row: names, seeds, ranks, difference to the best; of each metric mean, sample SD, number of seeds, 95 % interval; costs; papers' numbers.

    Of several numbers of papers each column has all, in one order, with ``; `` between them.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    metrics = [c.key for c in table.columns if c.group == "metric"]
    costs = [c.key for c in table.columns if c.group == "cost"]
    spread = [f"{m}_{part}" for m in metrics for part in ("mean", "sd", "n", "low", "high")]
    paper = [f"paper_{part}" for part in PAPER]
    writer.writerow(
        [csv_cell(c) for c in ("benchmark", *NAMES, "seeds", "failed", *STANDING, *spread, *costs, *paper)]
    )
    for section in table.sections:
        for line in section.lines:
            writer.writerow(
                [
                    csv_cell(table.benchmark),
                    *_names(line),
                    *_numbers(line, table.standings.place(line.row), metrics, costs),
                    *_paper(line),
                ]
            )
    return out.getvalue()


def _names(line: Line) -> list[str]:
    return [csv_cell(line.row.tag(name)) for name in NAMES]


def _paper(line: Line) -> list[str]:
    return [csv_cell("; ".join(str(getattr(n, part)) for n in line.published)) for part in PAPER]


def _numbers(line: Line, place: Place, metrics: list[str], costs: list[str]) -> list[float | int | str]:
    found: list[float | int | str] = [len(line.row.finished), len(line.row.troubles)]
    found += list(place.rank or ("", ""))
    best = place.to_best
    found += [best.estimate, *best.interval(), best.p] if best else [""] * 4
    for name in metrics:
        cell, own = line.row.metric(name), place.intervals.get(name)
        found += ["", "", 0] if cell is None else [cell.mean, "" if cell.sd is None else cell.sd, cell.n]
        found += list(own.interval()) if own and own.is_known else ["", ""]
    return found + ["" if (value := line.row.cost(name)) is None else value for name in costs]
