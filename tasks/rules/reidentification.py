"""How re-identification is checked, measured and aggregated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import EvaluationSet, Example
from reelbench.errors import PredictionError
from reelbench.predictions import Predictions, check_ids
from reelbench.scoring import ScoreSheet
from reelbench.tasks.checks import number_table, protocol_of, ragged_column
from reelbench.tasks.metrics import identity
from reelbench.tasks.metrics.division import ratio
from reelbench.tasks.metrics.identity import Array
from reelbench.tasks.metrics.weighting import weighted_mean_where, weighted_ratio
from reelbench.tasks.reidentification import CLUSTERING, COLUMN, IDENTITY


def validate(predictions: Predictions, evaluation: EvaluationSet) -> None:
    """Check ids, that a set has as many answers as items, and that links stay within their clip."""
    check_ids(predictions, evaluation.ids)
    protocol = protocol_of(evaluation)
    column = ragged_column(predictions, COLUMN[protocol])
    for example in evaluation.examples:
        where = f"column {COLUMN[protocol]!r} of example {example.id!r}"
        _CHECKS[protocol](column[example.id], example, where)


def measure(predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
    """Right and all links of each set (``grounding``), or its counts of pairs and B-cubed sums."""
    protocol = protocol_of(evaluation)
    column = ragged_column(predictions, COLUMN[protocol])
    rows = [_measure(protocol, column[i], evaluation.targets[i]) for i in evaluation.ids]
    columns = {name: np.asarray([row[name] for row in rows]) for name in rows[0]}
    return ScoreSheet.build(evaluation.ids, evaluation.clusters, columns)


def aggregate(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """Metrics under cluster weights ``(draws, clusters)``."""
    if "linked" in sheet.columns:
        return {
            "accuracy": weighted_ratio(sheet, weights, sheet.columns["linked"], sheet.columns["mentions"])
        }
    return _pairwise(sheet, weights) | _clustered(sheet, weights)


def example_scores(sheet: ScoreSheet) -> NDArray[np.float64]:
    """Accuracy of each set; NaN for a set without anything to get right."""
    if "linked" in sheet.columns:
        return ratio(sheet.columns["linked"], sheet.columns["mentions"])
    return _set_accuracy(sheet)


def show(
    example: Example, targets: Mapping[str, Any], prediction: Mapping[str, Any], evaluation: EvaluationSet
) -> dict[str, str]:
    """The sentences, the true identities (or tracks) and the predicted ones."""
    protocol = protocol_of(evaluation)
    said = prediction[COLUMN[protocol]]
    if COLUMN[protocol] == "same":
        said = identity.transitive_closure(identity.linked_pairs(_square(said)))
    true = targets["mention_track" if protocol == "grounding" else IDENTITY[protocol]]
    return {
        "Question": " / ".join(" ".join(sentence) for sentence in example["sentences"]),
        "Answer": " ".join(str(int(k)) for k in true),
        "Predicted": " ".join(str(int(k)) for k in said),
    }


def _check_links(links: Any, example: Example, where: str) -> None:
    clips = np.asarray(example["mentions"]).reshape(-1, 2)[:, 0]
    tracks = np.asarray(example["track_clip"], dtype=np.int64)
    for mention, link in enumerate(_whole_numbers(links, len(clips), where).tolist()):
        if not -1 <= link < len(tracks):
            raise PredictionError(
                f"{where}: mention {mention} is linked to track {link}, expected -1 to {len(tracks) - 1}"
            )
        if link >= 0 and tracks[link] != clips[mention]:
            raise PredictionError(
                f"{where}: mention {mention} is linked to track {link}, which is in another clip"
            )


def _check_scores(scores: Any, items: int, where: str) -> None:
    table = number_table(scores, (items, items), where)
    if (table < 0).any() or (table > 1).any():
        raise PredictionError(f"{where} has scores outside [0, 1]")


def _whole_numbers(values: Any, items: int, where: str) -> NDArray[np.int64]:
    numbers = number_table(values, (items,), where)
    if (numbers != np.floor(numbers)).any():
        raise PredictionError(f"{where} holds numbers that are not whole")
    return numbers.astype(np.int64)


_CHECKS: dict[str, Callable[[Any, Example, str], Any]] = {
    "grounding": _check_links,
    "video": lambda value, example, where: _check_scores(value, len(example["track_clip"]), where),
    "text": lambda value, example, where: _check_scores(value, len(example["mentions"]), where),
    "characters": lambda value, example, where: _whole_numbers(value, len(example["mentions"]), where),
}


def _square(scores: Any) -> Array:
    """A nested list as ``(m, m)``, also when it is empty."""
    return np.asarray(scores, dtype=np.float64).reshape(len(scores), len(scores))


def _measure(protocol: str, value: Any, targets: Mapping[str, Any]) -> dict[str, float]:
    """The statistics of one set."""
    if protocol == "grounding":
        track = np.asarray(targets["mention_track"], dtype=np.int64)
        right = np.asarray(value, dtype=np.int64)[track >= 0] == track[track >= 0]
        return {"linked": int(right.sum()), "mentions": int((track >= 0).sum())}
    true = np.asarray(targets[IDENTITY[protocol]], dtype=np.int64)
    if protocol == "characters":
        labels = np.asarray(value, dtype=np.int64)
        return _set_counts(identity.equal_pairs(labels), labels, true)
    same = identity.linked_pairs(_square(value))
    return _set_counts(same, identity.transitive_closure(same) if len(true) else true, true)


def _set_counts(
    same: NDArray[np.bool_], clusters: NDArray[np.int64], true: NDArray[np.int64]
) -> dict[str, float]:
    """Pairs right as linked, pairs right as clustered, and B-cubed sums; sets of one item count for nothing."""
    closed = identity.equal_pairs(clusters)
    upper = np.triu_indices(len(true), k=1)
    precision, recall = identity.bcubed_sums(clusters, true) if len(true) > 1 else (0.0, 0.0)
    return identity.pair_counts(same, identity.equal_pairs(true)) | {
        "clustered": int(closed[upper].sum()),
        "clustered_right": int((closed & identity.equal_pairs(true))[upper].sum()),
        "bcubed_precision": precision,
        "bcubed_recall": recall,
        "items": len(true) if len(true) > 1 else 0,
    }


def _set_accuracy(sheet: ScoreSheet) -> Array:
    c = sheet.columns
    return ratio(c["same_right"] + c["different_right"], c["same"] + c["different"])


def _pairwise(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """The official accuracies: by set, then averaged over the sets that have such pairs."""
    c = sheet.columns
    by_set = {
        "accuracy": _set_accuracy(sheet),
        "same_accuracy": ratio(c["same_right"], c["same"]),
        "diff_accuracy": ratio(c["different_right"], c["different"]),
    }
    values = {
        name: weighted_mean_where(sheet, weights, rate, np.isfinite(rate)) for name, rate in by_set.items()
    }
    return values | {
        "class_accuracy": identity.harmonic_mean(values["same_accuracy"], values["diff_accuracy"])
    }


def _clustered(sheet: ScoreSheet, weights: Array) -> dict[str, Array]:
    """B-cubed over all items, and F1 over all pairs, of the closed clusters."""
    c = sheet.columns
    precision, recall = (
        weighted_ratio(sheet, weights, c[f"bcubed_{k}"], c["items"]) for k in ("precision", "recall")
    )
    pair_f1 = weighted_ratio(sheet, weights, 2 * c["clustered_right"], c["clustered"] + c["same"])
    values = (precision, recall, identity.harmonic_mean(precision, recall), pair_f1)
    return dict(zip(CLUSTERING, values, strict=True))
