"""Checks of the sentences that methods write, before anything scores them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelbench.errors import DatasetError, PredictionError

if TYPE_CHECKING:
    from reelbench.data import EvaluationSet

LONGEST = 10_000
"""Characters of a sentence; more is a mistake, and would take METEOR hours."""


def check_sentence(value: object, where: str) -> None:
    """Raise :class:`PredictionError` unless ``value`` is a string of a sane length; empty is allowed."""
    if not isinstance(value, str):
        raise PredictionError(f"{where} is {type(value).__name__}, expected text")
    if len(value) > LONGEST:
        raise PredictionError(f"{where} has {len(value)} characters, at most {LONGEST} are scored")


def check_references(references: list[Any], evaluation: EvaluationSet, example_id: str) -> None:
    """Raise :class:`DatasetError` for an example that nothing can be scored against."""
    if not references:
        raise DatasetError(f"{evaluation.benchmark}: example {example_id!r} has no references")
