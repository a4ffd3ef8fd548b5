"""Whether a bundle says one thing of a trial in all of its places: the manifest, ``trial.json`` and ``record.json``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reelbench.reports.bundles.opening import BundleError, Listed, read_object
from reelbench.reports.bundles.packing import TRIAL

SPLIT = "test"


@dataclass(frozen=True)
class Told:
    """What a bundle tells of a trial.

    Attributes
    ----------
    tags, run_metrics, started_ms
        Of ``trial.json``: what tables and other records take over.
    record
        ``record.json``, and ``metrics`` of it: what the score stage wrote.
    """

    listed: Listed
    tags: Mapping[str, str]
    run_metrics: Mapping[str, float]
    started_ms: int
    record: Mapping[str, Any]
    metrics: Mapping[str, float]


def first_of(wrong: Sequence[str]) -> str:
    """The first of several lines, and how many more there are."""
    return wrong[0] + (f", and {len(wrong) - 1} more" if len(wrong) > 1 else "")


def told_of(listed: Listed) -> Told:
    """Read a trial.

    Raises
    ------
    BundleError
        With one line, if a file is missing, broken, or lacks what every trial has.
    """
    trial, record = read_object(listed.folder / TRIAL), read_object(listed.folder / "record.json")
    tags, started = trial.get("tags"), trial.get("started_ms")
    if not isinstance(tags, dict) or not all(isinstance(v, str) for v in tags.values()):
        raise BundleError(f"{listed.folder.name}/{TRIAL}: its tags are no texts by their names")
    if not isinstance(started, int):
        raise BundleError(f"{listed.folder.name}/{TRIAL}: started_ms is no whole number")
    return Told(
        listed,
        tags,
        _metrics(trial, f"{listed.folder.name}/{TRIAL}"),
        started,
        record,
        _metrics(record, f"{listed.folder.name}/record.json"),
    )


def _metrics(value: Mapping[str, Any], where: str) -> dict[str, float]:
    found = value.get("metrics")
    if not isinstance(found, dict) or not found:
        raise BundleError(f"{where}: has no metrics")
    for name, number in found.items():
        if not isinstance(number, int | float) or isinstance(number, bool) or not _is_double(number):
            raise BundleError(f"{where}: the metric {name!r} is no number")
    return {name: float(number) for name, number in found.items()}


def _is_double(number: float) -> bool:
    try:
        float(number)
    except OverflowError:
        return False
    return True


def disagreements(told: Told) -> Iterator[str]:
    """A line for each thing that two of the places say differently."""
    listed, record = told.listed, told.record
    wanted = {
        "benchmark": listed.benchmark, "label": listed.label, "seed": str(listed.seed), "role": listed.role,
        "split": SPLIT, "fingerprint.score": listed.fingerprint, "kind": "trial",
    }  # fmt: skip
    for name, value in wanted.items():
        if (tag := told.tags.get(f"rb.{name}")) != value:
            yield f"its tag rb.{name} is {tag!r}, expected {value!r}"
    for name in ("benchmark", "label", "seed", "role", "split"):
        if str(record.get(name)) != wanted[name]:
            yield f"{name} is {record.get(name)!r} in the record, expected {wanted[name]!r}"
    if record.get("fingerprint") != listed.fingerprint:
        yield "the record has another fingerprint than the manifest"
    if record.get("data", "") != listed.data:
        yield "the record and the manifest name different data"
    logged = {name: v for name, v in told.metrics.items() if math.isfinite(v) or name in told.run_metrics}
    yield from differences(told.run_metrics, logged, TRIAL, 0.0)  # a store keeps no metric that is not finite


def differences(
    told: Mapping[str, float], found: Mapping[str, float], where: str, tolerance: float
) -> Iterator[str]:
    """A line for each metric that a place tells differently from what it should be."""
    for name in sorted({*told, *found}):
        if name not in told or name not in found:
            yield f"{name} is {f'not in {where}' if name not in told else f'in {where} only'}"
        elif not _equal(told[name], found[name], tolerance):
            yield f"{name} is {found[name]:.6g}, {where} says {told[name]:.6g}"


def _equal(told: float, found: float, tolerance: float) -> bool:
    return math.isclose(told, found, rel_tol=tolerance, abs_tol=tolerance) or (
        math.isnan(told) and math.isnan(found)
    )
