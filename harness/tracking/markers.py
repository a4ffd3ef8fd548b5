"""Markers in stage folders: which run of which store holds a stage's result already."""

from __future__ import annotations

import json
from pathlib import Path

from reelbench.stages import write_json

MARKER = "recorded.json"


def mark_recorded(folder: Path, run_id: str, shown_uri: str) -> None:
    """Leave a marker, written after the record."""
    write_json(folder / MARKER, {"run_id": run_id, "tracking_uri": shown_uri})


def recorded_run(folder: Path, shown_uri: str) -> str | None:
    """The run that holds a stage folder's result in a store, by the marker left there; an older result's marker says nothing."""
    marker_file, record_file = folder / MARKER, folder / "record.json"
    if not marker_file.exists() or marker_file.stat().st_mtime_ns < record_file.stat().st_mtime_ns:
        return None
    marker = json.loads(marker_file.read_text(encoding="utf-8"))
    return str(marker["run_id"]) if marker["tracking_uri"] == shown_uri else None
