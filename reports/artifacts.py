"""Files of runs, fetched when a page needs them; those of finished runs do not change and are kept.

Not for weights or predictions: only small JSON files and film strips, each with a cap on its size.
"""

from __future__ import annotations

import json
import logging
import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from reelbench.tracking.store import local_folder

JSON_LIMIT = 64 << 20
IMAGE_LIMIT = 4 << 20
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_IMAGES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png"}
_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where fetched artifacts are kept: ``REELBENCH_CACHE``, else ``~/.cache/reelbench``."""
    root = os.environ.get("REELBENCH_CACHE")
    base = Path(root) if root else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reelbench"
    return base / "reports"


class Artifacts:
    """Reads artifacts of runs: in place where they lie on this disk, else through a cache.

    Parameters
    ----------
    uri
        The tracking URI that knows where ``mlflow-artifacts:`` addresses lead.
    """

    def __init__(self, uri: str, cache: Path | None = None) -> None:
        self._uri, self._cache = uri, cache or cache_folder()

    def read_json(self, run_id: str, root: str, path: str) -> Any:
        """A JSON artifact, or ``None`` where it is missing, damaged or too large."""
        data = self.read(run_id, root, path, JSON_LIMIT)
        try:
            return None if data is None else json.loads(data)
        except ValueError:
            _log.warning("%s of run %s is not JSON", path, run_id)
            return None

    def read_image(self, run_id: str, root: str, path: str) -> tuple[bytes, str] | None:
        """A film strip and its suffix, or ``None`` if it is missing or is neither JPEG nor PNG."""
        if PurePosixPath(path).parts[:1] != ("strips",) or ".." in PurePosixPath(path).parts:
            return None
        data = self.read(run_id, root, path, IMAGE_LIMIT)
        kinds = [suffix for magic, suffix in _IMAGES.items() if data is not None and data.startswith(magic)]
        return (data, kinds[0]) if data is not None and kinds else None

    def read(self, run_id: str, root: str, path: str, limit: int) -> bytes | None:
        """An artifact's bytes, or ``None`` where it is missing or larger than ``limit``."""
        file = self._find(run_id, root, path)
        if file is None or not file.is_file() or file.stat().st_size > limit:
            return None
        return file.read_bytes()

    def _find(self, run_id: str, root: str, path: str) -> Path | None:
        folder = local_folder(root)
        if folder is not None:
            return folder / path
        kept = self._cache / run_id / path
        return kept if kept.exists() else self._fetch(run_id, root, path)

    def _fetch(self, run_id: str, root: str, path: str) -> Path | None:
        if not _RUN_ID.match(run_id):
            return None
        from mlflow.artifacts import download_artifacts

        target = (self._cache / run_id / path).parent
        target.mkdir(parents=True, exist_ok=True)
        try:
            return Path(download_artifacts(artifact_uri=f"{root}/{path}", dst_path=str(target), tracking_uri=self._uri))
        except Exception as error:  # each kind of store has its own
            _log.warning("%s of run %s cannot be fetched: %s", path, run_id, type(error).__name__)
            return None
