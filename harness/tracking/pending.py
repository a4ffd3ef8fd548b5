"""Finished stages that wait in the workspace: sent when the store can be reached again, deleted when it has them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from reelbench.stages import StageFolder, StageKind
from reelbench.tracking.entries import run_kind
from reelbench.tracking.leases import presence
from reelbench.tracking.markers import MARKER, is_refused, recorded_run
from reelbench.tracking.runs import RunWriter, UnrecordedError
from reelbench.tracking.store import local_folder

KINDS: tuple[StageKind, ...] = ("fit", "predict", "score")


def finished_folders(workspace: Path) -> Iterator[StageFolder]:
    """Folders of finished stages, fits before what was made with them."""
    for kind in KINDS:
        for path in sorted((workspace / "stages" / kind).glob("*/record.json")):
            yield StageFolder(workspace, kind, path.parent.name)


def pending_stages(workspace: Path, shown_uri: str, planned: Collection[str] = ()) -> list[StageFolder]:
    """Finished stages that a store lacks: those never sent anywhere, and the planned ones that only another store has."""
    return [
        f
        for f in finished_folders(workspace)
        if not recorded_run(f.path, shown_uri) and (f.path.name in planned or not (f.path / MARKER).exists())
    ]


def send_pending(writer: RunWriter, folders: Sequence[StageFolder], say: Callable[[str], None]) -> int:
    """Send those that the store still lacks; returns how many runs that made."""
    sent = 0
    for folder in folders:
        if not folder.finished or recorded_run(folder.path, writer.store.shown):
            continue  # damaged since, or sent meanwhile
        record = folder.record()
        if run_kind(record) is None:
            continue
        try:
            writer.finish(record)
            sent += 1
        except UnrecordedError as error:
            say(str(error))
    return sent


def prune(writer: RunWriter) -> int:
    """Delete the folders of stages whose files a store on this disk holds; returns how many.

    Nothing is deleted while another bench uses the workspace, or where artifacts would have to be downloaded again.
    """
    if not presence(writer.workspace).alone():
        return 0
    held = [
        f
        for f in finished_folders(writer.workspace)
        if recorded_run(f.path, writer.store.shown) and not is_refused(f.path)
    ]
    if not held or not _artifacts_are_local(writer, held[0]):
        return 0
    for folder in held:
        shutil.rmtree(folder.path)
    for lock in (writer.workspace / "leases").glob("*.lock"):
        lock.unlink(missing_ok=True)
    return len(held)


def _artifacts_are_local(writer: RunWriter, folder: StageFolder) -> bool:
    run_id = recorded_run(folder.path, writer.store.shown)
    return local_folder(writer.client.get_run(run_id).info.artifact_uri) is not None
