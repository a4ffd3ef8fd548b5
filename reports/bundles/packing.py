"""Writes a bundle: each trial's predictions, score sheet and record, the rendered tables, the environment, and digests of all of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from reelbench.errors import TrackingError, UsageError
from reelbench.predictions import DENSE, META, TABLE
from reelbench.reports import formats
from reelbench.reports.bundles.failing import failures
from reelbench.reports.frames import Results, Trial
from reelbench.reports.leaderboard import Board
from reelbench.resampling import REPLICATES

SCHEMA = 1
MANIFEST, TRIAL, ENVIRONMENT = "bundle.json", "trial.json", "environment.json"
FILES = (
    "record.json", "examples.json", *(f"predictions/{name}" for name in (TABLE, DENSE, META)),
    *(f"sheet/{name}" for name in ("sheet.json", "sheet.safetensors", REPLICATES)),
)  # fmt: skip
REQUIRED = tuple(name for name in FILES if name != "examples.json")


def write_bundle(results: Results, boards: Sequence[Board], out: Path) -> Path:
    """Write a folder, or a zip where the name ends so; returns it.

    Raises
    ------
    UsageError
        If there is something of that name already.
    TrackingError
        If a trial's files are gone.
    """
    if out.exists():
        raise UsageError(f"{out} exists already; give another name, or remove it")
    if out.suffix != ".zip":
        _fill(results, boards, out)
        return out
    with tempfile.TemporaryDirectory() as spare:
        folder = Path(spare) / out.stem
        _fill(results, boards, folder)
        _zip(folder, out)
    return out


def _fill(results: Results, boards: Sequence[Board], out: Path) -> None:
    out.mkdir(parents=True)
    trials = [trial for board in boards for row in board.rows for trial in row.finished]
    listed = [_trial(trial, out, f"trials/{number:04d}") for number, trial in enumerate(trials)]
    for board in boards:
        for name in formats.SUFFIXES:
            formats.write(name, board, out / "tables")
    _write(out / ENVIRONMENT, _environment())
    files = {
        path.relative_to(out).as_posix(): file_digest(path)
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
    lost = [asdict(failed) for failed in failures(results, boards)]
    told = {"schema": SCHEMA, "store": results.uri, "trials": listed, "failures": lost, "files": files}
    _write(out / MANIFEST, told)


def _trial(trial: Trial, out: Path, place: str) -> dict[str, Any]:
    """Copy a trial's files; returns its line of the manifest."""
    for name in FILES:
        source, target = trial.file(name), out / place / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        elif name in REQUIRED:
            raise TrackingError(
                f"{trial.label}, seed {trial.seed}, on {trial.benchmark}: {name} is gone; run the suite again"
            )
    _write(
        out / place / TRIAL,
        {
            "run_id": trial.run_id,
            "tags": dict(trial.tags),
            "metrics": dict(trial.metrics),
            "started_ms": trial.started_ms,
        },
    )
    return {
        "folder": place, "benchmark": trial.benchmark, "label": trial.label, "seed": trial.seed, "role": trial.tags.get("rb.role", ""),
        "fingerprint": trial.tags.get("rb.fingerprint.score", ""), "data": trial.record.get("data", ""),
    }  # fmt: skip


def _environment() -> dict[str, str]:
    """Every installed distribution and its version."""
    return {
        d.metadata["Name"]: d.version
        for d in sorted(metadata.distributions(), key=lambda d: d.metadata["Name"].lower())
    }


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, sort_keys=True), encoding="utf-8")


def _zip(folder: Path, out: Path) -> None:
    """A zip whose bytes depend on its contents only."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for path in _members(folder):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            file.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)


def _members(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
