"""Bundles: what another lab can check, what it must notice, and what a hostile one may not do."""

from __future__ import annotations

import json
import re
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from bundled import checked, problems, replaced, rewritten, rewritten_manifest
from click.testing import CliRunner
from safetensors.numpy import load_file, save
from synthetic import HOSTILE, Synthetic

from reelbench.errors import TrackingError, UsageError
from reelbench.reports.bundles.command import merge, verify
from reelbench.reports.bundles.merging import MergeError, of_bundle
from reelbench.reports.bundles.merging import merge as join
from reelbench.reports.bundles.opening import BundleError, opened
from reelbench.reports.bundles.packing import MANIFEST, file_digest, write_bundle
from reelbench.reports.formats.structured import table_object
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards
from reelbench.tracking.store import Store

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


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
    record = copy / "trials/0000/record.json"
    record.write_text(record.read_text().replace('"accuracy": 0.', '"accuracy": 1.'))
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["files"]["trials/0000/record.json"] = file_digest(record)
    (copy / MANIFEST).write_text(json.dumps(manifest))
    status, found = checked(copy)
    assert (status, found["damaged"]) == (1, [])
    assert any("the record says 1." in line for trial in found["trials"] for line in trial["problems"])


def test_metrics_of_the_run_that_differ_from_the_record_are_noticed(copy: Path):
    rewritten(copy / "trials/0000/trial.json", lambda t: t["metrics"].update(accuracy=0.9))
    (line,) = problems(copy)
    assert line.startswith("accuracy is 0.")
    assert line.endswith("trial.json says 0.9")


@pytest.mark.parametrize(
    ("tag", "value"),
    [("benchmark", "a@b:c"), ("label", "x"), ("seed", "9"), ("role", "method"), ("fingerprint.score", "0"), ("split", "val")],
)  # fmt: skip
def test_a_tag_that_differs_from_the_manifest_is_noticed(copy: Path, tag: str, value: str):
    rewritten(copy / "trials/0000/trial.json", lambda t: t["tags"].update({f"rb.{tag}": value}))
    (line,) = problems(copy)
    assert line.startswith(f"its tag rb.{tag} is {value!r}, expected ")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("split", "val", "split is 'val' in the record, expected 'test'"),
        ("label", "x", "label is 'x' in the record"),
        ("fingerprint", "0", "the record has another fingerprint than the manifest"),
        ("clusters", 4000, "the record's clusters are not those of the test set"),
        ("clusters_digest", "0", "the record's clusters are not those of the test set"),
        ("predictions_digest", "0", "the predictions are not those that were scored"),
    ],
)
def test_a_record_that_differs_is_noticed(copy: Path, name: str, value: object, why: str):
    rewritten(copy / "trials/0000/record.json", lambda r: r.update({name: value}))
    (line,) = problems(copy)
    assert line.startswith(why)


def test_replicates_that_the_predictions_do_not_give_are_noticed(copy: Path):
    path = copy / "trials/0000/sheet/replicates.safetensors"
    drawn = load_file(path)["accuracy"]
    replaced(path, save({"accuracy": drawn * np.float32(0.999)}))
    assert problems(copy) == ["the replicates of accuracy are not what the predictions give"]
    replaced(path, save({"accuracy": drawn[:100]}))
    assert problems(copy) == ["the replicates of accuracy are not what the predictions give"]
    replaced(path, save({"accuracy": np.nextafter(drawn, np.float32(9))}))
    assert checked(copy)[0] == 0  # what another machine's last digit may be


def test_a_score_sheet_that_the_predictions_do_not_give_is_noticed(copy: Path):
    path = copy / "trials/0000/sheet/sheet.safetensors"
    arrays = load_file(path)
    name = next(n for n in arrays if n.startswith("columns/"))
    replaced(path, save(arrays | {name: 1 - arrays[name]}))
    (line,) = problems(copy)
    assert (
        line == f"the score sheet's column {name.removeprefix('columns/')!r} is not what the predictions give"
    )


def test_a_record_without_data_is_said_to_be_unchecked(copy: Path):
    for trial in copy.glob("trials/*"):
        rewritten(trial / "record.json", lambda r: r.pop("data"))
    rewritten_manifest(copy, lambda m: [line.update(data="") for line in m["trials"]])
    status, found = checked(copy)
    assert status == 1
    assert {t["unchecked"] for t in found["trials"]} == {
        "unchecked: the record does not say which data were scored"
    }


DEEP = b"[" * 100_000


@pytest.mark.parametrize("name", ["record.json", "trial.json"])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (DEEP, "nested too deeply"),
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[]", "holds a list, expected an object"),
        (b'{"tags": {}, "started_ms": 1}', "has no metrics"),
        (b'{"tags": {}, "started_ms": 1, "metrics": {"a": "1"}}', "'a' is no number"),
        (b'{"tags": {}, "started_ms": 1, "metrics": {"a": 1' + b"0" * 400 + b"}}", "'a' is no number"),
    ],
    ids=["deep", "cut", "bytes", "list", "bare", "text", "huge"],
)
def test_a_broken_trial_is_one_line_to_verify_and_to_merge(
    copy: Path, tmp_path: Path, name: str, content: bytes, why: str
):
    replaced(copy / "trials/0000" / name, content)
    (line,) = problems(copy)
    assert why in line
    assert "\n" not in line
    with opened(copy) as found, pytest.raises(BundleError, match=re.escape(why)):
        list(of_bundle(found))


