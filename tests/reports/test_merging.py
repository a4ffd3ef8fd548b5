"""Merging: whatever the order of sources, and though they share trials, the table is the one of a single store."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
from bundled import complete, copied
from synthetic import Synthetic

from reelbench.reports.bundles.merging import Merged, merge, of_bundle, of_store
from reelbench.reports.bundles.opening import opened
from reelbench.reports.bundles.packing import write_bundle
from reelbench.reports.formats.structured import table_object
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards

SCORES = {
    "jsfusion": {0: 0.40, 1: 0.42, 2: 0.44},  # mean 0.42, SD 0.02
    "bn-lstm": {0: 0.33, 1: 0.30, 2: 0.36},  # mean 0.33, SD 0.03
    "hse": {0: 0.37, 1: 0.38, 2: 0.36},  # mean 0.37, SD 0.01
}
LABS = {  # seeds of one row lie in several, and some in two
    "first": {"jsfusion": (0, 1), "bn-lstm": (2,)},
    "second": {"jsfusion": (1, 2), "hse": (0, 1, 2)},
    "third": {"bn-lstm": (0, 1, 2), "hse": (1,)},
}
LOST = {"first": 3, "third": 4}
"""A seed of jsfusion that failed there."""


def write(synthetic: Synthetic, name: str) -> None:
    for method, seeds in LABS[name].items():
        for seed in seeds:
            score = SCORES[method][seed]
            synthetic.trial(
                method, seed=seed, metrics={"recall_at_1": score, "cider": 1.0, "median_rank": 5.0}
            )
    if name in LOST:
        synthetic.failed_fit(seed=LOST[name], error=f"lost in the {name}")


def table(uri: str) -> dict[str, Any]:
    """Everything a table says, in full precision."""
    (board,) = boards(load(uri))
    return table_object(board.table)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labs")


@pytest.fixture(scope="module")
def labs(empty_database: Path, folder: Path) -> Mapping[str, Synthetic]:
    found = {name: copied(empty_database, folder / name) for name in LABS}
    for name, synthetic in found.items():
        write(synthetic, name)
        complete(synthetic)
    return found


@pytest.fixture(scope="module")
def whole(empty_database: Path, folder: Path) -> dict[str, Any]:
    """The table of one store in which all was recorded, that no merge had a part in."""
    synthetic = copied(empty_database, folder / "whole")
    for name in LABS:
        write(synthetic, name)
    complete(synthetic)
    return table(synthetic.uri)


@pytest.fixture(scope="module")
def packed_labs(labs: Mapping[str, Synthetic], folder: Path) -> Mapping[str, Path]:
    found = {name: (load(lab.uri), folder / f"{name} bundle") for name, lab in labs.items()}
    return {name: write_bundle(results, boards(results), out) for name, (results, out) in found.items()}


def test_the_table_that_merges_are_held_against_ranks_several_rows(whole: dict[str, Any]):
    assert whole["tests"]["pairs"] == 3
    assert [row["method"] for row in whole["rows"]] == ["jsfusion", "hse", "bn-lstm"]
    for row in whole["rows"]:
        values = list(SCORES[row["method"]].values())
        told = row["metrics"]["recall_at_1"]
        assert (told["mean"], told["sd"]) == pytest.approx((mean(values), stdev(values)))
        assert row["rank"]
        assert told["interval"]
    p = whole["tests"]["adjusted_p"]
    assert len({p[0][1], p[0][2], p[1][2]}) == 3  # so that rows or seeds that were mixed up would show
    assert all(0 < value < 1 for value in (p[0][1], p[0][2], p[1][2]))
    assert whole["rows"][0]["troubles"] == ["seed 3: lost in the first", "seed 4: lost in the third"]


@pytest.mark.parametrize("order", list(itertools.permutations(LABS)), ids=" ".join)
def test_no_order_of_sources_changes_the_table(
    labs: Mapping[str, Synthetic],
    packed_labs: Mapping[str, Path],
    whole: dict[str, Any],
    empty_database: Path,
    tmp_path: Path,
    order: tuple[str, ...],
):
    """Means, SDs, intervals, ranks, differences to the best, adjusted p, lost seeds, notes: all of it, and exactly."""
    target = copied(empty_database, tmp_path / "target")

    def bring(name: str, *, packed: bool) -> Merged:
        if not packed:
            return merge(target.store, of_store(load(labs[name].uri)))
        with opened(packed_labs[name]) as found:
            return merge(target.store, of_bundle(found))

    for i, name in enumerate(order):
        bring(name, packed=bool(i % 2))
    assert table(target.uri) == whole
    again = [bring(name, packed=not i % 2) for i, name in enumerate(order)]  # the other way about
    assert not any(one.added or one.failures_added for one in again)
    assert table(target.uri) == whole


def test_what_two_sources_share_is_counted_once(
    labs: Mapping[str, Synthetic], empty_database: Path, tmp_path: Path
):
    target = copied(empty_database, tmp_path / "target")
    done = [merge(target.store, of_store(load(labs[name].uri))) for name in LABS]
    # first: 2 + 1; second: 2 + 3, of which jsfusion's seed 1 is known; third: 3 + 1, of which two are known
    assert [(one.added, one.known) for one in done] == [(3, 0), (4, 1), (2, 2)]
    assert [(one.failures_added, one.failures_known) for one in done] == [(1, 0), (0, 0), (1, 0)]
