from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from worlds import TINY

from reelbench.data import Clip, Example, Field
from reelbench.errors import DatasetError, UnknownNameError
from reelbench.tasks.datasets.microworld.benchmarks import BENCHMARKS, RELATIONS
from reelbench.tasks.datasets.microworld.dataset import Microworld
from reelbench.tasks.datasets.microworld.shards import generate, list_shards
from reelbench.tasks.datasets.microworld.sizes import SIZES, Corpus, MicroworldSize, parse_path
from reelbench.tasks.reconstruction import INPUTS
from reelbench.tasks.registration import reelbench_tasks

HERE = Path(__file__).parent
BY_NAME = {task.name: task for task in reelbench_tasks()}
TABLES = [(name, split) for name, splits in RELATIONS.items() for split in splits]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Microworld:
    return Microworld(TINY, tmp_path_factory.mktemp("tiny"), processes=1)


def digests(root: Path) -> dict[str, str]:
    """Name → SHA-256 of every file that a reader reads."""
    paths = [*root.glob("*.safetensors"), *root.glob("*.json")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_same_seed_gives_the_same_bytes_in_one_process_and_in_two_and_with_other_threads(
    tiny: Microworld, tmp_path: Path
) -> None:
    generate(TINY, tmp_path / "two", processes=2)
    assert digests(tmp_path / "two") == digests(tiny.root)
    code = (
        "import sys; from pathlib import Path; from worlds import TINY\n"
        "from reelbench.tasks.datasets.microworld.shards import generate\n"
        "generate(TINY, Path(sys.argv[1]), processes=1)"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "threads")], check=True, env=environment, cwd=HERE
    )
    assert digests(tmp_path / "threads") == digests(tiny.root)


def test_another_draw_is_another_world(tmp_path: Path, tiny: Microworld) -> None:
    other = Microworld(dataclasses.replace(TINY, draw=2), tmp_path, processes=1)
    assert other.name == "microworld/tiny/draw2"
    assert other.fingerprint != tiny.fingerprint
    assert not {s.id for s in other.stories("train")} & {s.id for s in tiny.stories("train")}


def test_a_killed_generation_goes_on_where_it_stopped(tmp_path: Path) -> None:
    corpus = Corpus("killed", MicroworldSize(train=55, validation=5, test=5, unlabelled=5, text=5))
    sizes = ", ".join(str(n) for n in (55, 5, 5, 5, 5))
    code = (
        "import sys; from pathlib import Path; from reelbench.tasks.datasets.microworld.sizes import *\n"
        "from reelbench.tasks.datasets.microworld.shards import generate\n"
        f"generate(Corpus('killed', MicroworldSize({sizes})), Path(sys.argv[1]), processes=1)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    while not list((tmp_path / "parts").glob("*.json")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "parts").glob("*.json")}
    assert 0 < len(kept) < len(list_shards(corpus.stories))
    opened = Microworld(corpus, tmp_path, processes=1)
    opened.store.verify()
    assert all((tmp_path / "parts" / name).stat().st_mtime_ns == made for name, made in kept.items())


@pytest.mark.parametrize(
    "victim", ["motion-train-00000.safetensors", "annotations-text-00000.json", "manifest.json"]
)
def test_a_damaged_file_is_found_and_only_its_shard_made_again(tmp_path: Path, victim: str) -> None:
    corpus = Corpus("damaged", MicroworldSize(train=5, validation=5, test=5, unlabelled=5, text=5))
    before = Microworld(corpus, tmp_path, processes=1)
    path, other = tmp_path / victim, tmp_path / "motion-test-00000.safetensors"
    whole, untouched = path.read_bytes(), other.stat().st_mtime_ns
    path.write_bytes(whole[:-9])
    assert Microworld(corpus, tmp_path, processes=1).fingerprint == before.fingerprint
    assert path.read_bytes() == whole
    assert other.stat().st_mtime_ns == untouched


def test_two_processes_that_start_at_once_share_the_work(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from worlds import TINY\n"
        "from reelbench.tasks.datasets.microworld.dataset import Microworld\n"
        "Microworld(TINY, Path(sys.argv[1]), processes=1).store.verify()"
    )
    pair = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=HERE) for _ in range(2)]
    assert [process.wait() for process in pair] == [0, 0]


