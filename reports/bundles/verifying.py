"""Checks a bundle without training: scores and replicates against predictions, data against fingerprints, tables against records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelbench.benchmarks import Benchmark
from reelbench.errors import PredictionError, ReelbenchError
from reelbench.predictions import Predictions
from reelbench.reports.bundles.agreement import SPLIT, Told, differences, disagreements, told_of
from reelbench.reports.bundles.opening import Bundle, BundleError, Listed
from reelbench.reports.bundles.redrawn import Tables, check_tables
from reelbench.reports.bundles.steering import not_deterministic, steering
from reelbench.resampling import REPLICATES, classes_left_out, clusters_digest, replicate

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.registry import Registry
    from reelbench.scoring import ScoreSheet

TOLERANCE = 1e-9
"""Scorers are exact arithmetic in a fixed order but for matrix products, which differ in the last digits between machines."""
SINGLE = 1e-5
"""Relative: replicates are kept in single precision."""


@dataclass(frozen=True)
class Checked:
    """One trial of a bundle.

    Attributes
    ----------
    problems
        What differs; empty where every score is what its predictions give.
    unchecked
        Why it could not be scored again, beginning with ``unchecked:``; empty where it was.
    """

    benchmark: str
    label: str
    seed: int
    problems: tuple[str, ...] = ()
    unchecked: str = ""


@dataclass(frozen=True)
class Verified:
    """All that was found."""

    trials: tuple[Checked, ...]
    tables: Tables


def verify(bundle: Bundle, registry: Registry, open_dataset: Callable[[str], Dataset]) -> Verified:
    """Score every trial's predictions again, draw the tables again, and compare with all that the bundle tells."""
    read = [_read(listed) for listed in bundle.trials]
    several = [told for told in read if isinstance(told, Told)]
    return Verified(tuple(_checked(read, registry, open_dataset)), check_tables(bundle, several))


def _read(listed: Listed) -> Told | Checked:
    """What the bundle tells of a trial, or why that cannot be read."""
    try:
        return told_of(listed)
    except BundleError as error:
        return Checked(listed.benchmark, listed.label, listed.seed, (str(error),))


def _checked(
    read: Sequence[Told | Checked], registry: Registry, open_dataset: Callable[[str], Dataset]
) -> Iterator[Checked]:
    unlike = not_deterministic(told for told in read if isinstance(told, Told))
    for told in read:
        if isinstance(told, Checked):
            yield told
            continue
        listed, unchecked = told.listed, ""
        problems = list(disagreements(told))
        if (listed.benchmark, listed.label) in unlike:
            problems.append("called deterministic, but predictions of its row's seeds differ")
        try:
            problems += steering(told, registry)
            problems += _scored_again(told, registry, open_dataset)
        except (BundleError, PredictionError) as error:
            problems.append(str(error))
        except ReelbenchError as error:
            unchecked = f"unchecked: {error}"
        yield Checked(listed.benchmark, listed.label, listed.seed, tuple(problems), unchecked)


class _OtherDataError(ReelbenchError):
    """The predictions are of data that are not here."""


def _scored_again(told: Told, registry: Registry, open_dataset: Callable[[str], Dataset]) -> Iterator[str]:
    """What differs from what the predictions give."""
    benchmark, record = Benchmark.parse(told.listed.benchmark), told.record
    predictions = _predictions(told.listed)
    if predictions.digest() != record.get("predictions_digest"):
        yield "the predictions are not those that were scored"
    task, dataset = registry.task(benchmark.task), open_dataset(benchmark.dataset)
    if not (data := record.get("data")):
        raise _OtherDataError("the record does not say which data were scored")
    if data != dataset.fingerprint:
        raise _OtherDataError(
            f"the data here have fingerprint {dataset.fingerprint[:12]}, the bundle's {str(data)[:12]}"
        )
    sheet, metrics = task.score(predictions, task.evaluation(dataset, benchmark.protocol, SPLIT))
    yield from differences(told.metrics, metrics, "the record", TOLERANCE)
    if record.get("clusters") != len(sheet.cluster_names) or record.get("clusters_digest") != clusters_digest(
        sheet.cluster_names
    ):
        yield "the record's clusters are not those of the test set"
    if "classes" in record and record["classes"] != (classes := classes_left_out(task, sheet)):
        yield f"the record's classes are {record['classes']}, the test set's {classes}"
    yield from _sheet_differences(_sheet(told.listed), sheet)
    yield from _replicate_differences(_replicates(told.listed), replicate(task, sheet))


def _predictions(listed: Listed) -> Predictions:
    try:
        return Predictions.load(listed.folder / "predictions")
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise BundleError(f"{listed.folder.name}: its predictions cannot be read") from None


def _replicates(listed: Listed) -> dict[str, NDArray[np.float32]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(listed.folder / "sheet" / REPLICATES))
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise BundleError(f"{listed.folder.name}: its replicates cannot be read ({error})") from None


def _sheet(listed: Listed) -> ScoreSheet:
    from safetensors import SafetensorError

    from reelbench.scoring import ScoreSheet

    try:
        return ScoreSheet.load(listed.folder / "sheet")
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{listed.folder.name}: its score sheet cannot be read ({error})") from None


def _sheet_differences(told: ScoreSheet, found: ScoreSheet) -> Iterator[str]:
    """What ``compare`` reads of a trial: its examples, clusters, and the statistics of each example."""
    same = (told.ids, told.cluster_names) == (found.ids, found.cluster_names)
    if not (same and np.array_equal(told.clusters, found.clusters)):
        yield "the score sheet is of other examples or clusters"
    for kind, ours, theirs in (
        ("column", found.columns, told.columns),
        ("constant", found.constants, told.constants),
    ):
        for name in _unlike(ours, theirs):
            yield f"the score sheet's {kind} {name!r} is not what the predictions give"


def _replicate_differences(
    told: Mapping[str, NDArray[np.float32]], found: Mapping[str, NDArray[np.float32]]
) -> Iterator[str]:
    for name in _unlike(found, told):
        yield f"the replicates of {name} are not what the predictions give"


def _unlike(
    ours: Mapping[str, NDArray[np.generic]], theirs: Mapping[str, NDArray[np.generic]]
) -> Iterator[str]:
    """Names of arrays that one side lacks, or that differ by more than rounding."""
    for name in sorted({*ours, *theirs}):
        if (
            name not in ours
            or name not in theirs
            or ours[name].shape != theirs[name].shape
            or not np.allclose(ours[name], theirs[name], rtol=SINGLE, atol=SINGLE / 10, equal_nan=True)
        ):
            yield name
