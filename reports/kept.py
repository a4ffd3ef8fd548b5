"""What drawings keep for the next one: JSON files in the workspace, each under the hash of its own text.

A file that is damaged, cut short or not there is as good as none, and a folder that cannot be written keeps nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from reelbench.reports.formats import slug
from reelbench.reports.templating import write_text
from reelbench.tracking.store import absolute_uri

FOLDER = "drawings"


class Kept:
    """What is kept of one store.

    Parameters
    ----------
    workspace
        ``None`` keeps nothing.
    """

    def __init__(self, workspace: Path | None, uri: str) -> None:
        own = hashlib.sha256(absolute_uri(uri).encode()).hexdigest()[:16]
        self.folder = workspace / FOLDER / own if workspace else None

    def read(self, name: str) -> Mapping[str, Any]:
        """What was kept under a name; empty where there is nothing, or nothing sound."""
        try:
            told, text = (
                self._path(name).read_text(encoding="utf-8").split("\n", 1) if self.folder else ("", "")
            )
            found = json.loads(text) if told == _hash(text) else {}
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a value in place of the one before."""
        if self.folder:
            text = json.dumps(value)
            with contextlib.suppress(OSError):  # only time is lost
                write_text(self._path(name), f"{_hash(text)}\n{text}")

    def keep_only(self, names: Iterable[str]) -> None:
        """Remove what is kept under other names."""
        wanted = {self._path(name).name for name in names} if self.folder else set()
        for path in self.folder.glob("*.json") if self.folder else ():
            if path.name not in wanted:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _path(self, name: str) -> Path:
        return (self.folder or Path()) / f"{slug(name)}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
