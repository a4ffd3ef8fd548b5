"""The unit of work: a stage of a plan, its fingerprint, and the folder it fills.

Everything a worker needs to run a stage is in its ``spec``, which is JSON, so that a stage can cross to another
process or machine.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reelbench.resampling import REPLICATES

METHODLESS = ("ceiling", "external")
"""Roles of rows behind which no registered method stands."""
StageKind = Literal["fit", "predict", "score"]
Emit = Callable[[str, Mapping[str, Any]], None]
"""``emit(event, payload)``: how a running stage reports ``phase`` and ``progress`` to the process that runs the plan."""


@dataclass(frozen=True)
class Stage:
    """One node of a plan.

    Attributes
    ----------
    fingerprint
        Hash of everything that the result depends on, and of nothing else.
    family
        The same without the seed: equal for the seeds of one row.
    needs
        Role → fingerprints of stages whose results it reads (``fits``, ``predictions``, ``upstream``).
    spec
        What to do, JSON-like (``docs/record.md`` names the shared fields).
    """

    kind: StageKind
    fingerprint: str
    family: str
    spec: Mapping[str, Any]
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """``method/variant/recipe/preset/features#family``: what seeds are grouped by."""
        s = self.spec
        features = "+".join(s["features"]) or "none"
        return f"{s['method']}/{s['variant']}/{s['recipe']}/{s['preset']}/{features}#{self.family[:6]}"

    @property
    def is_relaxed(self) -> bool:
        """Whether its fingerprint leaves versions and device out (``--reuse=compatible``)."""
        return is_relaxed(self.kind, self.spec)

    @property
    def title(self) -> str:
        """For people: ``fit jsfusion match, seed 0``."""
        s = self.spec
        variant = "" if s["variant"] == "full" else f" {s['variant']}"
        where = f" on {s['benchmark']}" if "benchmark" in s else f" ({s['recipe']})"
        return f"{self.kind} {s['method']}{variant}{where}, seed {s['seed']}"

    def all_needs(self) -> tuple[str, ...]:
        """Fingerprints of every stage it reads."""
        return tuple(f for fs in self.needs.values() for f in fs)


def is_relaxed(kind: str, naming: Mapping[str, Any]) -> bool:
    """Whether a stage's spec or record has a fingerprint that leaves versions and device out."""
    compatible = naming.get("compatible", {}).get(kind)
    return compatible is not None and compatible == naming["fingerprint"]


class StageFolder:
    """A stage's folder in the workspace. Unfinished until ``record.json`` is there."""

    def __init__(self, root: Path, kind: StageKind, fingerprint: str) -> None:
        self.path = root / "stages" / kind / fingerprint

    @property
    def finished(self) -> bool:
        """Whether the stage ended well here."""
        return (self.path / "record.json").exists()

    def record(self) -> dict[str, Any]:
        """The stage record."""
        return json.loads((self.path / "record.json").read_text(encoding="utf-8"))

    def finish(self, record: Mapping[str, Any]) -> None:
        """Write the record, last and by rename."""
        write_json(self.path / "record.json", record)


def write_json(path: Path, value: Any, *, sort_keys: bool = True) -> None:
    """Write JSON to a temporary name and rename it; keys stay in their order where it means something."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(value, indent=1, sort_keys=sort_keys, default=str), encoding="utf-8")
    os.replace(temporary, path)


def weight_files(folder: Path) -> list[Path]:
    """The weights of a fit, oldest checkpoint first; empty for a method without parameters."""
    return sorted(folder.glob("weights-*.safetensors"), key=lambda path: int(path.stem.partition("-")[2]))


def fit_digest(folder: Path) -> str:
    """SHA-256 over a fit's weights and assets, as the files hold them."""
    h = hashlib.sha256()
    for path in [*weight_files(folder), folder / "assets.json", folder / "assets.safetensors"]:
        h.update(path.name.encode())
        h.update(path.read_bytes())
    return h.hexdigest()


def sheet_digest(folder: Path) -> str:
    """SHA-256 over a score sheet's two files and its replicates."""
    h = hashlib.sha256()
    for name in ("sheet.json", "sheet.safetensors", REPLICATES):
        h.update((folder / name).read_bytes())
    return h.hexdigest()
