"""Writing a feature store: a shard is written under a temporary name and renamed, the manifest comes last.

Two processes that write the same store at once each finish whole files of their own, and the last rename wins, so a
reader never sees half a file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from reelbench.data import FeatureSpec
from reelbench.errors import FeatureError
from reelbench.features.manifest import MANIFEST_NAME, FileRecord, Manifest


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well, and goes when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    os.close(handle)
    try:
        yield Path(name)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def write_shard(root: Path, name: str, spec: FeatureSpec, arrays: Mapping[str, NDArray[Any]]) -> FileRecord:
    """Write one file of a modality, video id → ``(T, *shape)``.

    Raises
    ------
    FeatureError
        If an array has another shape or dtype than the spec says, or no rows.
    """
    for key, array in arrays.items():
        _check(key, array, spec)
    with replace_atomically(root / name) as path:
        save_file({key: np.ascontiguousarray(arrays[key]) for key in sorted(arrays)}, path)
        return FileRecord.of(path, spec.name)


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Write ``root/manifest.json``, after which the store can be opened."""
    with replace_atomically(root / MANIFEST_NAME) as path:
        path.write_text(manifest.dumps(), encoding="utf-8")


class FeatureWriter:
    """Collects arrays and writes a store of one shard a modality; larger ones call :func:`write_shard` themselves."""

    def __init__(self, root: Path, specs: Mapping[str, FeatureSpec]) -> None:
        self.root, self.specs = Path(root), dict(specs)
        self._arrays: dict[str, dict[str, NDArray[Any]]] = {name: {} for name in specs}

    def add(self, modality: str, key: str, array: NDArray[Any]) -> None:
        """Add the rows of one video; checked at once, so that the error points at who wrote them."""
        if modality not in self.specs:
            raise FeatureError(
                f"modality {modality!r} was not declared; there are: {', '.join(sorted(self.specs))}"
            )
        _check(key, array, self.specs[modality])
        self._arrays[modality][key] = array

    def finish(self) -> Manifest:
        """Write everything and return the manifest."""
        files = {
            f"{name}.safetensors": write_shard(self.root, f"{name}.safetensors", self.specs[name], arrays)
            for name, arrays in self._arrays.items()
        }
        manifest = Manifest(self.specs, files)
        write_manifest(self.root, manifest)
        return manifest


def _check(key: str, array: NDArray[Any], spec: FeatureSpec) -> None:
    if array.shape[1:] != spec.shape or array.dtype != np.dtype(spec.dtype) or not len(array):
        expected = f"(T >= 1, {', '.join(map(str, spec.shape))}) {spec.dtype}"
        raise FeatureError(
            f"{spec.name} features of {key!r} are {array.shape} {array.dtype}, expected {expected}"
        )
