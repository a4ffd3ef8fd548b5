"""What the Java programs said, kept on disk under a digest of everything that was asked.

Their replies are functions of text alone and cost most of a captioning trial, so that a trial scored again (an edit of
a metric, another program's version aside) needs no Java. Only the newest answers stay.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

LIMIT = 1000
"""Answers kept of each program, some ten to a hundred kilobytes each."""


def cache_folder() -> Path:
    """``REELBENCH_CACHE``, by default ``~/.cache/reelbench``."""
    return Path(os.environ.get("REELBENCH_CACHE") or Path.home() / ".cache" / "reelbench")


def kept(
    program: str, version: Sequence[str], lines: Sequence[str], ask: Callable[[], list[str]]
) -> list[str]:
    """One reply a line: what was kept, or what ``ask`` gives now.

    Parameters
    ----------
    program
        The folder's name.
    version
        What decides a reply beside the lines: the jar, its options.
    """
    digest = hashlib.sha256(json.dumps([*version, *lines]).encode()).hexdigest()
    path = cache_folder() / program / f"{digest}.json"
    replies = _read(path, len(lines))
    if replies is None:
        replies = ask()
        _write(path, replies)
    return replies


def _read(path: Path, count: int) -> list[str] | None:
    """What was kept, or ``None`` where there is nothing that can be used."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    with suppress(OSError):  # a cache that may only be read
        os.utime(path)
    usable = isinstance(found, list) and len(found) == count and all(isinstance(line, str) for line in found)
    return found if usable else None


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(lines), encoding="utf-8")
    partial.replace(path)
    _forget_oldest(path.parent)


def _forget_oldest(folder: Path) -> None:
    answers = list(folder.glob("*.json"))
    if len(answers) > LIMIT:
        with suppress(FileNotFoundError):  # another process forgets as well
            for old in sorted(answers, key=lambda p: p.stat().st_mtime)[: len(answers) - LIMIT]:
                old.unlink()
