from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelbench.data import Clip, FeatureSpec
from reelbench.errors import FeatureError
from reelbench.features import FeatureStore, FeatureWriter
from reelbench.features.store import clip_rows

APPEARANCE = FeatureSpec("appearance", (3,), 4.0)
MAPS = FeatureSpec("spatial", (2, 2, 5), 2.0, "uint8")
SPECS = {"appearance": APPEARANCE, "spatial": MAPS}


def write(root: Path, lengths: dict[str, int]) -> dict[str, np.ndarray]:
    writer = FeatureWriter(root, SPECS)
    rng = np.random.default_rng(0)
    arrays = {video: rng.normal(size=(rows, 3)).astype(np.float16) for video, rows in lengths.items()}
    for video, array in arrays.items():
        writer.add("appearance", video, array)
        writer.add("spatial", video, np.full((len(array), 2, 2, 5), 7, np.uint8))
    writer.finish()
    return arrays


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, {"v1": 120, "v2": 3})
    return tmp_path


@settings(max_examples=20)
@given(lengths=st.dictionaries(st.text(min_size=1, max_size=8), st.integers(1, 9), min_size=1, max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, lengths: dict[str, int]) -> None:
    lengths.pop("__metadata__", None)
    root = tmp_path_factory.mktemp("store")
    arrays = write(root, lengths)
    store = FeatureStore(root)
    store.verify()
    assert set(store.keys("appearance")) == set(lengths)
    for video, array in arrays.items():
        np.testing.assert_array_equal(store.whole("appearance", video), array)


@given(
    start=st.floats(-2, 40),
    length=st.floats(-1, 40),
    rows=st.integers(1, 200),
    rate=st.sampled_from([0.5, 4.0]),
)
def test_a_clip_has_at_least_one_row_inside_its_video(
    start: float, length: float, rows: int, rate: float
) -> None:
    first, last = clip_rows(Clip("v", start, start + length), rate, rows)
    assert 0 <= first < last <= rows


def test_a_clip_is_cut_by_seconds_without_a_copy(root: Path) -> None:
    store = FeatureStore(root)
    rows = store.read("appearance", Clip("v1", 1.0, 3.0))
    assert rows.shape == (8, 3)
    assert np.shares_memory(rows, store.whole("appearance", "v1"))
    assert not rows.flags.writeable
    assert store.read("spatial", Clip("v2")).shape == (3, 2, 2, 5)


def test_a_store_under_the_cap_is_read_into_memory_and_equal(root: Path) -> None:
    mapped, loaded = FeatureStore(root), FeatureStore(root, memory_cap_bytes=10**6)
    assert loaded.in_memory
    assert not mapped.in_memory
    np.testing.assert_array_equal(mapped.whole("appearance", "v1"), loaded.whole("appearance", "v1"))


def test_a_truncated_file_is_refused_on_opening(root: Path) -> None:
    path = root / "appearance.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FeatureError, match=r"appearance\.safetensors: .*truncated .* bytes, expected"):
        FeatureStore(root)


def test_a_missing_file_is_refused_on_opening(root: Path) -> None:
    (root / "spatial.safetensors").unlink()
    with pytest.raises(FeatureError, match=r"spatial\.safetensors: feature file is missing"):
        FeatureStore(root)


def test_an_altered_file_is_found_by_verify(root: Path) -> None:
    path = root / "appearance.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(FeatureError, match=r"appearance\.safetensors: .*altered"):
        FeatureStore(root).verify()


def test_an_altered_header_is_one_line_and_reads_nothing(root: Path) -> None:
    path = root / "appearance.safetensors"
    content = bytearray(path.read_bytes())
    content[:8] = (2**63 - 1).to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(FeatureError, match="header claims"):
        FeatureStore(root).read("appearance", Clip("v1"))


def test_a_wrong_dimension_is_refused_by_the_writer_and_the_reader(root: Path) -> None:
    with pytest.raises(FeatureError, match=r"appearance features of 'v' are \(4, 2\) float16, expected"):
        FeatureWriter(root, SPECS).add("appearance", "v", np.zeros((4, 2), np.float16))
    manifest = (
        (root / "manifest.json").read_text().replace('"shape": [\n    3\n   ]', '"shape": [\n    4\n   ]')
    )
    (root / "manifest.json").write_text(manifest)
    with pytest.raises(FeatureError, match=r"expected \(T, 4\) float16"):
        FeatureStore(root).read("appearance", Clip("v1"))


@pytest.mark.parametrize(("modality", "video"), [("smell", "v1"), ("appearance", "v9")])
def test_an_unknown_modality_or_video_is_named(root: Path, modality: str, video: str) -> None:
    with pytest.raises(FeatureError, match=f"'{modality if modality == 'smell' else video}'"):
        FeatureStore(root).read(modality, Clip(video))


def test_a_manifest_cannot_name_files_outside_its_folder(root: Path) -> None:
    text = (root / "manifest.json").read_text().replace("appearance.safetensors", "../appearance.safetensors")
    (root / "manifest.json").write_text(text)
    with pytest.raises(FeatureError, match="leaves the store's folder"):
        FeatureStore(root)


def test_a_damaged_manifest_is_one_line(root: Path) -> None:
    (root / "manifest.json").write_text("[]")
    with pytest.raises(FeatureError, match="not a feature manifest"):
        FeatureStore(root)


def test_two_writers_at_once_leave_a_whole_store(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from pathlib import Path; from reelbench.data import FeatureSpec\n"
        "from reelbench.features import FeatureWriter\n"
        "spec = FeatureSpec('appearance', (3,), 4.0)\n"
        "for _ in range(30):\n"
        "    writer = FeatureWriter(Path(sys.argv[1]), {'appearance': spec})\n"
        "    writer.add('appearance', 'v', np.ones((500, 3), np.float16)); writer.finish()\n"
    )
    pair = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [process.wait() for process in pair] == [0, 0]
    FeatureStore(tmp_path).verify()
    assert not list(tmp_path.glob("*.part"))


def test_the_package_does_not_import_torch() -> None:
    code = "import sys, reelbench.features; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_page_about_the_store_is_true(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
