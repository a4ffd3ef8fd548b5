"""Bundles: what another lab can check, what it must notice, and what a hostile one may not do."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from synthetic import Synthetic

from reelbench.errors import TrackingError, UsageError
from reelbench.reports.bundles.command import bundle, merge, verify
from reelbench.reports.bundles.merging import merge as join
from reelbench.reports.bundles.merging import of_bundle, of_store
from reelbench.reports.bundles.opening import BundleError, opened
from reelbench.reports.bundles.packing import MANIFEST, write_bundle
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards
from reelbench.tracking.store import Store


@pytest.fixture(scope="session")
def packed(bench: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a real bench, as a folder."""
    path = tmp_path_factory.mktemp("packed") / "bundle"
    told = CliRunner().invoke(bundle, [str(path), "--store", bench])
    assert told.exit_code == 0, told.output
    return path


@pytest.fixture
def copy(packed: Path, tmp_path: Path) -> Path:
    """A bundle of the test's own."""
    return Path(shutil.copytree(packed, tmp_path / "bundle"))


def checked(path: Path) -> tuple[int, dict[str, object]]:
    told = CliRunner().invoke(verify, [str(path), "--json"], standalone_mode=False)
    return told.return_value, json.loads(told.output) if told.output.startswith("{") else {}


def test_a_sound_bundle_is_verified_by_scoring_its_predictions_again(packed: Path):
    status, found = checked(packed)
    assert status == 0
    assert found["damaged"] == []
    assert len(found["trials"]) == 3  # nearest neighbour is deterministic
    assert all(not trial["problems"] and not trial["unchecked"] for trial in found["trials"])
    assert (packed / "tables/multiple_choice-microworld-smoke-choice.md").exists()
    assert "torch" in json.loads((packed / "environment.json").read_text())


def test_a_zip_is_verified_alike(packed: Path, bench: str, tmp_path: Path):
    path = tmp_path / "b.zip"
    write_bundle(load(bench), boards(load(bench)), path)
    assert checked(path)[0] == 0


def test_an_altered_score_is_noticed_twice(copy: Path):
    record = copy / "trials/0000/record.json"
    record.write_text(record.read_text().replace('"accuracy": 0.', '"accuracy": 1.'))
    status, found = checked(copy)
    assert status == 1
    assert found["damaged"] == ["trials/0000/record.json was altered"]
    assert any("accuracy is 0." in line for trial in found["trials"] for line in trial["problems"])


def test_an_altered_score_is_noticed_though_its_digest_was_made_to_fit(copy: Path):
    from reelbench.reports.bundles.packing import file_digest

    record = copy / "trials/0000/record.json"
    record.write_text(record.read_text().replace('"accuracy": 0.', '"accuracy": 1.'))
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["files"]["trials/0000/record.json"] = file_digest(record)
    (copy / MANIFEST).write_text(json.dumps(manifest))
    status, found = checked(copy)
    assert (status, found["damaged"]) == (1, [])
    assert any("the record says 1." in line for trial in found["trials"] for line in trial["problems"])


def test_missing_and_added_files_are_noticed(copy: Path):
    (copy / "environment.json").unlink()
    (copy / "extra.txt").write_text("x")
    status, found = checked(copy)
    assert status == 1
    assert found["damaged"] == ["environment.json is missing", "extra.txt is not in the manifest"]


def test_other_data_are_said_and_not_taken_for_the_same(copy: Path):
    for record in copy.glob("trials/*/record.json"):
        value = json.loads(record.read_text())
        record.write_text(json.dumps(value | {"data": "f" * 64}))
    status, found = checked(copy)
    assert status == 1
    assert all("the data here have fingerprint" in trial["unchecked"] for trial in found["trials"])


@pytest.mark.parametrize(
    "name", ["../out.txt", "/tmp/out.txt", "a/../../out.txt", "C:/out.txt", "a\\..\\out.txt"]
)
def test_a_zip_cannot_write_outside_of_its_folder(tmp_path: Path, name: str):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(zipfile.ZipInfo(name), "x")
    with pytest.raises(BundleError, match="is not a name inside a bundle"), opened(path):
        pass


def test_a_manifest_cannot_name_a_folder_outside(copy: Path):
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["trials"][0]["folder"] = "../elsewhere"
    (copy / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="is not a name inside a bundle"), opened(copy):
        pass


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}', '{"schema": 9, "trials": [], "files": {}}'])
def test_what_is_no_manifest_is_one_line(tmp_path: Path, text: str):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(BundleError) as refused, opened(tmp_path):
        pass
    assert "\n" not in str(refused.value)


def test_a_file_that_is_neither_folder_nor_zip_is_refused(tmp_path: Path):
    (tmp_path / "x").write_text("x")
    with pytest.raises(BundleError, match="neither a folder nor a zip"), opened(tmp_path / "x"):
        pass


def test_nothing_is_written_over(tmp_path: Path, bench: str):
    with pytest.raises(UsageError, match="exists already"):
        write_bundle(load(bench), [], tmp_path)


def test_a_trial_without_its_files_is_not_bundled(synthetic: Synthetic, tmp_path: Path):
    synthetic.trial()
    results = load(synthetic.uri)
    with pytest.raises(TrackingError, match=r"predictions\.parquet is gone"):
        write_bundle(results, boards(results), tmp_path / "b")


def test_merging_a_bundle_and_its_store_counts_equal_fingerprints_once(
    packed: Path, bench: str, tmp_path: Path
):
    target = f"sqlite:///{tmp_path / 'mlflow.db'}"
    told = CliRunner().invoke(merge, [str(packed), bench, "--store", target])
    assert told.exit_code == 0, told.output
    assert "3 trials added, 0 known already" in told.output
    assert "0 trials added, 3 known already" in told.output
    there, here = ({(t.label, t.seed): t.metrics for t in load(uri).trials} for uri in (target, bench))
    assert there == here
    assert boards(load(target))[0].standings.pairs == boards(load(bench))[0].standings.pairs


def test_the_order_of_sources_changes_nothing(packed: Path, bench: str, tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert join(store, of_store(load(bench))).added == 3
    with opened(packed) as found:
        assert join(store, of_bundle(found)).added == 0


def test_a_damaged_bundle_is_not_merged(copy: Path, tmp_path: Path):
    (copy / "environment.json").write_text("{}")
    with opened(copy) as found, pytest.raises(BundleError, match="nothing was merged"):
        join(Store(f"sqlite:///{tmp_path / 'mlflow.db'}"), list(of_bundle(found)))
