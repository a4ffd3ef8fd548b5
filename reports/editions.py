"""Failures that were made good: the same row finished the same seed later, after its plugin or config was mended.

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
    """Run ids of the failures that a later run of another edition made good.

    A failure stays while other seeds of its own edition stand in the table: then it is a lost seed of theirs.
    """
    lost = list(failed)
    if not lost:
        return set()
    editions = {t.tags.get("rb.family") for t in finished}
    latest: dict[Place, int] = {}
    for trial in finished:
        latest[_place(trial)] = max(trial.started_ms, latest.get(_place(trial), 0))
    return {
        t.run_id
        for t in lost
        if t.tags.get("rb.family") not in editions and t.started_ms < latest.get(_place(t), 0)
    }


def _place(trial: Trial) -> Place:
    return row_of(trial.tags), trial.seed
