"""What an MLflow run holds of a stage: its files, on this disk or downloaded, checked against the tagged digests."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reelbench.stages import Stage, StageFolder
from reelbench.tracking.checks import verify
from reelbench.tracking.entries import fingerprint_tag
from reelbench.tracking.markers import mark_recorded, recorded_run
from reelbench.tracking.store import Store, local_folder, tracking_errors

if TYPE_CHECKING:
    from mlflow.entities import Run

RECORD_TAG = "rb.digest.record"


@dataclass(frozen=True)
class Hit:
    """A finished stage.

    Attributes
    ----------
    path
        Folder with the stage's files and its ``record.json`` (a score's sheet may lie in ``sheet/``).
    run_id
        The run that holds it; ``None`` for a stage that waits in the workspace.
    """

    path: Path
    record: Mapping[str, Any]
    run_id: str | None
    source: Literal["mlflow", "workspace"]


@dataclass(frozen=True)
class Part:
    """Files of a run that hash to one tag."""

    kind: str
    place: str
    tag: str


_PREDICTIONS = Part("predict", "predictions", "rb.digest")
PARTS = {
    "fit": (Part("fit", "", "rb.digest"),),
    "predict": (_PREDICTIONS,),
    "score": (_PREDICTIONS, Part("score", "sheet", "rb.digest.sheet")),
}
"""What must be sound for a stage to count: a score without its predictions is not believed."""


class RunFiles:
    """The files of one FINISHED run."""

    def __init__(self, store: Store, workspace: Path, run: Run) -> None:
        self.store, self.workspace, self.run = store, workspace, run
        self._problems: dict[Part, str | None] = {}

    @cached_property
    def root(self) -> Path | None:
        """The artifact folder, where it is on this disk."""
        return local_folder(self.run.info.artifact_uri)

    @property
    def local(self) -> bool:
        """Whether the files are used in place."""
        return self.root is not None

    def folder(self, place: str, spare: Path) -> Path:
        """An artifact folder: in place, else downloaded into ``spare``."""
        if self.root is not None:
            return self.root / place
        with tracking_errors(self.store.uri):
            return Path(self.store.client.download_artifacts(self.run.info.run_id, place, str(spare)))

    def hit(self, stage: Stage) -> Hit | str:
        """The stage as this run holds it, or what is wrong with it."""
        if self.root is None:
            return self._downloaded(stage)
        problem = self.problem(stage.kind)
        if problem:
            return problem
        path = self.root / ("predictions" if stage.kind == "predict" else "")
        return Hit(path, _read_record(path), self.run.info.run_id, "mlflow")

    def problem(self, kind: str) -> str | None:
        """What is wrong with the files that a kind of stage needs; remote ones are taken to be sound."""
        if self.root is None:
            return None
        if kind != "predict" and (wrong := self._record_problem(self.root / "record.json")):
            return wrong
        return next((p for part in PARTS[kind] if (p := self._checked(part, self.root))), None)

    def _record_problem(self, path: Path) -> str | None:
        if not path.exists():
            return f"{path.name} is gone"
        return None if file_digest(path) == self.run.data.tags.get(RECORD_TAG) else f"{path.name} was altered"

    def _checked(self, part: Part, root: Path) -> str | None:
        if part not in self._problems:
            self._problems[part] = verify(part.kind, root / part.place, self.run.data.tags.get(part.tag, ""))
        return self._problems[part]

    # --- remote -------------------------------------------------------------------------------------------------

    def _downloaded(self, stage: Stage) -> Hit | str:
        """A remote run's files, kept in the workspace under the fingerprint that they were made with."""
        made = self.run.data.tags[fingerprint_tag(stage.kind)]
        folder = StageFolder(self.workspace, stage.kind, made)
        digest = self.run.data.tags.get(PARTS[stage.kind][-1].tag, "")
        known = folder.finished and recorded_run(folder.path, self.store.shown) == self.run.info.run_id
        if not known or verify(stage.kind, folder.path, digest):
            with tempfile.TemporaryDirectory() as spare:
                problem = self._fetch(stage, folder, Path(spare), digest)
            if problem:
                return problem
        return Hit(folder.path, folder.record(), self.run.info.run_id, "mlflow")

    def _fetch(self, stage: Stage, folder: StageFolder, spare: Path, digest: str) -> str | None:
        wanted = {"fit": [""], "predict": ["predictions"], "score": ["record.json", "sheet"]}[stage.kind]
        fetched = spare / "stage"
        fetched.mkdir()
        for place in wanted:
            path = self.folder(place, spare)
            for file in [path] if path.is_file() else [p for p in path.iterdir() if p.is_file()]:
                shutil.move(file, fetched / file.name)
        if problem := verify(stage.kind, fetched, digest) or (
            None if (fetched / "record.json").exists() else "record.json is gone"
        ):
            return problem
        folder.path.mkdir(parents=True, exist_ok=True)
        for file in sorted(fetched.iterdir(), key=lambda p: p.name == "record.json"):
            shutil.move(file, folder.path / file.name)
        mark_recorded(folder.path, self.run.info.run_id, self.store.shown)
        return None


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_record(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "record.json").read_text(encoding="utf-8")))
