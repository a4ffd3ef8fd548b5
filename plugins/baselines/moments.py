"""Candidate moments of a video and the annotators' votes for them, shared by the baselines of localization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Example
from reelbench.plugins.layers.frames import segment_means
from reelbench.plugins.layers.segments import overlaps

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Padded
    from reelbench.data import FeatureSpec

PIECES = 6


def candidates_of(example: Example) -> NDArray[np.float64]:
    """The example's candidates, or where spans are free every run of a sixth of the video or more: ``(K, 2)`` seconds."""
    given = np.asarray(example["candidates"], dtype=np.float64)
    if len(given):
        return given
    runs = [(i, j + 1) for i in range(PIECES) for j in range(i, PIECES)]
    return np.asarray(runs, dtype=np.float64) * example["duration_s"] / PIECES


def votes(example: Example) -> NDArray[np.float64]:
    """How many annotators' segments come closest to each candidate: ``(K,)``; ties go to the earlier one."""
    candidates = candidates_of(example)
    nearest = overlaps(np.asarray((example.targets or {})["segments"], dtype=np.float64), candidates).argmax(
        1
    )
    return np.bincount(nearest, minlength=len(candidates)).astype(np.float64)


def ranked(
    candidates: Sequence[Any] | NDArray[Any], scores: Sequence[float] | NDArray[Any]
) -> list[list[float]]:
    """Candidates as lists, best first; ties keep the candidates' order."""
    order = np.argsort(-np.asarray(scores)[: len(candidates)], kind="stable")
    return [[float(t) for t in candidates[i]] for i in order]


def rank_batch(candidates: Padded, scores: torch.Tensor) -> list[list[list[float]]]:
    """Each example's candidates ``(B, K, 2)``, best first by ``(B, K)``."""
    rows = zip(candidates.data, candidates.lengths.tolist(), scores, strict=True)
    return [ranked(c[:n].tolist(), s[:n].tolist()) for c, n, s in rows]


def located_means(example: Example, specs: Mapping[str, FeatureSpec]) -> NDArray[np.float32]:
    """Mean features of each candidate, and its start and end as shares of the video: ``(K, D + 2)``."""
    candidates = candidates_of(example)
    place = (candidates / example["duration_s"]).astype(np.float32)
    return np.concatenate([segment_means(example["video"], candidates, specs), place], axis=1)
