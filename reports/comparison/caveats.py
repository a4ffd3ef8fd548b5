"""What intervals of rows do not cover, in words: said wherever two rows are held against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reelbench.plaintext import one_line
from reelbench.reports.leaderboard import Row
from reelbench.reports.standing_notes import shares_upstream


def caveats_of(rows: Mapping[str, Row]) -> Iterator[str]:
    """Seeds that were lost, rows of one seed, rows whose seeds start from one fit; ``rows``: what each is called there → the row."""
    for name, row in rows.items():
        if lost := row.troubles:
            yield f"{name} lost {_seeds(len(lost))} ({one_line('; '.join(lost))})"
    if single := [name for name, row in rows.items() if _is_given_seed(row)]:
        yield f"given the one seed of {' and of '.join(single)}: what another would give is not in the interval"
    if shared := [name for name, row in rows.items() if shares_upstream(row)]:
        yield f"given upstream: the seeds of {' and of '.join(shared)} start from one shared fit, whose own spread is not in theirs"


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def _is_given_seed(row: Row) -> bool:
    """Whether a row has but one seed, and another might give something else."""
    return len(row.finished) == 1 and not row.deterministic
