"""Seeds that failed: "2 of 3" must not become "2" in a bundle or by merging."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from bundled import complete, copied
from click.testing import CliRunner
from synthetic import BENCHMARK, Synthetic

from reelbench.reports.bundles.command import merge as merge_command
from reelbench.reports.bundles.merging import merge, of_bundle, of_store
from reelbench.reports.bundles.opening import BundleError, opened
from reelbench.reports.bundles.packing import MANIFEST, write_bundle
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards
from reelbench.tracking.store import Store

NAN = "loss is NaN at step 12"


@pytest.fixture
def lossy(synthetic: Synthetic) -> Synthetic:
    """Three rows that lost a seed of three each: one its fit, one its prediction, one its scoring."""
    for seed in (0, 1):
        synthetic.trial(seed=seed)
        synthetic.trial("bn-lstm", seed=seed)
        synthetic.trial(variant="no-attention", seed=seed)
    synthetic.failed_fit(seed=2, variant="no-attention", error=NAN)
    synthetic.failed_prediction(seed=2, error="out of memory")
    synthetic.trial("bn-lstm", seed=2, status="FAILED", tags={"rb.error": "scores are not finite"})
    complete(synthetic)
    return synthetic


EXPECTED = {
    "Jsfusion": ("2 of 3", ["seed 2: out of memory"]),
    "Jsfusion · no-attention": ("2 of 3", [f"seed 2: {NAN}"]),
    "Bn lstm": ("2 of 3", ["seed 2: scores are not finite"]),
}


def seeds(uri: str) -> dict[str, tuple[str, list[str]]]:
    """What the table says of each row's seeds."""
    (board,) = boards(load(uri))
    lines = [line for section in board.table.sections for line in section.lines]
    return {line.name: (line.seeds, line.row.troubles) for line in lines}


def packed(uri: str, out: Path) -> Path:
    return write_bundle(load(uri), boards(load(uri)), out)


def test_two_of_three_stay_so_through_a_bundle(lossy: Synthetic, tmp_path: Path):
    assert seeds(lossy.uri) == EXPECTED
    with opened(packed(lossy.uri, tmp_path / "b.zip")) as found:
        done = merge(Store(target := f"sqlite:///{tmp_path / 'target.db'}"), of_bundle(found))
    assert (done.added, done.failures_added) == (6, 3)
    assert seeds(target) == EXPECTED
    again = packed(target, tmp_path / "again")  # and through a bundle of what was merged
    assert len(json.loads((again / MANIFEST).read_text())["failures"]) == 3


def test_two_of_three_stay_so_through_a_merge_and_count_once(lossy: Synthetic, tmp_path: Path):
    target = f"sqlite:///{tmp_path / 'target.db'}"
    command = [lossy.uri, str(packed(lossy.uri, tmp_path / "b")), "--store", target]
    told = CliRunner().invoke(merge_command, command)
    assert told.exit_code == 0, told.output
    assert "6 trials added, 0 known already; 3 failures added, 0 known already" in told.output
    assert "0 trials added, 6 known already; 0 failures added, 3 known already" in told.output
    assert seeds(target) == EXPECTED


def test_a_failure_that_another_source_made_good_is_none(
    lossy: Synthetic, empty_database: Path, tmp_path: Path
):
    other = copied(empty_database, tmp_path / "other")
    other.trial("bn-lstm", seed=2)
    complete(other)
    for number, order in enumerate(itertools.permutations((lossy, other))):
        target = copied(empty_database, tmp_path / f"target{number}")
        for source in order:
            merge(target.store, of_store(load(source.uri)))
        assert seeds(target.uri)["Bn lstm"] == ("3", [])
        assert seeds(target.uri)["Jsfusion"] == ("2 of 3", ["seed 2: out of memory"])


