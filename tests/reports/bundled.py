"""Synthetic stores with all the files that a bundle takes along."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from synthetic import Synthetic

from reelbench.reports.bundles.packing import REQUIRED
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
