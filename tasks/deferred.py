"""Tasks in two parts: a specification that imports nothing heavy, and rules that are imported when scoring starts.

Listing tasks must stay fast, so a task file holds names, fields, protocols and metrics only; the functions that
touch arrays stand in ``reelbench.tasks.rules``, one module a task, under the names of the methods they serve.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelbench.data import EvaluationSet, Example
    from reelbench.predictions import Predictions
    from reelbench.scoring import ScoreSheet


class DeferredTask(Task):
    """A task whose work is done by the functions of a module; what each does is said there.

    Attributes
    ----------
    rules
        The module's full name. It has ``validate``, ``measure``, ``aggregate``, ``example_scores`` and ``show``, and
        ``ceilings`` and ``positives`` where there are some.
    ceiling_rows
        Names of the rows that ``ceilings`` makes.
    """

    rules: ClassVar[str]
    ceiling_rows: ClassVar[tuple[str, ...]] = ()

    def _rule(self, name: str) -> Any:
        return getattr(import_module(self.rules), name, None)

    def validate(self, predictions: Predictions, evaluation: EvaluationSet) -> None:
        """Check ids, shapes and finiteness."""
        self._rule("validate")(predictions, evaluation)

    def measure(self, predictions: Predictions, evaluation: EvaluationSet) -> ScoreSheet:
        """Per-example statistics of valid predictions, in the evaluation's order."""
        return self._rule("measure")(predictions, evaluation)  # type: ignore[no-any-return]

    def aggregate(self, sheet: ScoreSheet, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Metrics under weights of shape ``(draws, clusters)``."""
        return self._rule("aggregate")(sheet, weights)  # type: ignore[no-any-return]

    def positives(self, sheet: ScoreSheet) -> NDArray[np.float64] | None:
        """Positives of each example by class ``(n, classes)``, where there are means over classes."""
        positives = self._rule("positives")
        return positives(sheet) if positives else None

    def ceiling_names(self, protocol: str) -> tuple[str, ...]:
        """Names of the rows that :meth:`ceilings` makes."""
        return self.ceiling_rows

    def ceilings(self, evaluation: EvaluationSet) -> dict[str, Predictions]:
        """Rows that no method can pass; none where the rules name none."""
        ceilings = self._rule("ceilings")
        return ceilings(evaluation) if ceilings else {}

    def example_scores(self, sheet: ScoreSheet) -> NDArray[np.float64]:
        """One number an example, higher is better; NaN where there was nothing to get right."""
        return self._rule("example_scores")(sheet)  # type: ignore[no-any-return]

    def show(
        self,
        example: Example,
        targets: Mapping[str, Any],
        prediction: Mapping[str, Any],
        evaluation: EvaluationSet,
    ) -> dict[str, str]:
        """What a person reads about one example."""
        return self._rule("show")(example, targets, prediction, evaluation)  # type: ignore[no-any-return]
