"""Distances between tracks' mean features, and the threshold that is right for most training pairs. Numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.layers.frames import mean_frame, moments_of

if TYPE_CHECKING:
    from reelbench.training.source import TrainingSource

Floats = NDArray[np.float32]


def calibrate(source: TrainingSource, sets: int) -> Mapping[str, Any]:
    """``moments``, ``threshold`` and ``spread`` from at most ``sets`` evenly spaced training sets."""
    relation = source.relation("sets")
    examples = [relation[i] for i in np.linspace(0, len(relation) - 1, min(sets, len(relation))).astype(int)]
    modalities = tuple(source.features)
    means = [
        track_means([source.read(t, track=True) for t in example["tracks"]], modalities)
        for example in examples
        if example["tracks"]
    ]
    people = [np.asarray((e.targets or {})["track_identity"]) for e in examples if e["tracks"]]
    moments = moments_of(np.concatenate(means))
    apart = [distances(standardised(rows, moments)) for rows in means]
    upper = [np.triu_indices(len(rows), 1) for rows in means]
    values = np.concatenate([d[u] for d, u in zip(apart, upper, strict=True)])
    same = np.concatenate([(p[:, None] == p)[u] for p, u in zip(people, upper, strict=True)])
    return {
        "moments": moments,
        "threshold": best_threshold(values, same),
        "spread": float(values.std()) if len(values) else 1.0,
    }


def track_means(tracks: Sequence[Mapping[str, Any]], modalities: Sequence[str]) -> Floats:
    """Mean features: ``(K, D)``; ``(0, 0)`` without tracks."""
    rows = [mean_frame(track, modalities) for track in tracks]
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def standardised(rows: Floats, moments: Mapping[str, Any]) -> Floats:
    """Rows ``(K, D)`` by the training moments; always ``D`` columns."""
    width = len(moments["mean"])
    return ((rows.reshape(-1, width) - moments["mean"]) / moments["scale"]).astype(np.float32)


def distances(rows: Floats) -> Floats:
    """Euclidean distances ``(K, K)``."""
    return np.linalg.norm(rows[:, None] - rows, axis=-1)


def best_threshold(values: NDArray[np.floating[Any]], same: NDArray[np.bool_]) -> float:
    """The distance up to which calling pairs the same is right most often; half-way between two distances."""
    order = np.argsort(values, kind="stable")
    values, same = values[order], same[order]
    right = np.concatenate([[0], np.cumsum(np.where(same, 1, -1))])  # against calling none the same
    cut = int(right.argmax())
    around = np.concatenate([[0.0], values, [2 * values[-1] if len(values) else 1.0]])
    return float((around[cut] + around[cut + 1]) / 2)


def likeness(rows: Floats, assets: Mapping[str, Any]) -> Floats:
    """Scores in (0, 1) that pass one half at the threshold: ``(K, K)``."""
    return 1 / (1 + np.exp((distances(rows) - assets["threshold"]) / assets["spread"]))
