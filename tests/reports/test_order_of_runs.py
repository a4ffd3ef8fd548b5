"""In what order runs were made, that one was made twice and that others failed change no number of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_trials import METRIC, Trials, board_of, fingerprint_of

from reelbench.reports.formats.structured import table_object
from reelbench.reports.frames import Trial
from reelbench.reports.tables import board_table

VALUES = (0.6, 0.62, 0.61)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Trial]:
    """A row in two recipes that gave the same, of one name and mean; one close to them, one far below, one without seeds."""
    trials = Trials(tmp_path_factory.mktemp("trials"))
    trials.row("near", VALUES)
    trials.row("near", VALUES, tags={"rb.recipe": "other", "rb.label": "near in another recipe"})
    trials.row("best", (0.61, 0.62, 0.63))
    trials.row("last", (0.2, 0.21))
    trials.row("sure", (0.5,), deterministic=True)
    return tuple(trials.found)


def told(trials: Sequence[Trial]) -> dict[str, Any]:
    """All that a table says, apart from what it says of failures."""
    found = table_object(board_table(board_of(trials)))
    rows = [{k: v for k, v in row.items() if k != "troubles"} for row in found["rows"]]
    return {**found, "rows": rows, "notes": []}


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int, str]], list[int]]:
    """Which of 12 runs were made twice, which seeds of which rows failed, and the order of all these runs."""
    some = st.integers(0, 11)
    twice = draw(st.lists(some, max_size=4))
    failures = st.tuples(some, st.integers(0, 5), st.sampled_from(("FAILED", "KILLED")))
    failed = draw(st.lists(failures, max_size=4))
    return twice, failed, list(draw(st.permutations(range(12 + len(twice) + len(failed)))))


@settings(max_examples=50)
@given(history=histories())
def test_order_duplicates_and_failures_change_no_number(
    made: Sequence[Trial], history: tuple[list[int], list[tuple[int, int, str]], list[int]]
):
    twice, failed, order = history
    again = [replace(made[i], run_id=f"again-{k}", opened={}) for k, i in enumerate(twice)]
    lost = [_failed(made[i], k, seed, status) for k, (i, seed, status) in enumerate(failed)]
    runs = [*made, *again, *lost]
    newest_first = [replace(runs[i], started_ms=len(runs) - k, opened={}) for k, i in enumerate(order)]
    assert told(newest_first) == told(made)


def _failed(like: Trial, number: int, seed: int, status: str) -> Trial:
    """A run of a row's seed that did not finish: a seed that it has (tried before, or again), or one that is lost."""
    tags = {**like.tags, "rb.seed": str(seed), "rb.error": "out of memory"}
    tags["rb.fingerprint.score"] = fingerprint_of(like.label, seed)
    return replace(
        like, run_id=f"failed-{number}", status=status, tags=tags, metrics={METRIC: 0.9}, opened={}
    )


def test_but_a_lost_seed_is_told(made: Sequence[Trial]):
    board = board_of([*made, _failed(made[6], 0, 4, "FAILED"), _failed(made[6], 1, 1, "FAILED")])
    (row,) = (row for row in board.rows if row.tag("method") == "best")
    assert (row.seeds, row.troubles) == ("3 of 4", ["seed 4: out of memory"])  # seed 1 finished
