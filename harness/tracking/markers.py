"""Markers in stage folders: which run of which store holds a stage's result already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reelbench.stages import write_json

MARKER = "recorded.json"


def mark_recorded(folder: Path, run_id: str, shown_uri: str, *, refused: str = "") -> None:
    """Leave a marker, written after the record; ``refused`` says why the run does not count."""
    write_json(folder / MARKER, {"run_id": run_id, "tracking_uri": shown_uri, "refused": refused})


def recorded_run(folder: Path, shown_uri: str) -> str | None:
    """The run that holds a stage folder's result in a store, by the marker left there; an older result's marker says nothing."""
    marker = _marker(folder)
    return str(marker["run_id"]) if marker and marker["tracking_uri"] == shown_uri else None


def is_refused(folder: Path) -> bool:
    """Whether the store took a result only as a failure, so that the folder is the one place that holds it."""
    return bool((_marker(folder) or {}).get("refused"))


def _marker(folder: Path) -> dict[str, Any] | None:
    marker, record = folder / MARKER, folder / "record.json"
    if not marker.exists() or not record.exists() or marker.stat().st_mtime_ns < record.stat().st_mtime_ns:
        return None
    return dict(json.loads(marker.read_text(encoding="utf-8")))