@pytest.mark.parametrize("name", ["seed", "label", "folder", "benchmark"])
def test_a_manifest_whose_trial_lacks_a_name_is_refused(copy: Path, name: str):
    rewritten_manifest(copy, lambda m: m["trials"][1].pop(name))
    with pytest.raises(BundleError, match=f"trial 2 has no {name}"), opened(copy):
        pass


def test_files_that_cannot_be_read_are_problems_of_their_trial(copy: Path):
    replaced(copy / "trials/0000/sheet/replicates.safetensors", b"x")
    replaced(copy / "trials/0001/predictions/predictions.json", b"{}")
    replaced(copy / "trials/0002/sheet/sheet.json", DEEP)
    first, second, third = problems(copy)
    assert "replicates cannot be read" in first
    assert "predictions cannot be read" in second
    assert "score sheet cannot be read" in third


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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"schema": 1, "trials": [7], "files": {}}',
        '{"schema": 1}',
        '{"schema": 9, "trials": [], "files": {}}',
    ],
)
def test_what_is_no_manifest_is_one_line(tmp_path: Path, text: str):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(BundleError) as refused, opened(tmp_path):
        pass
    assert "\n" not in str(refused.value)


def test_a_file_that_is_neither_folder_nor_zip_is_refused(tmp_path: Path):
    (tmp_path / "x").write_text("x")
    with pytest.raises(BundleError, match="neither a folder nor a zip"), opened(tmp_path / "x"):
        pass


def test_a_zip_that_is_cut_short_inside_is_refused(packed: Path, tmp_path: Path):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(packed / MANIFEST, MANIFEST)
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes(100) + whole[300:])
    with pytest.raises(BundleError, match="not a readable zip file"), opened(path):
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
    told, wanted = (table_object(boards(load(uri))[0].table) for uri in (target, bench))
    assert told == wanted
    assert [row["seeds"] for row in told["rows"]] == [[0], [0, 1]]


def test_a_damaged_bundle_is_not_merged(copy: Path, tmp_path: Path):
    (copy / "environment.json").write_text("{}")
    with opened(copy) as found, pytest.raises(BundleError, match="nothing was merged"):
        join(Store(f"sqlite:///{tmp_path / 'mlflow.db'}"), list(of_bundle(found)))


def test_a_bundle_that_contradicts_itself_is_not_merged(copy: Path, tmp_path: Path):
    rewritten(copy / "trials/0001/trial.json", lambda t: t["metrics"].update(accuracy=0.9))
    store = Store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    with opened(copy) as found, pytest.raises(BundleError, match=r"accuracy is 0\..*nothing was merged"):
        join(store, of_bundle(found))
    assert not [name for name in store.experiments() if "@" in name]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_metrics_that_are_not_finite_are_not_merged(copy: Path, tmp_path: Path, value: float):
    for name in ("record.json", "trial.json"):
        rewritten(copy / "trials/0002" / name, lambda t: t["metrics"].update(accuracy=value))
    store = Store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    with opened(copy) as found, pytest.raises(MergeError, match=r"accuracy is (nan|inf); nothing was merged"):
        join(store, of_bundle(found))
    assert not [name for name in store.experiments() if "@" in name]


def test_a_run_from_the_future_is_of_now(copy: Path, tmp_path: Path):
    rewritten(copy / "trials/0000/trial.json", lambda t: t.update(started_ms=10**15))
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with opened(copy) as found:
        join(Store(uri), of_bundle(found))
    assert max(t.started_ms for t in load(uri).trials) <= time.time() * 1000


def test_what_a_bundle_holds_cannot_drive_the_terminal(copy: Path, tmp_path: Path):
    rewritten_manifest(copy, lambda m: m["trials"][0].update(label=HOSTILE))
    (copy / "\x1b[2Jx\n\u202ey").write_text("x")
    told = CliRunner().invoke(verify, [str(copy)], standalone_mode=False)
    assert "⟨U+001B⟩[31mred" in told.output
    assert "⟨U+001B⟩[2Jx" in told.output
    assert not UNSEEN.search(told.output)
    named = Path(shutil.copytree(copy, tmp_path / "\x1b[2J"))
    (named / "\x1b[2Jx\n\u202ey").unlink()
    for name in ("manifest", "trial.json", "record.json"):
        if name == "manifest":
            rewritten_manifest(named, lambda m: m["trials"][0].update(label="x"))
        elif name == "trial.json":
            rewritten(named / "trials/0000" / name, lambda t: t["tags"].update({"rb.label": "x"}))
        else:
            rewritten(named / "trials/0000" / name, lambda r: r.update(label="x"))
    told = CliRunner().invoke(merge, [str(named), "--store", f"sqlite:///{tmp_path / 'mlflow.db'}"])
    assert "⟨U+001B⟩[2J: 3 trials added" in told.output
    assert not UNSEEN.search(told.output)
