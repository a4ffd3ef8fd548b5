"""From runs to rows: which runs count, how seeds are pooled, what is said of seeds that are missing."""

from __future__ import annotations

import math
import sys
from subprocess import run

import pytest
from synthetic import BENCHMARK, Synthetic

from reelbench.errors import TrackingError, UnknownNameError
from reelbench.reports.failures import failures
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import Board, boards
from reelbench.reports.tables import board_table, distinct_names, seed_note


def board(synthetic: Synthetic) -> Board:
    return boards(load(synthetic.uri))[0]


def test_seeds_are_pooled_into_mean_and_sample_sd(synthetic: Synthetic):
    for seed, value in enumerate((0.1, 0.2, 0.6)):
        synthetic.trial(seed=seed, metrics={"recall_at_1": value})
    cell = board(synthetic).rows[0].metric("recall_at_1")
    assert cell is not None
    assert (cell.n, cell.mean) == (3, pytest.approx(0.3))
    assert cell.sd == pytest.approx(math.sqrt((0.04 + 0.01 + 0.09) / 2))


def test_one_seed_has_no_spread(synthetic: Synthetic):
    synthetic.trial(metrics={"recall_at_1": 0.418})
    entry = board_table(board(synthetic)).sections[0].lines[0].entries[0]
    assert entry.plain == "41.8"


def test_rows_are_ordered_by_the_primary_metric_and_bands_are_apart(small: Synthetic):
    table = board_table(board(small))
    assert [s.role for s in table.sections] == ["method", "baseline", "ceiling"]
    means = [line.entries[0].value for line in table.sections[0].lines]
    assert means == sorted(means, key=lambda v: -(v or 0))


def test_methods_of_different_feature_sets_stand_in_different_sections(synthetic: Synthetic):
    synthetic.trial("jsfusion", features=("frames", "audio"))
    synthetic.trial("other", features=("frames",))
    titles = [s.title for s in board_table(board(synthetic)).sections]
    assert titles == ["Methods · features frames + audio", "Methods · features frames"]


def test_superseded_runs_do_not_count(synthetic: Synthetic):
    synthetic.trial(
        metrics={"recall_at_1": 0.9},
        tags={"rb.superseded": "true", "rb.family": "old", "rb.label": "jsfusion#old"},
    )
    synthetic.trial(metrics={"recall_at_1": 0.1})
    assert len(board(synthetic).rows) == 1


def test_equal_fingerprints_count_once(synthetic: Synthetic):
    synthetic.trial(metrics={"recall_at_1": 0.1})
    synthetic.trial(metrics={"recall_at_1": 0.1})
    results = load(synthetic.uri)
    assert len(results.trials) == 1
    assert results.contradictions == ()


def test_equal_fingerprints_with_different_predictions_are_reported(synthetic: Synthetic):
    synthetic.trial()
    synthetic.trial(tags={"rb.digest": "another"})
    assert "have different predictions" in load(synthetic.uri).contradictions[0]


def test_a_failed_seed_is_shown_with_its_reason(synthetic: Synthetic):
    synthetic.trial(seed=0)
    synthetic.trial(seed=1, status="FAILED", tags={"rb.error": "out of memory"})
    assert seed_note(board(synthetic).rows[0]) == "1 of 2 seeds, 1 failed: seed 1: out of memory"


def test_a_seed_lost_with_its_fit_is_shown(synthetic: Synthetic):
    synthetic.trial(seed=0)
    synthetic.failed_fit(seed=2)
    table = board_table(board(synthetic))
    assert table.sections[0].lines[0].seeds == table.sections[0].lines[0].row.seeds == "1 of 2"
    assert "Jsfusion: 1 of 2 seeds, 1 failed: seed 2: loss is NaN at step 12." in table.notes


def test_a_row_of_which_no_seed_finished_stands_and_is_not_ranked(synthetic: Synthetic):
    synthetic.trial("whole")
    for seed in range(3):
        synthetic.trial(
            seed=seed, status="FAILED", tags={"rb.error": "not run: fit jsfusion (shared) failed"}
        )
    table = board_table(board(synthetic))
    seeds = {line.name: (line.seeds, line.rank.note) for line in table.sections[0].lines}
    assert seeds["Jsfusion"] == ("0 of 3", "not ranked: no seed finished")
    assert any(note.startswith("Jsfusion: 0 of 3 seeds, 3 failed: seed 0: not run") for note in table.notes)


def test_a_row_of_which_every_prediction_failed_stands_once(synthetic: Synthetic):
    synthetic.trial("whole")
    for seed in (1, 0):
        synthetic.failed_prediction(seed=seed, error="WorkerDied", fingerprint=f"p{seed}")
    synthetic.failed_fit(seed=1)  # of an older edition: the prediction tells of this seed already
    synthetic.failed_fit(seed=2)
    (row,) = (r for r in board(synthetic).rows if r.tag("method") == "jsfusion")
    assert row.seeds == "0 of 3"
    assert row.troubles == ["seed 0: WorkerDied", "seed 1: WorkerDied", "seed 2: loss is NaN at step 12"]


