"""What stages took on this machine, so that ``plan`` can say what a suite may cost. A life-cycle plugin.

Kept in the workspace, by what a stage does rather than by fingerprint: an edited method takes about as long as before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelbench.hookspecs import hookimpl
from reelbench.stages import Stage, StageFolder, write_json

FILE = "timings.json"


def kin(stage: Stage) -> str:
    """What stages of about the same cost share."""
    s = stage.spec
    where = s.get("benchmark", s["dataset"])
    return "/".join((stage.kind, s["method"], s["variant"], s["recipe"], s["preset"], where, s["device"]))


def expected(workspace: Path, stage: Stage) -> dict[str, float | None]:
    """``seconds`` and ``bytes`` of the last like stage; ``None`` where none ran here."""
    return _read(workspace).get(kin(stage), {"seconds": None, "bytes": None})


def _read(workspace: Path) -> dict[str, dict[str, float | None]]:
    path = workspace / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


class TimingLog:
    """Remembers the seconds and bytes of stages that finished."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.seen: dict[str, dict[str, float | None]] = {}

    @hookimpl
    def reelbench_stage_finished(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Take note; written once, at the end."""
        folder = StageFolder(self.workspace, stage.kind, stage.fingerprint).path
        size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        self.seen[kin(stage)] = {"seconds": record["seconds"], "bytes": float(size)}

    @hookimpl
    def reelbench_plan_finished(self) -> None:
        """Merge with what other benches wrote meanwhile."""
        if self.seen:
            write_json(self.workspace / FILE, _read(self.workspace) | self.seen)
