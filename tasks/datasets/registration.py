"""The built-in datasets, registered as anyone's are."""

from __future__ import annotations

from collections.abc import Sequence

from reelbench.dataset import DatasetSource
from reelbench.hookspecs import hookimpl
from reelbench.tasks.datasets.didemo import DidemoSource
from reelbench.tasks.datasets.microworld.source import MicroworldSource


@hookimpl
def reelbench_datasets() -> Sequence[DatasetSource]:
    """Microworld, which needs nothing downloaded, and DiDeMo's published files."""
    return (MicroworldSource(), DidemoSource())
