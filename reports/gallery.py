"""Examples as a page shows them: what was asked, what was predicted, and what other rows said of the same example."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from reelbench.errors import TrackingError
from reelbench.reports.frames import Trial
from reelbench.reports.leaderboard import Row

KINDS = {"best": "Best", "typical": "Typical", "worst": "Worst"}
IMAGE_LIMIT = 4 << 20
_MAGIC = {b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png"}
PREDICTED = "Predicted"
Source = tuple[str, str]
_ORDER = ("Question", "Answer", PREDICTED)


@dataclass(frozen=True)
class Shown:
    """One example of one row.

    Attributes
    ----------
    others
        Row name → what that row predicted for the same example.
    """

    id: str
    kind: str
    score: float
    show: Mapping[str, str]
    strip: str | None
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """The picked examples of one row, one seed of it."""

    name: str
    seed: int
    picks: Mapping[str, tuple[Shown, ...]]


class Strips:
    """The film strips of a page, each under the hash of its bytes, so that equal ones are one file.

    Attributes
    ----------
    sources
        Name of the file → the run and artifact that hold it.
    """

    def __init__(self, href: str) -> None:
        self._href = href
        self.sources: dict[str, Source] = {}

    def add(self, trial: Trial, path: str | None) -> str | None:
        """The address of a trial's strip on a page; ``None`` where it is missing or is no image."""
        image = _read_image(trial, path) if path else None
        if image is None or path is None:
            return None
        name = _name(*image)
        self.sources.setdefault(name, (trial.run_id, path))
        return f"{self._href}/{name}"


def copy_strip(trial: Trial, path: str, target: Path) -> None:
    """Copy a strip to where :class:`Strips` said that it would be, if it is not there and is still the same."""
    image = None if target.exists() else _read_image(trial, path)
    if image and _name(*image) == target.name:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(image[0])


def _name(data: bytes, suffix: str) -> str:
    return f"{hashlib.sha256(data).hexdigest()[:16]}{suffix}"


def groups(rows: Sequence[tuple[str, Row]], strips: Strips) -> list[Group]:
    """The examples of each named row's first seed, in the rows' order."""
    first = [(name, row.finished[0]) for name, row in rows if row.finished]
    said: dict[str, dict[str, str]] = {}
    for name, trial in first:
        for example in trial.examples:
            if answer := _show(example).get(PREDICTED):
                said.setdefault(str(example["id"]), {})[name] = answer
    return [g for g in (_group(name, trial, said, strips) for name, trial in first) if g.picks]


def _group(name: str, trial: Trial, said: Mapping[str, Mapping[str, str]], strips: Strips) -> Group:
    picks: dict[str, list[Shown]] = {}
    for example in trial.examples:
        others = {k: v for k, v in said.get(str(example["id"]), {}).items() if k != name}
        shown = Shown(
            str(example["id"]),
            str(example.get("pick", "")),
            float(example.get("score") or 0),
            _show(example),
            strips.add(trial, example.get("strip")),
            others,
        )
        picks.setdefault(shown.kind, []).append(shown)
    order = [*KINDS, *(k for k in picks if k not in KINDS)]
    return Group(name, trial.seed, {KINDS.get(k, k): tuple(picks[k]) for k in order if k in picks})


def _show(example: Mapping[str, Any]) -> dict[str, str]:
    show = example.get("show")
    texts = {str(k): str(v) for k, v in show.items()} if isinstance(show, dict) else {}
    return dict(sorted(texts.items(), key=lambda item: _ORDER.index(item[0]) if item[0] in _ORDER else 0))


def _read_image(trial: Trial, path: str) -> tuple[bytes, str] | None:
    """An image and its suffix, if the path stays among the strips and the bytes are JPEG or PNG."""
    parts = PurePosixPath(str(path)).parts
    if parts[:1] != ("strips",) or ".." in parts or len(parts) != 2:
        return None
    try:
        file = trial.file("/".join(parts))
        data = file.read_bytes() if file.stat().st_size <= IMAGE_LIMIT else b""
    except (OSError, TrackingError):
        return None
    return next(((data, suffix) for magic, suffix in _MAGIC.items() if data.startswith(magic)), None)
