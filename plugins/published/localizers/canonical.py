"""Canonical correlation analysis of moments and sentences, in closed form. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Example
from reelbench.plugins.baselines.moments import candidates_of, ranked
from reelbench.plugins.layers.frames import segment_means

if TYPE_CHECKING:
    from reelbench.method import Context
    from reelbench.plugins.published.localizers.method import CCAConfig
    from reelbench.training.source import TrainingSource
    from reelbench.vocabulary import Vocabulary

Array = NDArray[np.float64]


def fit(source: TrainingSource, vocabulary: Vocabulary, config: CCAConfig) -> dict[str, Array]:
    """Means and projections of both sides, weighed by their correlations, from every annotator's segment."""
    seen, said = [], []
    for example in source.relation("segments"):
        segments = np.asarray((example.targets or {})["segments"], dtype=np.float64)
        seen.append(segment_means(source.read(example["video"]), segments, source.features))
        said.append(np.repeat(word_shares(example["query"], vocabulary)[None], len(segments), axis=0))
    return correlate(np.concatenate(seen), np.concatenate(said), config)


def correlate(x: NDArray[Any], y: NDArray[Any], config: CCAConfig) -> dict[str, Array]:
    """Directions of ``x`` ``(n, D)`` and ``y`` ``(n, V)`` that correlate most: ``{"seen_mean", "seen", "said_mean", "said"}``."""
    x_mean, y_mean = x.mean(axis=0, dtype=np.float64), y.mean(axis=0, dtype=np.float64)
    x, y = x - x_mean, y - y_mean
    x_white, y_white = _whitening(x, config.ridge), _whitening(y, config.ridge)
    left, correlation, right = np.linalg.svd(x_white.T @ (x.T @ y / len(x)) @ y_white)
    kept = min(config.directions, len(correlation))
    return {
        "seen_mean": x_mean,
        "seen": x_white @ left[:, :kept] * correlation[:kept],
        "said_mean": y_mean,
        "said": y_white @ right[:kept].T * correlation[:kept],
    }


def rank(example: Example, ctx: Context) -> Example:
    """The example's candidates by the cosine of their projection with the sentence's."""
    found, candidates = ctx.data.assets["projections"], candidates_of(example)
    means = segment_means(example["video"], candidates, ctx.data.features)
    seen = (means - found["seen_mean"]) @ found["seen"]  # (K, directions)
    said = (word_shares(example["query"], ctx.data.assets["vocabulary"]) - found["said_mean"]) @ found["said"]
    scores = seen @ said / np.maximum(np.linalg.norm(seen, axis=1), 1e-9)
    return Example(example.id, {"segments": ranked(candidates, scores)}, example.targets)


def word_shares(tokens: Sequence[str], vocabulary: Vocabulary) -> Array:
    """How often each word of the vocabulary stands in a sentence, over its length: ``(V,)``."""
    return np.bincount(vocabulary.encode(tokens), minlength=len(vocabulary)) / max(1, len(tokens))


def _whitening(rows: NDArray[Any], ridge: float) -> Array:
    """What makes the columns of centred rows uncorrelated and of unit variance, as far as the ridge lets it."""
    covariance = rows.T @ rows / len(rows)
    covariance += ridge * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors / np.sqrt(np.maximum(values, 1e-12)))
