"""Bundles in tests: stores that can be bundled, what ``verify`` says of one, and changes that a forger would make."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from synthetic import Synthetic

from reelbench.reports.bundles.command import verify
from reelbench.reports.bundles.packing import MANIFEST, REQUIRED, file_digest
from reelbench.reports.frames import load
from reelbench.tracking.store import local_folder


def copied(database: Path, folder: Path) -> Synthetic:
    """An empty store in a folder of its own."""
    folder.mkdir(parents=True)
    shutil.copy(database, folder / "mlflow.db")
    return Synthetic(f"sqlite:///{folder / 'mlflow.db'}")


def complete(synthetic: Synthetic) -> None:
    """Give finished trials what a real bench leaves behind and nothing here reads; and the fingerprint in the record."""
    for trial in (t for t in load(synthetic.uri).trials if t.status == "FINISHED"):
        folder = local_folder(trial.artifact_uri)
        assert folder is not None
        record = json.loads((folder / "record.json").read_text())
        told = {"fingerprint": trial.tags["rb.fingerprint.score"], "data": record.get("data", "")}
        (folder / "record.json").write_text(json.dumps(record | told))
        for name in (name for name in REQUIRED if not (folder / name).exists()):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("{}")


def checked(path: Path) -> tuple[int, dict[str, object]]:
    told = CliRunner().invoke(verify, [str(path), "--json"], standalone_mode=False)
    return told.return_value, json.loads(told.output) if told.output.startswith("{") else {}


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a JSON file of a bundle, and the manifest so that its digest fits."""
    value = json.loads(path.read_text())
    change(value)
    replaced(path, json.dumps(value).encode())


def replaced(path: Path, content: bytes) -> None:
    """Give a file of a bundle other bytes, and the manifest their digest."""
    path.write_bytes(content)
    manifest = next(p / MANIFEST for p in path.parents if (p / MANIFEST).exists())
    value = json.loads(manifest.read_text())
    value["files"][path.relative_to(manifest.parent).as_posix()] = file_digest(path)
    manifest.write_text(json.dumps(value))


def problems(path: Path) -> list[str]:
    """What is wrong with a bundle whose digests all fit."""
    status, found = checked(path)
    assert status == 1
    assert found["damaged"] == []
    return [line for trial in found["trials"] for line in trial["problems"]]


def rewritten_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads((folder / MANIFEST).read_text())
    change(value)
    (folder / MANIFEST).write_text(json.dumps(value))
