"""Opens a bundle that somebody else made: nothing in it is trusted."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reelbench.errors import ReelbenchError
from reelbench.reports.bundles.packing import MANIFEST, SCHEMA, file_digest

SIZE_LIMIT = 16 << 30
MEMBER_LIMIT = 200_000
MANIFEST_LIMIT = 256 << 20


class BundleError(ReelbenchError):
    """A bundle that cannot be read, or is not what it says."""

    exit_code = 8


@dataclass(frozen=True)
class Bundle:
    """An opened bundle.

    Attributes
    ----------
    damaged
        A line for each file that is missing, altered, or not in the manifest.
    """

    folder: Path
    manifest: dict[str, Any]
    damaged: tuple[str, ...]


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """A bundle's folder, extracted if it is a zip.

    Raises
    ------
    BundleError
        If it is no bundle, or a member's name leads out of it.
    """
    if path.is_dir():
        yield _read(path)
        return
    if not zipfile.is_zipfile(path):
        raise BundleError(f"{path}: neither a folder nor a zip file")
    with tempfile.TemporaryDirectory() as spare:
        _extract(path, Path(spare))
        yield _read(Path(spare))


def _extract(path: Path, into: Path) -> None:
    with zipfile.ZipFile(path) as file:
        members = file.infolist()
        if len(members) > MEMBER_LIMIT or sum(m.file_size for m in members) > SIZE_LIMIT:
            raise BundleError(f"{path}: holds more than {MEMBER_LIMIT} files or {SIZE_LIMIT >> 30} GiB")
        for member in members:
            if member.is_dir():
                continue
            target = into / _inside(member.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            with file.open(member) as source, target.open("wb") as out:
                _copy(source, out, member.file_size, member.filename)


def _copy(source: Any, out: Any, size: int, name: str) -> None:
    """Copy what a member declares to hold and not a byte more."""
    left = size + 1
    while left > 0 and (block := source.read(min(1 << 20, left))):
        out.write(block)
        left -= len(block)
    if left <= 0:
        raise BundleError(f"{name}: larger than it says")


def _inside(name: str) -> Path:
    parts = PurePosixPath(name)
    if (
        parts.is_absolute()
        or not parts.parts
        or any(p in ("..", "") or "\\" in p or ":" in p for p in parts.parts)
    ):
        raise BundleError(f"{name!r} is not a name inside a bundle")
    return Path(*parts.parts)


def _read(folder: Path) -> Bundle:
    path = folder / MANIFEST
    if not path.is_file() or path.stat().st_size > MANIFEST_LIMIT:
        raise BundleError(f"{folder}: no bundle ({MANIFEST} is missing or too large)")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        files, trials = dict(manifest["files"]), list(manifest["trials"])
        places = [str(_inside(str(trial["folder"]))) for trial in trials]
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: not a bundle's manifest ({error})") from None
    if manifest.get("schema") != SCHEMA:
        raise BundleError(f"{path}: schema {manifest.get('schema')!r}, this reelbench reads {SCHEMA}")
    if any(not (folder / place).is_dir() for place in places):
        raise BundleError(f"{path}: lists a trial whose folder is missing")
    return Bundle(folder, manifest, tuple(_damage(folder, files)))


def _damage(folder: Path, files: dict[str, str]) -> Iterator[str]:
    for name, digest in sorted(files.items()):
        path = folder / _inside(name)
        if not path.is_file() or path.is_symlink():
            yield f"{name} is missing"
        elif file_digest(path) != digest:
            yield f"{name} was altered"
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    yield from (f"{name} is not in the manifest" for name in sorted(there - files.keys() - {MANIFEST}))