def test_generating_says_what_it_costs_beforehand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = Corpus("said", MicroworldSize(5, 5, 5, 5, 5))
    Microworld(corpus, tmp_path, processes=1)
    said = re.search(r"generating microworld/said \(about \d+ s, (\d+) MB\)", capsys.readouterr().err)
    assert said
    taken = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) / 1e6
    assert 0.7 * taken < int(said[1]) < 1.4 * taken
    Microworld(corpus, tmp_path, processes=1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("", "microworld/small"),
        ("smoke", "microworld/smoke"),
        ("small/draw1", "microworld/small"),
        ("small/draw3", "microworld/small/draw3"),
        ("small/no-gaze", "microworld/small/no-gaze"),
        ("small/draw2/no-audio", "microworld/small/no-audio/draw2"),
        ("small/stories200", "microworld/small/stories200"),
        ("small/stories600", "microworld/small"),
    ],
)
def test_a_path_names_size_stories_control_and_draw(path: str, name: str) -> None:
    assert parse_path(path).name == name


def test_a_size_nobody_knows_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown size of microworld 'smal'; did you mean 'small'"):
        parse_path("smal")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("small/no-gase", "unknown control world 'no-gase'; did you mean 'no-gaze'"),
        ("small/draw0", "unknown control world 'draw0'"),
        ("small/stories12", "families of 5; 'stories12' is no multiple"),
        ("small/no-gaze/no-audio", "'no-audio' is the second control world"),
        ("small/draw2/draw3", "'draw3' is the second draw"),
    ],
)
def test_a_part_that_cannot_be_is_said(path: str, line: str) -> None:
    with pytest.raises((DatasetError, UnknownNameError), match=line):
        parse_path(path)


def test_a_control_world_has_another_name_and_other_bytes(tmp_path: Path, tiny: Microworld) -> None:
    silent = Microworld(dataclasses.replace(TINY, control="no-audio"), tmp_path, processes=2)
    assert silent.name == "microworld/tiny/no-audio"
    assert silent.fingerprint != tiny.fingerprint
    words = {word for e in silent.relation("captions") for word in e["sentence"]}
    assert not words & {"sings", "shouts", "whistles"}


