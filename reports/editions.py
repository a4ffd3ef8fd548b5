"""Failures that were made good: the same row ran the same seed later, after its plugin or config was mended.

The harness marks finished runs as superseded, not failed ones, so that a store keeps a failure for good; a report must
not show it for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reelbench.tracking.entries import row_of

if TYPE_CHECKING:
    from reelbench.reports.frames import Trial

Place = tuple[tuple[str, ...], int]


def made_good(failed: Iterable[Trial], finished: Sequence[Trial]) -> set[str]:
    """Run ids of the failures in whose place a later bench ran another edition, which finished or is a failure itself.

    A failure stays while other seeds of its own edition stand in the table: then it is a lost seed of theirs. It also
    stays where its own bench ran the other edition: then these are two rows of one suite.
    """
    lost = list(failed)
    if not lost:
        return set()
    editions = {t.tags.get("rb.family") for t in finished}
    places = {_place(t) for t in lost}
    runs: dict[Place, list[Trial]] = {}
    for trial in (*finished, *lost):
        if (place := _place(trial)) in places:
            runs.setdefault(place, []).append(trial)
    return {
        t.run_id
        for t in lost
        if t.tags.get("rb.family") not in editions and any(_is_later(other, t) for other in runs[_place(t)])
    }


def _is_later(other: Trial, trial: Trial) -> bool:
    """Whether another bench ran it later."""
    lease = trial.tags.get("rb.lease")
    return other.started_ms > trial.started_ms and (lease is None or other.tags.get("rb.lease") != lease)


def _place(trial: Trial) -> Place:
    return row_of(trial.tags), trial.seed