def test_a_trial_lost_with_a_fit_is_counted_in_its_row_and_not_named_beside_the_fit(synthetic: Synthetic):
    synthetic.trial(seed=0)
    synthetic.failed_fit(variant="shared", seed=1)
    fit = sole_fit(synthetic)
    for at, root in ((1, fit), (2, "a prediction that feeds a fit")):
        told = {"rb.error": f"not run: {root} failed", "rb.lost_with": root}
        synthetic.trial(seed=at, status="FAILED", tags=told)
    results = load(synthetic.uri)
    assert [f.reason for f in failures(results)] == [
        "loss is NaN at step 12",
        "not run: a prediction that feeds a fit failed",
    ]
    assert boards(results)[0].rows[0].seeds == "1 of 3"


def sole_fit(synthetic: Synthetic) -> str:
    """The fingerprint of the store's only failed fit."""
    (fit,) = load(synthetic.uri).failed_fits
    return fit.tags["rb.fingerprint.fit"]


def test_a_failure_that_was_made_good_is_not_shown(synthetic: Synthetic):
    synthetic.failed_fit(seed=0)
    synthetic.trial(seed=0)
    assert board(synthetic).rows[0].troubles == []


def test_rows_with_equal_titles_are_told_apart(synthetic: Synthetic):
    synthetic.trial("a", title="Same")
    synthetic.trial("b", title="Same")
    names = distinct_names(board(synthetic).rows).values()
    assert len(set(names)) == 2


def test_a_finished_run_without_its_record_still_has_a_row(synthetic: Synthetic):
    synthetic.trial("whole")
    synthetic.trial("torn", artifacts=False)
    entries = {line.name: line.entries for line in board_table(board(synthetic)).sections[0].lines}
    assert entries["Torn"][0].text != "–"
    assert entries["Torn"][-1].text == "–"


def test_one_benchmark_can_be_chosen_by_pattern(small: Synthetic):
    assert load(small.uri, ["retrieval"]).benchmarks() == [BENCHMARK]


def test_a_missing_store_is_one_line(tmp_path):
    with pytest.raises(TrackingError, match="there is no store"):
        load(f"sqlite:///{tmp_path / 'none.db'}")


def test_a_store_without_trials_is_one_line(synthetic: Synthetic):
    with pytest.raises(TrackingError, match="has no trials"):
        load(synthetic.uri)


def test_registering_reports_imports_nothing_heavy():
    code = "import sys, reelbench.reports.registration, reelbench.reports.command; print(sorted({'pandas', 'mlflow', 'jinja2', 'matplotlib', 'numpy'} & set(sys.modules)))"
    assert (
        run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_a_failed_prediction_is_a_lost_seed_of_its_row(synthetic: Synthetic):
    synthetic.trial(seed=0)
    synthetic.failed_prediction(seed=1, error="WorkerDied")
    assert board(synthetic).rows[0].troubles == ["seed 1: WorkerDied"]


def test_a_failed_prediction_that_was_made_good_is_not_shown(synthetic: Synthetic):
    synthetic.failed_prediction(seed=0, error="WorkerDied", fingerprint="p0")
    synthetic.trial(seed=0, tags={"rb.fingerprint.predict": "p0"})
    results = load(synthetic.uri)
    assert [t.status for t in results.trials] == ["FINISHED"]


def test_an_unknown_benchmark_names_the_nearest(small: Synthetic):
    with pytest.raises(UnknownNameError, match=r"did you mean 'retrieval@microworld/small:sentence'"):
        load(small.uri, ["retreival@microworld/small:sentence"])


def test_a_failure_of_an_older_edition_is_forgotten_once_its_row_finished(synthetic: Synthetic):
    synthetic.mended(seed=0)
    assert [f.reason for f in failures(load(synthetic.uri))] == ["a bug"]
    synthetic.trial(seed=0)
    results = load(synthetic.uri)
    assert failures(results) == []
    assert len(boards(results)[0].rows) == 1


def other_edition(name: str, lease: str = "") -> dict[str, str]:
    """Tags of a trial of another edition of the row, of some bench."""
    naming = {"rb.family": name, "rb.label": f"jsfusion#{name}", "rb.fingerprint.score": name}
    return naming | ({"rb.lease": lease} if lease else {})


def test_a_failure_of_an_older_edition_is_forgotten_once_a_newer_one_failed(synthetic: Synthetic):
    synthetic.trial("whole")
    for at, name in enumerate(("old", "new")):
        told = other_edition(name, lease=name) | {"rb.error": f"a bug of the {name} one"}
        synthetic.trial(seed=1, status="FAILED", tags=told, started_ms=1 + at)
    (row,) = (row for row in board(synthetic).rows if row.tag("method") == "jsfusion")
    assert (row.seeds, row.troubles) == ("0 of 1", ["seed 1: a bug of the new one"])


def test_two_editions_that_one_bench_ran_are_two_rows(synthetic: Synthetic):
    synthetic.trial(seed=1, tags=other_edition("finished", lease="one"), started_ms=2)
    synthetic.trial(seed=1, tags=other_edition("failed", lease="one"), status="FAILED", started_ms=1)
    assert [row.seeds for row in board(synthetic).rows] == ["1", "0 of 1"]


def test_a_reason_is_said_once_with_all_it_struck(synthetic: Synthetic):
    synthetic.trial(seed=0)
    synthetic.failed_fit(seed=1)
    synthetic.failed_fit(seed=2)
    (failure,) = failures(load(synthetic.uri))
    assert failure.reason == "loss is NaN at step 12"
    assert failure.struck == tuple(
        f"Jsfusion (full · match), seed {s}, fit on microworld/small" for s in (1, 2)
    )
