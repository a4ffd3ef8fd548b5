"""The record as frames, and what a plan will be able to tell apart."""

from __future__ import annotations

import math
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from synthetic import BENCHMARK, SPECS, Synthetic

import reelbench.reports
from reelbench.registry import build_registry
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import Board, boards
from reelbench.reports.planning import notes
from reelbench.reports.spreads import assumed_spread, declared_spread, measured_spread

TASKS = build_registry().tasks
CAPTION_SPEC = asdict(TASKS["captioning"].metrics("clip")[0])


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
    suite = SimpleNamespace(seeds=tuple(range(seeds)))
    return SimpleNamespace(trials=lambda: stages, suite=suite)


def known(made: Synthetic) -> dict[str, Board]:
    return {board.benchmark: board for board in boards(load(made.uri))}


def test_results_are_the_tables_with_ranks_and_intervals(small: Synthetic):
    frame = reelbench.reports.results(small.uri)
    primary = frame[(frame.benchmark == BENCHMARK) & frame.primary]
    assert set(primary.metric) == {"recall_at_1"}
    ranked = primary[primary.rank_low.notna()]
    assert (ranked.rank_low <= ranked.rank_high).all()
    assert (ranked.low < ranked["mean"]).all()
    assert (ranked["mean"] < ranked.high).all()
    assert primary[primary.method == "chance"].rank_low.isna().all()


def test_a_row_of_which_no_seed_finished_is_in_the_results(synthetic: Synthetic):
    synthetic.trial("whole")
    synthetic.trial("lost", status="FAILED", tags={"rb.error": "not run"})
    frame = reelbench.reports.results(synthetic.uri)
    (lost,) = frame[frame.primary & (frame.method == "lost")].to_dict("records")
    assert math.isnan(lost["mean"])
    assert (lost["seeds"], lost["failed"], lost["not_ranked"]) == (0, 1, "no seed finished")


def test_trials_are_one_a_row(small: Synthetic):
    frame = reelbench.reports.trials(small.uri)
    assert len(frame) == 44
    assert {"benchmark", "method", "seed", "recall_at_1"} <= set(frame.columns)


def test_an_unknown_name_of_the_room_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = reelbench.reports.nothing


def test_a_plan_is_told_what_it_will_resolve_from_what_ran_before(small: Synthetic):
    (line,) = notes(planned("a", "b", "chance"), small.uri, TASKS)  # type: ignore[arg-type]
    assert line.startswith(f"resolution: {BENCHMARK}, 5 seeds: differences of ")
    assert "in a table of 2" in line  # chance is not ranked
    assert "from earlier runs" in line


def test_more_seeds_resolve_more(small: Synthetic):
    few, many = (notes(planned("a", "b", seeds=n), small.uri, TASKS)[0] for n in (2, 20))  # type: ignore[arg-type]
    found = [float(line.split("differences of ")[1].split()[0]) for line in (few, many)]
    assert found[1] < found[0]


def test_of_a_benchmark_that_never_ran_a_declared_spread_is_said_to_be_one(tmp_path):
    (line,) = notes(planned("a", "b"), f"sqlite:///{tmp_path / 'none.db'}", TASKS)  # type: ignore[arg-type]
    assert "differences of about " in line
    assert "150 clusters assumed, cluster SD 35.0 declared, seed SD 1.0 declared" in line
    # 0.35^2 / 150 and twice 0.01^2 / 5: an error of 2.93 points; t(149) and more: about 2.8 of them
    assert 8.1 < float(line.split("about ")[1].split()[0]) < 8.4


def test_of_a_benchmark_that_never_ran_the_spread_on_another_dataset_is_taken(small: Synthetic):
    ran = known(small)
    spread, own = assumed_spread("retrieval@didemo:sentence", SPECS[0], ran), measured_spread(ran[BENCHMARK])
    assert spread is not None
    assert own is not None
    assert (spread.cluster_sd, spread.seed_sd, spread.clusters) == (own.cluster_sd, own.seed_sd, own.clusters)
    assert (spread.cluster_from, spread.seed_from, spread.clusters_from) == (
        f"assumed from {BENCHMARK}",
        "assumed likewise",
        " assumed",
    )


def test_the_clusters_of_a_dataset_are_known_from_its_other_benchmarks(small: Synthetic):
    ran = known(small)
    spread = assumed_spread("tagging@microworld/small:all-labels", CAPTION_SPEC, ran)
    assert spread is not None
    assert (spread.clusters, spread.clusters_from) == (ran[BENCHMARK].record["clusters"], "")
    assert (spread.cluster_sd, spread.cluster_from) == (0.55, "declared")
    assert (spread.seed_sd, spread.seed_from) == (0.05, "declared")


def test_nothing_is_claimed_of_a_metric_without_end_of_which_nothing_is_declared():
    endless = {"name": "perplexity", "low": 1.0, "high": float("inf")}
    assert assumed_spread("writing@x:y", endless, {}) is None
    assert declared_spread({"name": "odd", "low": -1.0, "high": 1.0}) == (0.5, 0.02)
    assert declared_spread({**endless, "spread": [4.0, 0.2]}) == (4.0, 0.2)  # as a record has it


def test_of_a_task_that_nobody_registers_nothing_is_claimed(tmp_path):
    found = planned("a", "b", benchmark="juggling@x:y")
    (line,) = notes(found, f"sqlite:///{tmp_path / 'none.db'}", TASKS)  # type: ignore[arg-type]
    assert line == ("resolution: of 1 benchmark not known before two rows have a first seed: juggling@x:y")
