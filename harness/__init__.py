"""The plugin author's API of reelbench, on one screen.

Everything here is loaded when first used, so that ``import reelbench`` and the command line stay fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "reelbench.batching": ("Batch", "Padded", "collate"),
    "reelbench.data": ("Clip", "EvaluationSet", "Example", "FeatureSpec", "Field", "Relation"),
    "reelbench.dataset": ("BenchmarkSpec", "Dataset", "DatasetSource"),
    "reelbench.errors": (
        "DatasetError",
        "FeatureError",
        "PredictionError",
        "ReelbenchError",
        "TrainingError",
    ),
    "reelbench.hookspecs": ("hookimpl",),
    "reelbench.method": ("Config", "Context", "DataInfo", "Method", "Phase", "Recipe", "Upstream"),
    "reelbench.predictions": ("Column", "Predictions"),
    "reelbench.scoring": ("Metric", "ScoreSheet"),
    "reelbench.task": ("Task",),
    "reelbench.training.source": ("TrainingSource",),
    "reelbench.vocabulary": ("Vocabulary",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Batch", "BenchmarkSpec", "Clip", "Column", "Config", "Context", "DataInfo", "Dataset", "DatasetError",
    "DatasetSource", "EvaluationSet", "Example", "FeatureError", "FeatureSpec", "Field", "Method", "Metric",
    "Padded", "Phase", "PredictionError", "Predictions", "Recipe", "ReelbenchError", "Relation", "ScoreSheet",
    "Task", "TrainingError", "TrainingSource", "Upstream", "Vocabulary", "collate", "hookimpl",
]  # fmt: skip

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded, collate
    from reelbench.data import Clip, EvaluationSet, Example, FeatureSpec, Field, Relation
    from reelbench.dataset import BenchmarkSpec, Dataset, DatasetSource
    from reelbench.errors import DatasetError, FeatureError, PredictionError, ReelbenchError, TrainingError
    from reelbench.hookspecs import hookimpl
    from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream
    from reelbench.predictions import Column, Predictions
    from reelbench.scoring import Metric, ScoreSheet
    from reelbench.task import Task
    from reelbench.training.source import TrainingSource
    from reelbench.vocabulary import Vocabulary


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'reelbench' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
