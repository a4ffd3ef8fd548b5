"""What stages took on this machine and what they depended on, so that ``plan`` can say what a suite may cost and why
a stage is not cached. A life-cycle plugin.

Kept in the workspace, by what a stage does rather than by fingerprint: an edited method takes about as long as before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelbench.fingerprints import RELAXED
from reelbench.hookspecs import hookimpl
from reelbench.stages import Stage, StageFolder, write_json

FILE = "timings.json"


def kin(stage: Stage) -> str:
    """What stages of about the same cost share."""
    s = stage.spec
    where = s.get("benchmark", s["dataset"])
    return "/".join((stage.kind, s["method"], s["variant"], s["recipe"], s["preset"], where, s["device"]))


@dataclass(frozen=True)
class Past:
    """What the last like stage took here, the digests of what it depended on (empty where none ran), and whether versions and device were left out."""

    seconds: float | None = None
    bytes: float | None = None
    depends: Mapping[str, str] = field(default_factory=dict)
    relaxed: bool = False

    def why_not_cached(self, stage: Stage) -> str:
        """What changed since; ``never run here``, or ``not with this seed``, where nothing did."""
        if not self.depends:
            return "never run here"
        relaxed = RELAXED if stage.is_relaxed else ()
        changed = [
            name
            for name, part in stage.spec["depends"].items()
            if self.depends.get(name) != part and name not in relaxed
        ]
        if changed:
            return f"changed since it last ran: {', '.join(changed)}"
        only = self.relaxed and not stage.is_relaxed
        return "last run with --reuse=compatible" if only else "not run with this seed"


def past(workspace: Path, stage: Stage) -> Past:
    """What is remembered of the last like stage."""
    return Past(**_read(workspace).get(kin(stage), {}))


def _read(workspace: Path) -> dict[str, dict[str, Any]]:
    path = workspace / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


class TimingLog:
    """Remembers the seconds, bytes and dependencies of stages that finished."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.seen: dict[str, dict[str, Any]] = {}

    @hookimpl
    def reelbench_stage_finished(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Take note; written once, at the end."""
        folder = StageFolder(self.workspace, stage.kind, stage.fingerprint).path
        size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        self.seen[kin(stage)] = {
            "seconds": record["seconds"],
            "bytes": float(size),
            "depends": stage.spec["depends"],
            "relaxed": stage.is_relaxed,
        }

    @hookimpl
    def reelbench_plan_finished(self) -> None:
        """Merge with what other benches wrote meanwhile."""
        if self.seen:
            write_json(self.workspace / FILE, _read(self.workspace) | self.seen)
