"""A dataset cut down to a few examples, so that a whole chain of training and prediction takes seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reelbench.dataset import BenchmarkSpec, Dataset

if TYPE_CHECKING:
    from reelbench.data import Clip, EvaluationSet, Example, FeatureSpec, Relation

EXAMPLES = 8
ROWS = 32


class Excerpt(Dataset):
    """Evenly spaced examples of another dataset: ``examples`` to evaluate on, ``rows`` of each relation to train on."""

    def __init__(self, whole: Dataset, examples: int = EXAMPLES, rows: int = ROWS) -> None:
        self.whole, self.examples, self.rows = whole, examples, rows
        self.name = whole.name

    @property
    def fingerprint(self) -> str:
        """The whole dataset's, and how much of it is left."""
        return f"{self.whole.fingerprint}-{self.examples}-{self.rows}"

    @property
    def benchmarks(self) -> Sequence[BenchmarkSpec]:
        """As in the whole."""
        return self.whole.benchmarks

    @property
    def relations(self) -> Mapping[str, Sequence[str]]:
        """As in the whole."""
        return self.whole.relations

    @property
    def features(self) -> Mapping[str, FeatureSpec]:
        """As in the whole."""
        return self.whole.features

    @property
    def spaces(self) -> Mapping[str, tuple[str, ...]]:
        """As in the whole."""
        return self.whole.spaces

    def relation(self, name: str, split: str = "train") -> Relation:
        """A few rows of a table."""
        relation = self.whole.relation(name, split)
        return replace(relation, examples=_spread(relation.examples, self.rows))

    def evaluation(self, task: str, protocol: str, split: str) -> EvaluationSet:
        """A few examples of a split; of a gallery, what they match and as many others."""
        return cut(self.whole.evaluation(task, protocol, split), self.examples)

    def read(self, modality: str, clip: Clip) -> Any:
        """As in the whole."""
        return self.whole.read(modality, clip)

    def film_strip(self, clip: Clip, frames: int = 6) -> bytes | None:
        """As in the whole."""
        return self.whole.film_strip(clip, frames)


def uncut(dataset: Dataset) -> Dataset:
    """The dataset that an excerpt was made of; any other as it is."""
    return dataset.whole if isinstance(dataset, Excerpt) else dataset


def cut(evaluation: EvaluationSet, count: int) -> EvaluationSet:
    """The evaluation set with ``count`` of its examples."""
    kept = _spread(evaluation.examples, count)
    ids = {e.id for e in kept}
    matched = {v for i in ids for v in evaluation.targets.get(i, {}).values() if isinstance(v, str)}
    others = {e.id for e in _spread(evaluation.gallery, count)}
    return replace(
        evaluation,
        examples=kept,
        targets={i: t for i, t in evaluation.targets.items() if i in ids},
        clusters={i: c for i, c in evaluation.clusters.items() if i in ids},
        gallery=[e for e in evaluation.gallery if e.id in matched | others],
    )


def _spread(items: Sequence[Example], count: int) -> list[Example]:
    if len(items) <= count:
        return list(items)
    return [items[round(k * (len(items) - 1) / (count - 1))] for k in range(count)]
