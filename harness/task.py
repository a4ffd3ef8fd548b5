"""The contract of a task: what a model is shown, what it must predict, and how that is scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelbench.data import EvaluationSet, Example, Field
    from reelbench.dataset import BenchmarkSpec, Dataset
    from reelbench.predictions import Column, Predictions
    from reelbench.scoring import Metric, ScoreSheet


class Task(ABC):
    """Base class of tasks; an instance is stateless and registered through ``reelbench_tasks``.

    Attributes
    ----------
    name
        Slug, as in ``name@dataset:protocol``.
    title, summary
        For people.
    inputs
        The fields a model may see at prediction.
    prediction
        Columns that a method's ``predict_step`` returns for a batch (the first axis is the batch).
    pairwise
        Whether a method predicts by ``encode_query``/``encode_gallery``/``score`` instead of ``predict_step``.
    protocols
        Protocol name → one line of its rules. The first one is the default.
    withheld
        Modalities that hold the answer: no method reads them at prediction, whatever it declares.
    given
        What stays as it is when clusters are drawn, so that intervals hold given it: said below tables.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    inputs: ClassVar[Mapping[str, Field]]
    prediction: ClassVar[Mapping[str, Column]]
    protocols: ClassVar[Mapping[str, str]]
    pairwise: ClassVar[bool] = False
    withheld: ClassVar[Sequence[str]] = ()
    given: ClassVar[str] = ""

    def brings(self, dataset: str) -> Sequence[BenchmarkSpec]:
        """Benchmarks that this task can build on a dataset that does not list them itself (a method's own task)."""
        return ()

    def columns(self, protocol: str) -> Mapping[str, Column]:
        """The columns that a protocol asks for; by default all of ``prediction``."""
        return self.prediction

    def ceiling_names(self, protocol: str) -> tuple[str, ...]:
        """Names of the rows that :meth:`ceilings` makes, known without data."""
        return ()

    @abstractmethod
    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""

    def evaluation(self, dataset: Dataset, protocol: str, split: str) -> EvaluationSet:
        """The examples and answers of a benchmark's split; by default the dataset's own.

        A task that a method brings builds them here from the dataset's relations.
        """
        return dataset.evaluation(self.name, protocol, split)

    @abstractmethod
    def validate(self, predictions: Predictions, evaluation: EvaluationSet) -> None:
        """Check ids, shapes and finiteness.

        Raises
        ------
        PredictionError
            With one line naming the first thing that is wrong. Never a silent zero.
        """

    @abstractmethod
    def measure(self, predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
        """Per-example statistics of valid predictions, in the order of ``evaluation.examples``.

        The next trial is measured with the same ``evaluation``: nothing in it may be changed.
        """

    @abstractmethod
    def aggregate(self, sheet: ScoreSheet, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Metrics under weights of shape ``(draws, clusters)``: name → ``(draws,)``."""

    def positives(self, sheet: ScoreSheet) -> NDArray[np.float64] | None:
        """Of a task that averages over classes: how many positives each example has of each, ``(n, classes)``.

        A draw of clusters that has none of a class leaves it out of its mean; how many are left out is said below tables.
        """
        return None

    def ceilings(self, evaluation: EvaluationSet) -> dict[str, Predictions]:
        """Rows that no method can pass (a human ceiling, an oracle of the protocol): name → predictions."""
        return {}

    def example_scores(self, sheet: ScoreSheet) -> NDArray[np.float64]:
        """One number an example, higher is better, by which a report picks best, worst and typical: ``(n,)``."""
        raise NotImplementedError(f"task {self.name!r} does not rank its examples")

    def show(
        self,
        example: Example,
        targets: Mapping[str, Any],
        prediction: Mapping[str, Any],
        evaluation: EvaluationSet,
    ) -> dict[str, str]:
        """What a person reads about one example: heading → plain text (``Question``, ``Answer``, ``Predicted``)."""
        return {}

    def score(
        self, predictions: Predictions, evaluation: EvaluationSet
    ) -> tuple[ScoreSheet, dict[str, float]]:
        """Validate, measure and aggregate once over the whole split."""
        self.validate(predictions, evaluation)
        sheet = self.measure(predictions, evaluation)
        values = self.aggregate(sheet, sheet.unit_weights())
        return sheet, {name: float(value[0]) for name, value in values.items()}
