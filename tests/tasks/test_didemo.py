"""DiDeMo's published files: what is read from them, and what damaged ones say."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelbench.data import Clip
from reelbench.dataset import Dataset
from reelbench.errors import DatasetError, FeatureError
from reelbench.predictions import Predictions
from reelbench.tasks.datasets.didemo import DidemoSource
from reelbench.tasks.datasets.didemo_files import FILES, frames_to_chunks, tokens
from reelbench.tasks.localization import Localization

task = Localization()
OFFICIAL = {
    "annotation_id": 7,
    "video": "1@N0_2.mov",
    "description": "A dog's tail; wags.",
    "num_segments": 5,
    "times": [[0, 0], [0, 1]],
}
TRAIN = {
    "v": {
        "duration": 30.0,
        "feature_leng": 900,
        "times": [[0, 149], [149, 449]],
        "description": ["a", "b"],
        "num_segments": 6,
    }
}


@pytest.fixture(scope="module")
def didemo(shared: Path) -> Dataset:
    return DidemoSource().open("", data_dir=shared / "data", cache_dir=shared)


def write(folder: Path, **contents: Any) -> Path:
    """A data folder with tiny files, some of them replaced."""
    root = folder / "didemo"
    root.mkdir()
    for split, (name, _) in FILES.items():
        content = contents.get(split, TRAIN if split == "train" else [OFFICIAL])
        (root / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def opened(data_dir: Path) -> Dataset:
    return DidemoSource().open("", data_dir=data_dir, cache_dir=data_dir)


def test_the_train_prior_gives_the_published_baseline_on_test(didemo: Dataset) -> None:
    counts = Counter(tuple(example.targets["segments"][0]) for example in didemo.relation("segments"))
    evaluation = didemo.evaluation("localization", "candidates", "test")
    prior = sorted(evaluation.examples[0]["candidates"].tolist(), key=lambda s: -counts[tuple(s)])
    _, values = task.score(Predictions(evaluation.ids, {"segments": [prior] * 4021}), evaluation)
    assert {name: round(100 * value, 2) for name, value in values.items()} == {
        "rank_at_1": 19.40,
        "rank_at_5": 66.38,
        "miou": 25.42,
    }


def test_training_moments_are_counted_as_in_the_derived_table(didemo: Dataset, shared: Path) -> None:
    table = json.loads((shared / "data/didemo/train_moment_counts_derived.json").read_text())["counts"]
    found = Counter(tuple(e.targets["segments"][0]) for e in didemo.relation("segments"))
    assert found == {(5.0 * first, 5.0 * (last + 1)): n for (first, last), n in table}


@pytest.mark.parametrize(
    ("split", "rank_at_1", "miou"), [("test", 74.76, 96.05), ("validation", 74.81, 96.04)]
)
def test_the_annotators_disagreement_is_a_ceiling(
    didemo: Dataset, split: str, rank_at_1: float, miou: float
) -> None:
    evaluation = didemo.evaluation("localization", "candidates", split)
    _, values = task.score(task.ceilings(evaluation)["annotators"], evaluation)
    assert [round(100 * values[k], 2) for k in ("rank_at_1", "rank_at_5", "miou")] == [rank_at_1, 100.0, miou]


def test_sizes_are_those_of_the_release_and_splits_share_no_video(didemo: Dataset) -> None:
    sets = {split: didemo.evaluation("localization", "candidates", split) for split in ("validation", "test")}
    assert [len(s.ids) for s in sets.values()] == [4180, 4021]
    videos = [set(s.clusters.values()) for s in sets.values()] + [
        {e["video"].video for e in didemo.relation("segments")}
    ]
    assert [len(v) for v in videos] == [1065, 1004, 8395]
    assert not any(a & b for a, b in combinations(videos, 2))


def test_an_evaluation_hides_its_answers(didemo: Dataset) -> None:
    evaluation = didemo.evaluation("localization", "candidates", "test")
    assert all(
        example.targets is None and "segments" not in example.fields for example in evaluation.examples
    )
    assert evaluation.examples[0].fields.keys() == task.inputs.keys()
    assert evaluation.examples[0]["candidates"].shape == (21, 2)


def test_tiny_files_are_read_as_they_are(tmp_path: Path) -> None:
    dataset = opened(write(tmp_path))
    first, second = dataset.relation("segments")
    assert (first.id, first["video"], first.targets["segments"].tolist()) == (
        "v/0",
        Clip("v", 0.0, 30.0),
        [[0.0, 5.0]],
    )
    assert second.targets["segments"].tolist() == [[5.0, 15.0]]
    (query,) = dataset.evaluation("localization", "candidates", "test").examples
    assert (query.id, query["video"], query["query"]) == (
        "7",
        Clip("1@N0_2", 0.0, 25.0),
        ("a", "dog's", "tail", "wags"),
    )


@pytest.mark.parametrize(
    ("frames", "chunks"),
    [
        ((299, 448), (2, 2)),
        ((124, 499), (1, 2)),
        ((748, 810), (5, 5)),
        ((900, 1200), (5, 5)),
        ((0, 0), (0, 0)),
    ],
)
def test_frames_become_at_least_one_chunk_within_six(
    frames: tuple[int, int], chunks: tuple[int, int]
) -> None:
    assert frames_to_chunks(*frames, 29.93) == chunks


def test_words_are_lower_case_letters_digits_and_apostrophes() -> None:
    assert tokens("White 18-wheeler, it's HERE.") == ("white", "18", "wheeler", "it's", "here")


def test_the_fingerprint_follows_every_file(tmp_path: Path) -> None:
    prints = {opened(write(tmp_path)).fingerprint}
    for name, _ in FILES.values():
        path = tmp_path / "didemo" / name
        path.write_text(path.read_text() + " ")
        prints.add(opened(tmp_path).fingerprint)
    assert len(prints) == 4


def test_without_a_feature_store_there_are_no_features(tmp_path: Path) -> None:
    dataset = opened(write(tmp_path))
    assert dataset.features == {}
    with pytest.raises(FeatureError, match="dataset 'didemo' has no features"):
        dataset.read("rgb", Clip("v"))


def test_a_feature_store_beside_the_annotations_is_read(tmp_path: Path) -> None:
    from reelbench.data import FeatureSpec
    from reelbench.features import FeatureWriter

    rows = np.arange(12, dtype=np.float16).reshape(6, 2)
    writer = FeatureWriter(write(tmp_path) / "didemo" / "features", {"rgb": FeatureSpec("rgb", (2,), 1 / 5)})
    writer.add("rgb", "v", rows)
    writer.finish()
    dataset = opened(tmp_path)
    assert list(dataset.features) == ["rgb"]
    assert dataset.read("rgb", Clip("v", 5.0, 15.0)).tolist() == rows[1:3].tolist()


@pytest.mark.parametrize("split", FILES)
def test_a_missing_file_is_named_with_its_source(tmp_path: Path, split: str) -> None:
    name, url = FILES[split]
    (write(tmp_path) / "didemo" / name).unlink()
    with pytest.raises(DatasetError, match=f"{name} is missing; get it from {url}"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"times": [[0, 6]]},
            r"entry 0 \(annotation_id 7\): times has \[0, 6\], expected two chunks from 0 to 5 in order",
        ),
        ({"times": [[2, 1]]}, r"times has \[2, 1\]"),
        ({"times": [3]}, "times has 3"),
        ({"times": []}, "nobody marked a moment"),
        ({"video": None}, "entry 0: 'video' is None"),
    ],
)
def test_a_damaged_official_entry_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=f"test_data.json: .*{message}"):
        opened(write(tmp_path, test=[{**OFFICIAL, **change}]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": [[0, 1]]}, "1 times for 2 descriptions"),
        ({"duration": 0}, "duration and feature_leng must be above 0"),
        ({"times": [[0, 1], [0, "x"]]}, r"times has \[0, 'x'\], expected two frames"),
        ({"feature_leng": "900"}, "'feature_leng' is '900'"),
    ],
)
def test_a_damaged_training_entry_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=f"train_data_bwzhang.json: video 'v': {message}"):
        opened(write(tmp_path, train={"v": {**TRAIN["v"], **change}}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"annotation_id": 1', r"is not valid JSON \(.*line 1 column"),
        ({}, "expected a list of annotated sentences"),
        ([3], "entry 0 is not an object"),
        ([{"annotation_id": 1}], "entry 0: 'video' is missing"),
        ([OFFICIAL, OFFICIAL], "entry 1 repeats annotation_id 7"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        opened(write(tmp_path, validation=content))
    assert "\n" not in str(caught.value)


def test_a_truncated_copy_of_the_release_is_noticed(shared: Path, tmp_path: Path) -> None:
    root = tmp_path / "didemo"
    shutil.copytree(shared / "data" / "didemo", root)
    (root / "test_data.json").chmod(0o644)
    root.chmod(0o755)
    whole = (root / "test_data.json").read_bytes()
    (root / "test_data.json").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"test_data.json is not valid JSON"):
        opened(tmp_path)


def test_names_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    dataset = opened(write(tmp_path))
    with pytest.raises(DatasetError, match="has no relation 'segments' in split 'test'"):
        dataset.relation("segments", "test")
    with pytest.raises(DatasetError, match="has no localization:spans on split 'test'"):
        dataset.evaluation("localization", "spans", "test")
    with pytest.raises(DatasetError, match="needs a data folder; pass --data or set REELBENCH_DATA"):
        DidemoSource().open("", data_dir=None, cache_dir=tmp_path)
    with pytest.raises(DatasetError, match="has no sizes"):
        DidemoSource().open("small", data_dir=tmp_path, cache_dir=tmp_path)
