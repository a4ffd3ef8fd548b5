"""The record as pandas frames: every trial, or every row of every table with what is known of its rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from reelbench.reports.frames import load
from reelbench.reports.leaderboard import Board, Cell, boards
from reelbench.reports.tables import distinct_names
from reelbench.tracking.store import resolve_uri

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("method", "variant", "recipe", "preset", "features", "role", "label")


def trials(store: str | None = None, benchmarks: Sequence[str] = ()) -> pd.DataFrame:
    """A row a finished trial: names, seed and metrics as they are stored.

    Raises
    ------
    TrackingError
        If the store cannot be read, or holds no trial of these benchmarks.
    """
    import pandas as pd

    found = load(resolve_uri(store), benchmarks)
    rows = [
        {"benchmark": t.benchmark}
        | {n: t.tags.get(f"rb.{n}", "") for n in NAMES}
        | {"seed": t.seed}
        | dict(t.metrics)
        for t in found.trials
        if t.is_finished
    ]
    return pd.DataFrame(rows)


def results(store: str | None = None, benchmarks: Sequence[str] = ()) -> pd.DataFrame:
    """What the tables say: a row a benchmark, table row and metric, with mean, SD, 95 % interval, rank and difference to the best.

    A table row of which no seed finished has no mean and 0 seeds.

    Raises
    ------
    TrackingError
        If the store cannot be read, or holds no trial of these benchmarks.
    """
    import pandas as pd

    return pd.DataFrame(
        [line for board in boards(load(resolve_uri(store), benchmarks)) for line in _lines(board)]
    )


def _lines(board: Board) -> Iterator[dict[str, Any]]:
    names, primary = distinct_names(board.rows), str(board.primary["name"])
    for row in board.rows:
        place = board.standings.place(row)
        low, high = place.rank or (None, None)
        for spec in board.specs:
            metric = str(spec["name"])
            cell, own = row.metric(metric), place.intervals.get(metric)
            bounds = own.interval() if own and own.is_known else (None, None)
            best = place.to_best if metric == primary else None
            lead = best.interval() if best else (None, None)
            yield {"benchmark": board.benchmark, "name": names[row.label]} | {n: row.tag(n) for n in NAMES} | {
                "metric": metric, "primary": metric == primary, **_pooled(cell), "low": bounds[0], "high": bounds[1],
                "rank_low": low, "rank_high": high, "to_best": best.estimate if best else None, "to_best_low": lead[0], "to_best_high": lead[1], "to_best_p": best.p if best else None, "not_ranked": place.why or None, "failed": len(row.troubles),
            }  # fmt: skip


def _pooled(cell: Cell | None) -> dict[str, float | None]:
    return (
        {"mean": cell.mean, "sd": cell.sd, "seeds": cell.n}
        if cell
        else {"mean": None, "sd": None, "seeds": 0}
    )
