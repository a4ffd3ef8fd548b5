"""Reading a feature store: clips in seconds become rows of a mapped array."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from reelbench.data import Clip, FeatureSpec
from reelbench.errors import FeatureError
from reelbench.features.manifest import Manifest, check_size, hash_file
from reelbench.features.shard import Shard


class FeatureStore:
    """An opened store.

    Parameters
    ----------
    root
        The folder that holds ``manifest.json``.
    memory_cap_bytes
        Files are read whole into memory, rather than mapped, when the store is no longer than this.

    Raises
    ------
    FeatureError
        If a file is missing or not as long as the manifest says. Content is checked by :meth:`verify`.
    """

    def __init__(self, root: Path, *, memory_cap_bytes: int = 0) -> None:
        self.root = Path(root)
        self.manifest = Manifest.load(self.root)
        for name, record in self.manifest.files.items():
            if problem := check_size(self.root, name, record):
                raise FeatureError(problem)
        self.in_memory = self.bytes <= memory_cap_bytes
        self._opened: dict[str, dict[str, Shard]] = {}

    @property
    def specs(self) -> Mapping[str, FeatureSpec]:
        """Modality → its shape and rate."""
        return self.manifest.specs

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(record.bytes for record in self.manifest.files.values())

    def keys(self, modality: str) -> list[str]:
        """Ids of the videos (or tracks) that have a modality."""
        return list(self._shards(modality))

    def whole(self, modality: str, key: str) -> NDArray[Any]:
        """All rows of a video: ``(T, *shape)``, a read-only view."""
        shards = self._shards(modality)
        if key not in shards:
            raise FeatureError(f"{self.root}: no {modality!r} features of {key!r}")
        return shards[key][key]

    def read(self, modality: str, clip: Clip) -> NDArray[Any]:
        """Rows of a clip: ``(T, *shape)`` with ``T >= 1``, a read-only view."""
        rows = self.whole(modality, clip.video)
        first, last = clip_rows(clip, self.specs[modality].rate_hz, len(rows))
        return rows[first:last]

    def verify(self) -> None:
        """Hash every file.

        Raises
        ------
        FeatureError
            Naming the first file that is not what was written.
        """
        for name, record in self.manifest.files.items():
            if problem := check_size(self.root, name, record):
                raise FeatureError(problem)
            if hash_file(self.root / name) != record.sha256:
                raise FeatureError(
                    f"{self.root / name}: feature file was altered (its SHA-256 is not the manifest's)"
                )

    def _shards(self, modality: str) -> dict[str, Shard]:
        if modality not in self._opened:
            if modality not in self.specs:
                known = ", ".join(sorted(self.specs))
                raise FeatureError(f"{self.root}: no modality {modality!r}; there are: {known}")
            self._opened[modality] = self._open(modality)
        return self._opened[modality]

    def _open(self, modality: str) -> dict[str, Shard]:
        spec = self.specs[modality]
        names = self.manifest.files_of(modality)
        shards = (Shard(self.root / name, spec, in_memory=self.in_memory) for name in names)
        return {key: shard for shard in shards for key in shard.keys}


def clip_rows(clip: Clip, rate_hz: float, rows: int) -> tuple[int, int]:
    """First and last row (exclusive) of a clip: rounded to rows, inside the video, at least one.

    >>> clip_rows(Clip("v", 1.0, 2.5), 4.0, 120)
    (4, 10)
    """
    first = min(max(math.floor(clip.start_s * rate_hz + 0.5), 0), rows - 1)
    end = rows if clip.end_s is None else math.floor(clip.end_s * rate_hz + 0.5)
    return first, min(max(end, first + 1), rows)
