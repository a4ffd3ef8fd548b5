"""What two rows scored on each example, averaged over seeds, and on kinds of examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelbench.errors import TrackingError
from reelbench.reports.standing import FEWEST_CLUSTERS
from reelbench.reports.statistics.contrast import Contrast, Scores, contrast
from reelbench.resampling import cluster_weights
from reelbench.scoring import ScoreSheet

if TYPE_CHECKING:
    from reelbench.data import EvaluationSet, Example
    from reelbench.dataset import Dataset
    from reelbench.reports.frames import Trial
    from reelbench.reports.leaderboard import Row
    from reelbench.task import Task

Array = NDArray[np.float64]
FEWEST = 20
"""Fewer examples of a kind than this say nothing."""
PARTS = 3
TEXT_FIELDS = ("sentence", "query", "sentences", "choices")


@dataclass(frozen=True)
class Outcomes:
    """One row's example scores: ``(seeds, examples)``, higher is better."""

    ids: tuple[str, ...]
    scores: Array
    sheet: ScoreSheet

    @property
    def mean(self) -> Array:
        """Over seeds, ``(examples,)``."""
        return self.scores.mean(axis=0)

    def on(self, chosen: NDArray[np.bool_], *, deterministic: bool) -> Scores:
        """The mean over some examples, with its replicates."""
        sheet = self.sheet
        count = np.bincount(sheet.clusters[chosen], minlength=len(sheet.cluster_names)).astype(float)
        sums = np.stack(
            [
                np.bincount(sheet.clusters[chosen], row[chosen], len(sheet.cluster_names))
                for row in self.scores
            ]
        )
        weights = cluster_weights(sheet.cluster_names)
        with np.errstate(invalid="ignore"):
            drawn = (sums @ weights.T) / (count @ weights.T)
        return Scores(
            tuple(self.scores[:, chosen].mean(axis=1)), drawn, int((count > 0).sum()), deterministic
        )


def outcomes_of(row: Row, task: Task) -> Outcomes:
    """A row's example scores, from the score sheets of its trials.

    Raises
    ------
    TrackingError
        If a score sheet is gone or damaged.
    ValueError
        If its seeds were scored on different test sets.
    """
    sheets = [_sheet(trial) for trial in row.finished]
    if any((s.ids, s.cluster_names) != (sheets[0].ids, sheets[0].cluster_names) for s in sheets):
        raise ValueError("its seeds were scored on different test sets")
    scores = np.stack([np.asarray(task.example_scores(sheet), np.float64) for sheet in sheets])
    return Outcomes(sheets[0].ids, scores, sheets[0])


def _sheet(trial: Trial) -> ScoreSheet:
    from safetensors import SafetensorError

    try:
        trial.file("sheet/sheet.safetensors")
        return ScoreSheet.load(trial.file("sheet/sheet.json").parent)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise TrackingError(
            f"{trial.label}, seed {trial.seed}, on {trial.benchmark}: its score sheet cannot be read ({error}); run the suite again"
        ) from None


@dataclass(frozen=True)
class KindLine:
    """A kind of examples: how many there are and in how many clusters, both rows' means on them, and the difference."""

    by: str
    kind: str
    examples: int
    clusters: int
    left: float
    right: float
    difference: Contrast

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves 0 out, and is of enough clusters to be believed; of this one kind alone."""
        low, high = self.difference.interval()
        return self.clusters >= FEWEST_CLUSTERS and (low > 0 or high < 0)


def kinds_of(evaluation: EvaluationSet, dataset: Dataset) -> dict[str, dict[str, str]]:
    """By what examples are broken down: name → example id → kind."""
    found: dict[str, dict[str, str]] = {}
    lengths: dict[str, int] = {}
    for example in evaluation.examples:
        if "word_class" in example.fields:
            found.setdefault("word class", {})[example.id] = str(example["word_class"])
        clip = evaluation.clip_of(example)
        for name, kind in (dataset.kinds(clip) if clip else {}).items():
            found.setdefault(name, {})[example.id] = kind
        if words := _words(example):
            lengths[example.id] = words
    return found | ({"words": _parts(lengths)} if len(set(lengths.values())) > PARTS else {})


def _words(example: Example) -> int:
    """How many words an example's text has, of several texts together."""
    for name in TEXT_FIELDS:
        if text := example.fields.get(name):
            return sum(map(len, text)) if isinstance(text, list) else len(text)
    return 0


def _parts(lengths: Mapping[str, int]) -> dict[str, str]:
    """Lengths in about equal parts: ``4–8``, ``9–11``."""
    values = np.array(sorted(lengths.values()))
    cuts = sorted({int(np.quantile(values, k / PARTS)) for k in range(1, PARTS)})
    bounds = [int(values[0]) - 1, *cuts, int(values[-1])]
    names = [(low, high, f"{low + 1}–{high}") for low, high in pairwise(bounds) if high > low]
    return {i: next(name for low, high, name in names if low < n <= high) for i, n in lengths.items()}


def by_kind(
    left: Outcomes, right: Outcomes, kinds: Mapping[str, Mapping[str, str]], deterministic: Sequence[bool]
) -> list[KindLine]:
    """Both rows on every kind that has enough examples, and on all."""
    known = np.isfinite(left.mean) & np.isfinite(right.mean)
    lines = [_line("all examples", "", known, left, right, deterministic)]
    for by, kind_of in kinds.items():
        kinds_of_ids = np.array([kind_of.get(i, "") for i in left.ids])
        for kind in sorted(set(kinds_of_ids) - {""}, key=_natural):
            chosen = (kinds_of_ids == kind) & known
            if chosen.sum() >= FEWEST:
                lines.append(_line(by, kind, chosen, left, right, deterministic))
    return lines


def _natural(kind: str) -> tuple[int, str]:
    head = kind.partition("–")[0]
    return (int(head) if head.isdigit() else 0, kind)


def _line(
    by: str,
    kind: str,
    chosen: NDArray[np.bool_],
    left: Outcomes,
    right: Outcomes,
    deterministic: Sequence[bool],
) -> KindLine:
    one, other = (o.on(chosen, deterministic=d) for o, d in zip((left, right), deterministic, strict=True))
    return KindLine(by, kind, int(chosen.sum()), one.clusters, one.mean, other.mean, contrast(one, other))


def widest(left: Outcomes, right: Outcomes, count: int) -> tuple[list[int], list[int]]:
    """The examples that the left row wins by most, and those it loses by most; no more than there are."""
    lead = np.nan_to_num(left.mean - right.mean)
    order = np.argsort(-lead, kind="stable")
    wins = [int(i) for i in order[:count] if lead[i] > 0]
    losses = [int(i) for i in order[::-1][:count] if lead[i] < 0]
    return wins, losses
