"""Opens a bundle that somebody else made: nothing in it is trusted."""

from __future__ import annotations

import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reelbench.errors import ReelbenchError
from reelbench.reports.bundles.failing import Failed, fault
from reelbench.reports.bundles.packing import MANIFEST, SCHEMA, file_digest

SIZE_LIMIT = 16 << 30
MEMBER_LIMIT = 200_000
JSON_LIMIT = 256 << 20
NAME_LIMIT, PART_LIMIT = 1000, 255


class BundleError(ReelbenchError):
    """A bundle that cannot be read, or is not what it says."""

    exit_code = 8


@dataclass(frozen=True)
class Listed:
    """A trial as the manifest lists it; ``folder`` is where its files lie."""

    folder: Path
    benchmark: str
    label: str
    seed: int
    role: str
    fingerprint: str
    data: str


@dataclass(frozen=True)
class Bundle:
    """An opened bundle.

    Attributes
    ----------
    damaged
        A line for each file that is missing, altered, or not in the manifest.
    failures
        Seeds that failed; none in a bundle of a reelbench that did not list them.
    """

    folder: Path
    trials: tuple[Listed, ...]
    damaged: tuple[str, ...]
    failures: tuple[Failed, ...] = ()


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
        try:
            _extract(path, Path(spare))
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
        ) as error:  # encrypted: Runtime
            raise BundleError(f"{path}: not a readable zip file ({error})") from None
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
        or len(name) > NAME_LIMIT
        or any(
            p in ("..", "") or "\\" in p or ":" in p or len(p.encode(errors="replace")) > PART_LIMIT
            for p in parts.parts
        )
    ):
        raise BundleError(f"{name!r} is not a name inside a bundle")
    return Path(*parts.parts)


def _read(folder: Path) -> Bundle:
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder}: no bundle ({MANIFEST} is missing)")
    manifest = read_object(path)
    if manifest.get("schema") != SCHEMA:
        raise BundleError(f"{path}: schema {manifest.get('schema')!r}, this reelbench reads {SCHEMA}")
    files, trials = manifest.get("files"), manifest.get("trials")
    if not isinstance(files, dict) or not isinstance(trials, list):
        raise BundleError(f"{path}: not a bundle's manifest (it lists no files, or no trials)")
    listed = tuple(_listed(folder, number, line) for number, line in enumerate(trials, 1))
    failed = tuple(_failures(manifest.get("failures", [])))
    return Bundle(folder, listed, tuple(_damage(folder, files)), failed)


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object of a bundle.

    Raises
    ------
    BundleError
        If the file is missing, is not JSON, or holds something else.
    """
    name = "/".join(path.parts[-2:])
    try:
        if path.stat().st_size > JSON_LIMIT:
            raise BundleError(f"{name}: larger than {JSON_LIMIT >> 20} MiB")
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise BundleError(f"{name} is missing") from None
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else error
        raise BundleError(f"{name}: not valid JSON ({why})") from None
    if not isinstance(value, dict):
        raise BundleError(f"{name}: holds a {type(value).__name__}, expected an object")
    return value


def _failures(lines: Any) -> Iterator[Failed]:
    if not isinstance(lines, list):
        raise BundleError(f"{MANIFEST}: its failures are no list")
    for number, line in enumerate(lines, 1):
        if wrong := fault(line):
            raise BundleError(f"{MANIFEST}: failure {number} {wrong}")
        yield Failed(line["status"], line["started_ms"], line["tags"])


_WORDS = ("folder", "benchmark", "label", "role", "fingerprint", "data")


def _listed(folder: Path, number: int, line: Any) -> Listed:
    """A line of the manifest, checked."""
    if not isinstance(line, dict):
        raise BundleError(f"{MANIFEST}: trial {number} is a {type(line).__name__}, expected an object")
    for name in _WORDS:
        if not isinstance(line.get(name), str):
            raise BundleError(f"{MANIFEST}: trial {number} has no {name}")
    if not isinstance(line.get("seed"), int) or isinstance(line["seed"], bool):
        raise BundleError(f"{MANIFEST}: trial {number} has no seed")
    place = folder / _inside(line["folder"])
    if not place.is_dir():
        raise BundleError(f"{MANIFEST}: trial {number} is in {line['folder']!r}, which is missing")
    return Listed(
        place,
        line["benchmark"],
        line["label"],
        line["seed"],
        line["role"],
        line["fingerprint"],
        line["data"],
    )


def _damage(folder: Path, files: dict[str, Any]) -> Iterator[str]:
    for name, digest in sorted(files.items()):
        path = folder / _inside(name)
        if not path.is_file() or path.is_symlink():
            yield f"{name} is missing"
        elif file_digest(path) != digest:
            yield f"{name} was altered"
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    yield from (f"{name} is not in the manifest" for name in sorted(there - files.keys() - {MANIFEST}))