def test_listing_imports_neither_numpy_nor_torch() -> None:
    code = (
        "import sys; from reelbench.tasks.datasets.microworld.source import MicroworldSource\n"
        "assert MicroworldSource().list_benchmarks(); sys.exit('numpy' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_sizes_are_those_of_the_design() -> None:
    small = SIZES["small"]
    assert (small.train, small.validation, small.test) == (600, 80, 300)


@pytest.mark.parametrize(("name", "split"), TABLES)
def test_every_relation_holds_what_its_schema_says(tiny: Microworld, name: str, split: str) -> None:
    relation = tiny.relation(name, split)
    assert len({example.id for example in relation}) == len(relation) or not len(relation)
    for example in relation:
        check_fields(relation.schema, example)
    assert len(relation) or name == "gaze"


@pytest.mark.parametrize("spec", BENCHMARKS, ids=lambda spec: f"{spec.task}:{spec.protocol}")
def test_every_evaluation_set_has_the_inputs_of_its_task(tiny: Microworld, spec: Any) -> None:
    for split in spec.splits:
        evaluation = tiny.evaluation(spec.task, spec.protocol, split)
        assert evaluation.benchmark == f"{spec.task}@microworld/tiny:{spec.protocol}"
        assert set(evaluation.ids) == set(evaluation.targets) == set(evaluation.clusters)
        queries = {"query", "sentences"}
        for example in evaluation.examples:
            assert example.targets is None
            shown = {"retrieval": queries, "reconstruction": INPUTS.get(spec.protocol, ())}
            assert set(shown.get(spec.task, BY_NAME[spec.task].inputs)) <= set(example.fields)
        for example in evaluation.gallery:
            assert {"video", "segments"} <= set(example.fields)


def test_every_benchmark_has_its_task_and_protocol() -> None:
    for spec in BENCHMARKS:
        assert spec.protocol in BY_NAME[spec.task].protocols


def check_fields(schema: dict[str, Field], example: Example) -> None:
    values = {**example.fields, **(example.targets or {})}
    assert values.keys() == schema.keys()
    assert set(example.targets or {}) == {name for name, field in schema.items() if field.target}
    for name, field in schema.items():
        check_kind(field, values[name])
        if f"{name}_pos" in schema:
            check_text(values[name], values[f"{name}_pos"], values[f"{name}_head"])


def check_kind(field: Field, value: Any) -> None:
    many = value if isinstance(value, list) else [value]
    kinds = {"video": Clip, "text": tuple, "array": np.ndarray, "number": (int, float)}
    assert field.kind == "opaque" or all(isinstance(v, kinds[field.kind]) for v in many)


def check_text(value: Any, pos: Any, head: Any) -> None:
    texts = zip(value, pos, head, strict=True) if isinstance(value, list) else [(value, pos, head)]
    for words, tags, heads in texts:
        assert len(words) == len(tags) == len(heads) > 1
        assert all(word == word.lower() and " " not in word for word in words)
        assert heads.count(-1) >= 1
        assert all(-1 <= h < len(words) for h in heads)


def test_clips_tracks_and_videos_can_be_read_in_every_modality(tiny: Microworld) -> None:
    example = tiny.relation("sets")[0]
    for name, spec in tiny.features.items():
        for clip in example["tracks"] if name.startswith("person_") else example["videos"]:
            rows = tiny.read(name, clip)
            assert rows.shape[1:] == spec.shape
            assert len(rows) >= 1
            assert rows.dtype == np.dtype(spec.dtype)
            assert np.isfinite(rows.astype(np.float32)).all()


def test_clips_cover_the_story_in_four_to_eight_seconds(tiny: Microworld) -> None:
    for example in tiny.relation("stories"):
        starts, ends = example["segments"].T
        assert (starts[0], ends[-1]) == (0.0, 30.0)
        np.testing.assert_array_equal(starts[1:], ends[:-1])
        assert ((ends - starts >= 4) & (ends - starts <= 8)).all()


def test_localization_has_21_candidates_and_four_annotators_who_mostly_agree(tiny: Microworld) -> None:
    agree = []
    for example in tiny.relation("segments"):
        assert example["candidates"].shape == (21, 2)
        assert example.targets is not None
        segments = example.targets["segments"]
        assert segments.shape == (4, 2)
        rows = {tuple(row) for row in example["candidates"]}
        assert {tuple(row) for row in segments} <= rows
        agree.append(max(np.unique(segments, axis=0, return_counts=True)[1]))
    assert np.mean(agree) > 3


def test_choices_that_stand_together_are_each_right_for_one_clip(tiny: Microworld) -> None:
    right: dict[tuple[str, ...], int] = {}
    offered: dict[tuple[str, ...], int] = {}
    for example in tiny.relation("choices"):
        assert example.targets is not None
        assert len(set(example["choices"])) == len(example["choices"]) == 5
        for k, choice in enumerate(example["choices"]):
            offered[choice] = offered.get(choice, 0) + 1
            right[choice] = right.get(choice, 0) + (k == example.targets["answer"])
    assert len(right) > 10
    assert all(offered[choice] == 5 * right[choice] for choice in right)


def test_training_never_shows_an_action_that_is_called_unseen(tiny: Microworld) -> None:
    seen = {example.targets["label"] for example in tiny.relation("actions")}
    unseen = {t["label"] for t in tiny.evaluation("action_recognition", "unseen", "test").targets.values()}
    assert not seen & unseen


def test_a_relation_or_benchmark_that_is_not_there_is_named(tiny: Microworld) -> None:
    with pytest.raises(DatasetError, match="no relation 'captions' in split 'unlabelled'"):
        tiny.relation("captions", "unlabelled")
    with pytest.raises(DatasetError, match="no captioning:clip on split 'train'"):
        tiny.evaluation("captioning", "clip", "train")


def test_a_film_strip_shows_frames_side_by_side(tiny: Microworld) -> None:
    content = tiny.film_strip(tiny.relation("captions")[0]["video"], frames=4)
    assert content is not None
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.size) == ("JPEG", (4 * 84 + 3 * 2, 84))
    assert tiny.film_strip(Clip("nothing")) is None


def test_a_feature_file_is_as_large_as_its_films_are_long_and_so_says_no_more_than_lengths(
    tiny: Microworld,
) -> None:
    seconds: dict[str, float] = {}
    for split in ("train", "validation", "test", "unlabelled"):
        for story in tiny.stories(split):
            for rendering in story.renderings:
                seconds[story.id + rendering] = story.spans[-1][1]
                for track, clip, _ in story.content.get("tracks", {}).get(rendering, ()):
                    seconds[track] = story.spans[clip][1] - story.spans[clip][0]
    sizes: dict[tuple[str, float], set[int]] = {}
    for path in tiny.root.glob("*.safetensors"):
        with safe_open(path, "np") as file:
            held = {name: file.get_tensor(name).nbytes for name in file.keys()}  # noqa: SIM118 (no mapping)
        (header,) = struct.unpack("<Q", path.read_bytes()[:8])
        assert path.stat().st_size == 8 + header + sum(held.values())
        for name, size in held.items():
            sizes.setdefault((path.name.partition("-")[0], seconds[name]), set()).add(size)
    assert len(sizes) > 2 * len(tiny.features)
    assert all(len(found) == 1 for found in sizes.values())
