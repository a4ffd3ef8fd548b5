"""Draws a bundle's tables again from its records and compares them with those that lie in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.reports import formats
from reelbench.reports.bundles.agreement import first_of
from reelbench.reports.bundles.opening import Bundle, BundleError, read_object
from reelbench.reports.bundles.packing import ENVIRONMENT, MANIFEST
from reelbench.reports.frames import FINISHED, Trial

if TYPE_CHECKING:
    from reelbench.reports.bundles.agreement import Told
    from reelbench.reports.leaderboard import Board

TOLERANCE = 1e-4
"""Relative, of decimals alone: replicates are kept in single precision, and a small p multiplies what its last digits do."""
SLACK = 1000
"""Characters by which a line may be longer: more than all last digits of it."""
FOLDER = "tables"
_DECIMAL = re.compile(r"(\d+\.\d+(?:e[-+]?\d+)?)")


@dataclass(frozen=True)
class Tables:
    """What of a bundle's tables is not what its records give.

    Attributes
    ----------
    unchecked
        Why tables could not be compared, each beginning with ``unchecked:``.
    """

    problems: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def check_tables(bundle: Bundle, several: Sequence[Told]) -> Tables:
    """Compare all tables, of all formats, with what the records give."""
    if len(several) < len(bundle.trials):
        return Tables(unchecked=("unchecked: the tables, because there are trials that cannot be read",))
    try:
        drawn = _drawn(bundle, several)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        # a record may hold anything in any place; what is wrong with it stands with its trial
        return Tables((f"no tables can be drawn from the records ({type(error).__name__}: {error})",))
    there = {path.name for path in (bundle.folder / FOLDER).glob("*") if path.is_file()}
    problems = [f"{FOLDER}/{name} is a table of no benchmark here" for name in sorted(there - drawn.keys())]
    problems += [f"{FOLDER}/{name} is missing" for name in sorted(drawn.keys() - there)]
    same, version = _versions(bundle)
    unchecked: list[str] = []
    for name in sorted(there & drawn.keys()):
        told = (bundle.folder / FOLDER / name).read_bytes().decode(errors="replace")
        found = list(_differences(name, told, drawn[name], same=same))
        if found and not same and not name.endswith(".json"):
            unchecked.append(
                f"unchecked: {FOLDER}/{name}, drawn by reelbench {version}, which writes tables in another way than this one; "
                "its numbers are in the .json beside it, which is checked"
            )
        elif found:
            problems.append(f"{FOLDER}/{name}: {first_of(found)}")
    return Tables(tuple(problems), tuple(unchecked))


def _versions(bundle: Bundle) -> tuple[bool, str]:
    """Whether this reelbench is the one that drew the tables, and which one did."""
    try:
        told = str(read_object(bundle.folder / ENVIRONMENT).get("reelbench", "?"))
    except BundleError:
        told = "?"
    return told == metadata.version("reelbench"), told


def _drawn(bundle: Bundle, several: Sequence[Told]) -> Mapping[str, str]:
    """File name → text of every table that the records give."""
    found = [formats.text_of(name, board) for board in _boards(bundle, several) for name in formats.SUFFIXES]
    return dict(found)


def _boards(bundle: Bundle, several: Sequence[Told]) -> list[Board]:
    from reelbench.reports.frames import Results
    from reelbench.reports.leaderboard import boards

    runs = [*_finished(several), *_failed(bundle)]
    runs.sort(key=lambda run: -run.started_ms)  # newest first, as a store is read
    trials = tuple(run for run in runs if run.tags.get("rb.kind") != "fit")
    return boards(Results(trials, "", tuple(run for run in runs if run.tags.get("rb.kind") == "fit")))


def _finished(several: Sequence[Told]) -> Iterator[Trial]:
    for told in several:
        yield _trial(FINISHED, told.started_ms, told.tags, told.run_metrics, told.listed.folder)


def _failed(bundle: Bundle) -> Iterator[Trial]:
    for failed in bundle.failures:
        yield _trial(failed.status, failed.started_ms, failed.tags, {}, bundle.folder / MANIFEST)  # no files


def _trial(
    status: str, started_ms: int, tags: Mapping[str, str], metrics: Mapping[str, float], folder: Path
) -> Trial:
    """A trial whose artifacts are the bundle's files; no store is asked."""
    from reelbench.tracking.reading import RunReader

    address = folder.absolute().as_uri()
    return Trial("", status, started_ms, tags, metrics, address, RunReader(""))


def _differences(name: str, told: str, drawn: str, *, same: bool) -> Iterator[str]:
    """What differs; of JSON by its place, of text by its line."""
    if told == drawn:
        return
    if not name.endswith(".json"):
        yield from _lines(told, drawn)
        return
    try:
        value = json.loads(told)
    except (ValueError, RecursionError):
        yield "not valid JSON"
        return
    yield from _inside("", value, json.loads(drawn), same=same)


def _lines(told: str, drawn: str) -> Iterator[str]:
    ours, theirs = drawn.split("\n"), told.split("\n")
    if len(ours) != len(theirs):
        yield f"has {len(theirs)} lines, the records give {len(ours)}"
    for number, (line, wanted) in enumerate(zip(theirs, ours, strict=False), 1):
        if not _same_text(line, wanted):
            yield f"line {number} is not what the records give"


def _same_text(told: str, wanted: str) -> bool:
    """Whether two lines differ in the last digits of decimals at most."""
    if abs(len(told) - len(wanted)) > SLACK:
        return False
    ours, theirs = _DECIMAL.split(wanted), _DECIMAL.split(told)
    if len(ours) != len(theirs) or ours[::2] != theirs[::2]:
        return False
    return all(
        one == other or _close(float(one), float(other))
        for one, other in zip(ours[1::2], theirs[1::2], strict=True)
    )


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-9) and math.isfinite(one)


def _inside(place: str, told: Any, drawn: Any, *, same: bool) -> Iterator[str]:
    """Differences of two JSON values; where another reelbench drew one, of what both of them know, notes aside."""
    if isinstance(told, dict) and isinstance(drawn, dict):
        for key in dict.fromkeys((*drawn, *told)):
            where = f"{place}.{key}".lstrip(".")
            if key in told and key in drawn:
                if same or where != "notes":
                    yield from _inside(where, told[key], drawn[key], same=same)
            elif same or where == "rows":
                yield f"{where} is {'missing' if key in drawn else 'not what the records give'}"
    elif isinstance(told, list) and isinstance(drawn, list):
        if len(told) != len(drawn):
            yield f"{place} has {len(told)} items, the records give {len(drawn)}"
        for i, (one, other) in enumerate(zip(told, drawn, strict=False)):
            yield from _inside(f"{place}[{i}]", one, other, same=same)
    elif not _same_value(told, drawn):
        yield f"{place} is {_short(told)}, the records give {_short(drawn)}"


def _same_value(told: Any, drawn: Any) -> bool:
    if isinstance(told, float) and isinstance(drawn, float):
        return told == drawn or _close(told, drawn)
    return type(told) is type(drawn) and bool(told == drawn)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