def test_of_two_failures_of_one_seed_the_newest_is_told_whatever_the_order(
    empty_database: Path, tmp_path: Path
):
    labs = [copied(empty_database, tmp_path / name) for name in ("old", "new")]
    for started_ms, lab in enumerate(labs, 1_760_000_000_000):
        lab.trial(seed=0)
        tags = {"rb.error": f"failure of {started_ms}"}
        lab.trial(seed=1, status="FAILED", tags=tags, started_ms=started_ms)
        complete(lab)
    for number, order in enumerate(itertools.permutations(labs)):
        target = copied(empty_database, tmp_path / f"target{number}")
        for source in order:
            merge(target.store, of_store(load(source.uri)))
        assert seeds(target.uri) == {"Jsfusion": ("1 of 2", ["seed 1: failure of 1760000000001"])}


def test_failures_of_other_datasets_and_benchmarks_stay_out(lossy: Synthetic, tmp_path: Path):
    other = BENCHMARK.replace("small", "smoke")
    lossy.trial(seed=0, benchmark=other)
    lossy.trial(seed=1, benchmark=other, status="FAILED")
    complete(lossy)
    results = load(lossy.uri, [other])
    listed = write_bundle(results, boards(results), tmp_path / "b") / MANIFEST
    (failure,) = json.loads(listed.read_text())["failures"]
    assert (failure["tags"]["rb.benchmark"], failure["tags"]["rb.seed"]) == (other, "1")


def test_what_belongs_to_one_store_alone_does_not_travel(lossy: Synthetic, tmp_path: Path):
    lossy.trial(
        "bn-lstm", seed=3, status="FAILED", tags={"rb.lease": "a", "rb.fit_runs": "b", "mlflow.user": "c"}
    )
    found = json.loads((packed(lossy.uri, tmp_path / "b") / MANIFEST).read_text())["failures"]
    assert len(found) == 4
    assert not [
        k for f in found for k in f["tags"] if not k.startswith("rb.") or k in ("rb.lease", "rb.fit_runs")
    ]


def test_a_bundle_of_before_failures_were_listed_is_read(lossy: Synthetic, tmp_path: Path):
    changed(packed(lossy.uri, tmp_path / "b"), lambda m: m.pop("failures"))
    with opened(tmp_path / "b") as found:
        assert found.failures == ()


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


FIT = {"rb.kind": "fit", "rb.label": "x", "rb.seed": "1"}


@pytest.mark.parametrize(
    ("failures", "why"),
    [
        (7, "its failures are no list"),
        ([7], "failure 1 is a int, expected an object"),
        ([{"status": "FINISHED", "started_ms": 1, "tags": FIT}], "failure 1 has status 'FINISHED'"),
        ([{"status": "FAILED", "started_ms": True, "tags": FIT}], "failure 1 has no started_ms"),
        ([{"status": "FAILED", "started_ms": 1, "tags": {"rb.seed": 1}}], "failure 1 has no tags"),
        ([{"status": "FAILED", "started_ms": 1, "tags": {}}], "failure 1 is of kind ''"),
        ([{"status": "KILLED", "started_ms": 1, "tags": FIT | {"rb.kind": "trial"}}], "failure 1 has no tag rb.benchmark"),
        ([{"status": "KILLED", "started_ms": 1, "tags": FIT | {"rb.seed": "²"}}], "failure 1 has the seed '²'"),
    ],
)  # fmt: skip
def test_a_malformed_failure_is_one_line(lossy: Synthetic, tmp_path: Path, failures: Sequence[Any], why: str):
    changed(packed(lossy.uri, tmp_path / "b"), lambda m: m.update(failures=failures))
    with pytest.raises(BundleError) as refused, opened(tmp_path / "b"):
        pass
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_metric_that_is_not_finite_is_left_out_as_its_store_leaves_it_out(
    synthetic: Synthetic, tmp_path: Path
):
    values = {"recall_at_1": 0.5, "cider": 1.0}
    kept = {"metrics": values | {"median_rank": float("nan")}}
    synthetic.trial(metrics=values, tags={"rb.not_finite": "1: test/median_rank"}, record=kept)
    complete(synthetic)
    with opened(packed(synthetic.uri, tmp_path / "b")) as found:
        merge(Store(target := f"sqlite:///{tmp_path / 'target.db'}"), of_bundle(found))
    (trial,) = load(target).trials
    assert trial.metrics == values
    assert trial.tags["rb.not_finite"] == "1: test/median_rank"
