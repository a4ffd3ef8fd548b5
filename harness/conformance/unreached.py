"""Checks of what must not reach a prediction: the answers of the test split, and memory that no weights file holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reelbench.conformance.altered import Scrambled, accepting, serving
from reelbench.conformance.closeness import TOLERANCE, difference
from reelbench.conformance.report import Broken
from reelbench.errors import SkippedPair
from reelbench.stages import fit_digest

if TYPE_CHECKING:
    from reelbench.benchmarks import Benchmark
    from reelbench.conformance.subject import Subject
    from reelbench.predictions import Predictions


def check_labels(subject: Subject) -> str:
    """A fit and its predictions are the same when every test example has another one's answers.

    What the fit starts from is not fitted again: it is looked at as a recipe of its own.
    """
    other = subject.over(
        lambda name: Scrambled(subject.open_dataset(name)),  # type: ignore[arg-type]
        "scrambled",
        keep=[s.fingerprint for s in subject.stages if s is not subject.fit_stage],
    )
    if fit_digest(subject.run(subject.fit_stage)) != fit_digest(other.run(other.fit_stage)):
        raise Broken(
            "a fit ends with other weights or assets when the test answers are scrambled; it reads them, or two fits of one seed differ"
        )
    asked = [b for b, splits in subject.benchmarks() if "test" in splits]
    for benchmark in asked:
        _check_untouched(benchmark, *(_on_test(s, benchmark) for s in (subject, other)))
    return f"the same fit and predictions of {len(asked)} test splits with scrambled answers"


def _on_test(subject: Subject, benchmark: Benchmark) -> Predictions:
    task = accepting(subject.registry.task(benchmark.task))
    return subject.predict(benchmark, "test", batch_size=8, task=task)


def _check_untouched(benchmark: Benchmark, true: Predictions, scrambled: Predictions) -> None:
    if gap := _gap(true.columns, scrambled.columns):
        raise Broken(
            f"column {gap[0]!r} of {benchmark.task}:{benchmark.protocol} differs when the test answers are scrambled; predict from the task's inputs only"
        )


def check_reload(subject: Subject, predicted: Mapping[tuple[Benchmark, str], Predictions]) -> str:
    """The module that was trained predicts what was predicted with the one that was read back."""
    (module,) = subject.held
    if module is None:
        raise SkippedPair("there is no module: what is predicted comes from the assets alone")
    method = serving(subject.method, module)
    for (benchmark, split), read_back in predicted.items():
        trained = subject.predict(benchmark, split, batch_size=8, method=method)
        if gap := _gap(trained.columns, read_back.columns):
            raise Broken(
                f"column {gap[0]!r} of {benchmark.task}:{benchmark.protocol} differs by {gap[1]:.3g} of its spread between the trained module and the one read back; keep what predictions need in parameters or registered buffers"
            )
    return f"the trained module and the one read back predict the same on {len(predicted)} benchmarks"


def _gap(ones: Mapping[str, Any], others: Mapping[str, Any]) -> tuple[str, float] | None:
    """The first column that differs, and by how much."""
    gaps = ((name, difference(column, others[name])) for name, column in ones.items())
    return next(((name, gap) for name, gap in gaps if gap > TOLERANCE), None)
