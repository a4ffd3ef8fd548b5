"""The manifest of a feature store: which files it has, how long they are, what they hash to, what is in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reelbench.data import FeatureSpec
from reelbench.errors import FeatureError

MANIFEST_NAME = "manifest.json"
FORMAT = 1
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of the store: its modality, its length and its SHA-256."""

    modality: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path, modality: str) -> FileRecord:
        """Measure and hash a file on disk."""
        return cls(modality, path.stat().st_size, hash_file(path))


@dataclass(frozen=True)
class Manifest:
    """What a store holds: modality → spec, file name → record."""

    specs: Mapping[str, FeatureSpec]
    files: Mapping[str, FileRecord]

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the manifest's canonical text; equal for equal content."""
        return hashlib.sha256(self.dumps().encode()).hexdigest()

    def files_of(self, modality: str) -> list[str]:
        """Names of the files of one modality, in order."""
        return sorted(name for name, record in self.files.items() if record.modality == modality)

    def bytes_of(self, modality: str) -> int:
        """Bytes on disk of one modality."""
        return sum(self.files[name].bytes for name in self.files_of(modality))

    def dumps(self) -> str:
        """Canonical JSON: sorted keys, one line a file."""
        content = {
            "format": FORMAT,
            "modalities": {name: asdict(spec) for name, spec in self.specs.items()},
            "files": {name: asdict(record) for name, record in self.files.items()},
        }
        return json.dumps(content, sort_keys=True, indent=1)

    @classmethod
    def loads(cls, text: str, where: str) -> Manifest:
        """Parse what :meth:`dumps` wrote.

        Raises
        ------
        FeatureError
            If the text is not a manifest of this format.
        """
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise FeatureError(
                    f"{where}: feature manifest has format {content['format']!r}, expected {FORMAT}"
                )
            specs = {name: _spec(fields) for name, fields in content["modalities"].items()}
            files = {
                _plain_name(name, where): FileRecord(**fields) for name, fields in content["files"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FeatureError(f"{where}: not a feature manifest ({type(error).__name__}: {error})") from None
        return cls(specs, files)

    @classmethod
    def load(cls, root: Path) -> Manifest:
        """Read ``root/manifest.json``."""
        path = root / MANIFEST_NAME
        if not path.is_file():
            raise FeatureError(f"{path}: no feature manifest; the features are missing or were not finished")
        return cls.loads(path.read_text(encoding="utf-8"), str(path))

    @classmethod
    def merged(cls, parts: Iterable[Manifest]) -> Manifest:
        """One manifest of several shards' manifests."""
        specs: dict[str, FeatureSpec] = {}
        files: dict[str, FileRecord] = {}
        for part in parts:
            specs.update(part.specs)
            files.update(part.files)
        return cls(specs, files)


def hash_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def check_size(root: Path, name: str, record: FileRecord) -> str | None:
    """One line about a file that is missing or of the wrong length, or ``None``."""
    try:
        size = (root / name).stat().st_size
    except OSError:
        return f"{root / name}: feature file is missing"
    if size != record.bytes:
        return f"{root / name}: feature file is truncated or altered ({size} bytes, expected {record.bytes})"
    return None


def _spec(fields: Mapping[str, Any]) -> FeatureSpec:
    return FeatureSpec(**{**fields, "shape": tuple(fields["shape"])})


def _plain_name(name: str, where: str) -> str:
    if Path(name).name != name or name in {".", ".."}:
        raise FeatureError(f"{where}: file name {name!r} leaves the store's folder")
    return name
