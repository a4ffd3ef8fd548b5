"""The record as frames, and what a plan will be able to tell apart."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from synthetic import BENCHMARK, Synthetic

import reelbench.reports
from reelbench.reports.planning import notes


def planned(*rows: str, seeds: int = 5, benchmark: str = BENCHMARK) -> SimpleNamespace:
    """As much of a plan as the notes read."""
    stages = [
        SimpleNamespace(
            label=name,
            spec={
                "role": "baseline" if name == "chance" else "method",
                "floor": name == "chance",
                "method": name,
                "benchmark": benchmark,
            },
        )
        for name in rows
    ]
    return SimpleNamespace(trials=lambda: stages, suite=SimpleNamespace(seeds=tuple(range(seeds))))


def test_results_are_the_tables_with_ranks_and_intervals(small: Synthetic):
    frame = reelbench.reports.results(small.uri)
    primary = frame[(frame.benchmark == BENCHMARK) & frame.primary]
    assert set(primary.metric) == {"recall_at_1"}
    ranked = primary[primary.rank_low.notna()]
    assert (ranked.rank_low <= ranked.rank_high).all()
    assert (ranked.low < ranked["mean"]).all()
    assert (ranked["mean"] < ranked.high).all()
    assert primary[primary.method == "chance"].rank_low.isna().all()


def test_trials_are_one_a_row(small: Synthetic):
    frame = reelbench.reports.trials(small.uri)
    assert len(frame) == 44
    assert {"benchmark", "method", "seed", "recall_at_1"} <= set(frame.columns)


def test_an_unknown_name_of_the_room_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = reelbench.reports.nothing


def test_a_plan_is_told_what_it_will_resolve_from_what_ran_before(small: Synthetic):
    (line,) = notes(planned("a", "b", "chance"), small.uri)  # type: ignore[arg-type]
    assert line.startswith(f"resolution: {BENCHMARK}, 5 seeds: differences of ")
    assert "in a table of 2" in line  # chance is not ranked
    assert "from earlier runs" in line


def test_more_seeds_resolve_more(small: Synthetic):
    few, many = (notes(planned("a", "b", seeds=n), small.uri)[0] for n in (2, 20))  # type: ignore[arg-type]
    found = [float(line.split("differences of ")[1].split()[0]) for line in (few, many)]
    assert found[1] < found[0]


def test_of_a_benchmark_that_never_ran_nothing_is_claimed(tmp_path):
    (line,) = notes(planned("a", "b"), f"sqlite:///{tmp_path / 'none.db'}")  # type: ignore[arg-type]
    assert "not known before two rows have a first seed" in line
