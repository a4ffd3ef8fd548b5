"""DiDeMo's published files, read as they are and checked entry by entry.

The official files (LisaAnne/LocalizingMoments ``data/{val,test}_data.json``) hold one object a sentence, with four or
more annotators' moments in chunks of five seconds, both ends included. The training file is the reformatted one
(Sha-Lab/CMHSE ``train_data_bwzhang.json``): one object a video, one moment a sentence, in frames.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelbench.errors import DatasetError

URL = "https://github.com/LisaAnne/LocalizingMoments/tree/master/data"
TRAIN_URL = "https://github.com/Sha-Lab/CMHSE/tree/master/didemo_dev"
FILES = {
    "train": ("train_data_bwzhang.json", TRAIN_URL),
    "validation": ("val_data.json", URL),
    "test": ("test_data.json", URL),
}
CHUNK_S = 5.0
CHUNKS = 6
CANDIDATES = tuple((i, j) for i in range(CHUNKS) for j in range(i, CHUNKS))
OFFICIAL_KEYS = {"annotation_id": int, "video": str, "description": str, "num_segments": int, "times": list}
REFORMATTED_KEYS = {"duration": (int, float), "feature_leng": int, "times": list, "description": list}


@dataclass(frozen=True, slots=True)
class Moment:
    """One sentence and where annotators place it, as (first, last) chunk, both included."""

    id: str
    video: str
    description: str
    chunks: tuple[tuple[int, int], ...]
    duration_s: float


def read_split(folder: Path, split: str) -> list[Moment]:
    """The moments of a split.

    Raises
    ------
    DatasetError
        If its file is missing, is not JSON, or has an entry that is not as published.
    """
    name, url = FILES[split]
    path = folder / name
    if not path.is_file():
        raise DatasetError(f"{path} is missing; get it from {url}")
    content = _load(path)
    return _reformatted(path, content) if split == "train" else _official(path, content)


def tokens(description: str) -> tuple[str, ...]:
    """A description's words: lower case, runs of letters, digits and apostrophes; all else parts words."""
    return tuple(re.findall(r"[a-z0-9']+", description.lower()))


def to_seconds(chunks: tuple[int, int]) -> tuple[float, float]:
    """A (first, last) pair of chunks as ``(start_s, end_s)``."""
    return chunks[0] * CHUNK_S, (chunks[1] + 1) * CHUNK_S


def frames_to_chunks(start: int, end: int, rate_hz: float) -> tuple[int, int]:
    """A stretch of frames as (first, last) chunk: rounded to chunks, end exclusive, within six, at least one."""
    first, stop = (min(round(frame / rate_hz / CHUNK_S), CHUNKS) for frame in (start, end))
    first = min(first, CHUNKS - 1)
    return first, max(stop - 1, first)


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DatasetError(f"{path} is not valid JSON ({error}); download it again") from None


def _official(path: Path, content: Any) -> list[Moment]:
    if not isinstance(content, list) or not content:
        raise DatasetError(f"{path}: expected a list of annotated sentences")
    moments = [_official_entry(f"{path}: entry {k}", entry) for k, entry in enumerate(content)]
    seen: set[str] = set()
    for k, moment in enumerate(moments):
        if moment.id in seen:
            raise DatasetError(f"{path}: entry {k} repeats annotation_id {moment.id}")
        seen.add(moment.id)
    return moments


def _official_entry(where: str, entry: Any) -> Moment:
    _check_keys(where, entry, OFFICIAL_KEYS)
    where = f"{where} (annotation_id {entry['annotation_id']})"
    if not entry["times"]:
        raise DatasetError(f"{where}: nobody marked a moment")
    for pair in entry["times"]:
        if not _is_pair(pair) or tuple(pair) not in CANDIDATES:
            raise DatasetError(
                f"{where}: times has {pair!r}, expected two chunks from 0 to {CHUNKS - 1} in order"
            )
    chunks = tuple((int(first), int(last)) for first, last in entry["times"])
    duration_s = entry["num_segments"] * CHUNK_S
    return Moment(
        str(entry["annotation_id"]),
        entry["video"].rpartition(".")[0] or entry["video"],
        entry["description"],
        chunks,
        duration_s,
    )


def _reformatted(path: Path, content: Any) -> list[Moment]:
    if not isinstance(content, dict) or not content:
        raise DatasetError(f"{path}: expected an object of videos")
    return [m for video, entry in content.items() for m in _video(f"{path}: video {video!r}", video, entry)]


def _video(where: str, video: str, entry: Any) -> list[Moment]:
    _check_keys(where, entry, REFORMATTED_KEYS)
    if entry["duration"] <= 0 or entry["feature_leng"] <= 0:
        raise DatasetError(f"{where}: duration and feature_leng must be above 0")
    if len(entry["times"]) != len(entry["description"]):
        raise DatasetError(
            f"{where}: {len(entry['times'])} times for {len(entry['description'])} descriptions"
        )
    rate_hz = entry["feature_leng"] / entry["duration"]
    duration_s = min(float(entry["duration"]), CHUNKS * CHUNK_S)
    moments = []
    for k, (pair, sentence) in enumerate(zip(entry["times"], entry["description"], strict=True)):
        if not _is_pair(pair) or min(pair) < 0:
            raise DatasetError(f"{where}: times has {pair!r}, expected two frames")
        chunks = frames_to_chunks(pair[0], pair[1], rate_hz)
        moments.append(Moment(f"{video}/{k}", video, str(sentence), (chunks,), duration_s))
    return moments


def _check_keys(where: str, entry: Any, keys: dict[str, Any]) -> None:
    if not isinstance(entry, dict):
        raise DatasetError(f"{where} is not an object")
    for key, kind in keys.items():
        if not isinstance(entry.get(key), kind):
            found = f"is {entry[key]!r}" if key in entry else "is missing"
            raise DatasetError(f"{where}: {key!r} {found}")


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value)
