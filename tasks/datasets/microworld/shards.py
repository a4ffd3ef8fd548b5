"""Generation of a corpus shard by shard: in two processes when it pays, resumable, and safe when two start at once.

A shard is some stories of one split. Whoever holds a shard's lock makes it, and its part of the manifest is written
last, so a killed generation goes on where it stopped and two processes share the work. A file that is missing or of
the wrong length makes its shard undone again, and only that shard is made anew.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from reelbench.errors import DatasetError, FeatureError
from reelbench.features.manifest import FileRecord, Manifest, check_size
from reelbench.features.writer import replace_atomically, write_manifest, write_shard
from reelbench.tasks.datasets.microworld.sizes import Corpus, MicroworldSize

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANNOTATIONS = "annotations"
STORIES_PER_SHARD = 50
TEXTS_PER_SHARD = 600
WORTH_A_PROCESS = 3
"""Shards from which on a second process earns its start."""

Report = Callable[[int, int], None]
"""Called with the number of shards that are done and of all."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Stories ``first`` to ``last`` (exclusive) of a split."""

    split: str
    first: int
    last: int

    @property
    def name(self) -> str:
        """``train-00050``."""
        return f"{self.split}-{self.first:05d}"


def list_shards(stories: MicroworldSize) -> list[Shard]:
    """All shards of a corpus, the slow ones first."""
    counts = [(split, count, STORIES_PER_SHARD) for split, count in stories.filmed.items()]
    return [
        Shard(split, first, min(first + size, count))
        for split, count, size in [*counts, ("text", stories.text, TEXTS_PER_SHARD)]
        for first in range(0, count, size)
    ]


def generate(
    corpus: Corpus, root: Path, report: Report = lambda done, total: None, *, processes: int = 2
) -> Manifest:
    """Make what is missing of a corpus and return its manifest."""
    shards = list_shards(corpus.stories)
    missing = [shard for shard in shards if _part(root, shard) is None]
    assisted = processes > 1 and len(missing) >= WORTH_A_PROCESS
    with _assistant(corpus, root) if assisted else nullcontext():
        fill(corpus, root, shards, report)
    manifest = Manifest.merged(_finished(root, shard) for shard in shards)
    write_manifest(root, manifest)
    return manifest


def fill(corpus: Corpus, root: Path, shards: list[Shard], report: Report, *, wait: bool = True) -> None:
    """Make every shard that is neither done nor being made; then, if asked, wait for those that others make."""
    for blocking in (False, True)[: 1 + wait]:
        for shard in shards:
            _make_alone(corpus, root, shard, blocking=blocking)
            report(sum(_part_path(root, s).is_file() for s in shards), len(shards))


def _make_alone(corpus: Corpus, root: Path, shard: Shard, *, blocking: bool) -> None:
    if _part(root, shard) is not None:
        return
    folder = root / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{shard.name}.lock", blocking=blocking):
            if _part(root, shard) is None:
                _make(corpus, root, shard)
    except Timeout:
        return


def _make(corpus: Corpus, root: Path, shard: Shard) -> None:
    from reelbench.tasks.datasets.microworld.annotation import annotate, annotate_text
    from reelbench.tasks.datasets.microworld.film import FEATURE_SPECS, film

    stories = range(shard.first, shard.last)
    files: dict[str, FileRecord] = {}
    if shard.split == "text":
        records: list[object] = [annotate_text(corpus, index) for index in stories]
    else:
        records = [annotate(corpus, shard.split, index) for index in stories]
        arrays: dict[str, dict[str, NDArray[Any]]] = {modality: {} for modality in FEATURE_SPECS}
        for index in stories:
            for modality, of_story in film(corpus, shard.split, index).items():
                arrays[modality].update(of_story)
        for modality, spec in FEATURE_SPECS.items():
            name = f"{modality}-{shard.name}.safetensors"
            files[name] = write_shard(root, name, spec, arrays[modality])
    name = f"{ANNOTATIONS}-{shard.name}.json"
    files[name] = _write_records(root / name, records)
    with replace_atomically(_part_path(root, shard)) as path:
        path.write_text(Manifest(FEATURE_SPECS, files).dumps(), encoding="utf-8")


def _write_records(target: Path, records: list[object]) -> FileRecord:
    with replace_atomically(target) as path:
        path.write_text(json.dumps(records, separators=(",", ":")), encoding="utf-8")
        return FileRecord.of(path, ANNOTATIONS)


def _part_path(root: Path, shard: Shard) -> Path:
    return root / "parts" / f"{shard.name}.json"


def _part(root: Path, shard: Shard) -> Manifest | None:
    """A shard's part of the manifest, or ``None`` where it is not done or a file of it is damaged."""
    path = _part_path(root, shard)
    try:
        part = Manifest.loads(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError, FeatureError):
        return None
    return None if any(check_size(root, *item) for item in part.files.items()) else part


def _finished(root: Path, shard: Shard) -> Manifest:
    part = _part(root, shard)
    if part is None:
        raise DatasetError(
            f"{root}: shard {shard.name} was damaged while it was generated; is something else writing?"
        )
    return part


@contextmanager
def _assistant(corpus: Corpus, root: Path) -> Iterator[None]:
    """A second process that makes shards too, from the other end; ended with the block."""
    described = json.dumps(dataclasses.asdict(corpus))
    command = [sys.executable, "-m", f"{__package__}.assistant", str(root), described]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
