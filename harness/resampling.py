"""Replicates: a trial's metrics under resampled test sets, from which reports know how much of a difference is noise.

Test examples come in clusters (a story, a video, a movie) that are not independent inside, so whole clusters are
drawn. The draws depend on the clusters' names alone: every method on a benchmark is resampled alike, whoever scored it
and wherever, so that the replicates of two rows can be subtracted. Source: Owen 2007; ``docs/statistics.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelbench.scoring import ScoreSheet
    from reelbench.task import Task

DRAWS = 2000
"""A variance is then known within 3 % and an interval within 2 %: far less than what few seeds leave open."""
AT_ONCE = 500
REPLICATES = "replicates.safetensors"


def clusters_digest(names: Sequence[str]) -> str:
    """What two score sheets must share for their replicates to be of the same draws: 16 hex digits."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def cluster_weights(names: Sequence[str], draws: int = DRAWS) -> NDArray[np.float64]:
    """How often each cluster is in each resample, ``(draws, clusters)``, read-only; every draw has as many as there are."""
    return _weights(tuple(names), draws)


@lru_cache(maxsize=4)  # the trials of one benchmark come after each other
def _weights(names: tuple[str, ...], draws: int) -> NDArray[np.float64]:
    import numpy as np

    seed, count = int(clusters_digest(names), 16), len(names)
    drawn = (
        np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), draws).astype(np.float64)
    )
    drawn.flags.writeable = False
    return drawn


def replicate(task: Task, sheet: ScoreSheet, draws: int = DRAWS) -> dict[str, NDArray[np.float32]]:
    """Every metric in each draw: name → ``(draws,)``, NaN where a draw leaves a metric undefined."""
    import numpy as np

    weights = cluster_weights(sheet.cluster_names, draws)
    parts = [task.aggregate(sheet, weights[k : k + AT_ONCE]) for k in range(0, draws, AT_ONCE)]
    return {name: np.concatenate([part[name] for part in parts]).astype(np.float32) for name in parts[0]}


def classes_left_out(task: Task, sheet: ScoreSheet, draws: int = DRAWS) -> dict[str, float] | None:
    """How many classes the test set has positives of (``present``) and how many of them a draw has none of on average (``left_out``)."""
    positives = task.positives(sheet)
    if positives is None:
        return None
    present = positives[:, positives.any(axis=0)]
    drawn = positives_by_draw(present, sheet.clusters, cluster_weights(sheet.cluster_names, draws))
    return {"present": present.shape[1], "left_out": float((drawn == 0).sum(axis=0).mean())}


def positives_by_draw(
    counts: NDArray[Any], clusters: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How many positives each class has in each draw, ``(classes, draws)``, from rows' counts ``(n, classes)``."""
    import numpy as np

    table = np.zeros((weights.shape[1], counts.shape[1]))
    np.add.at(table, clusters, counts)
    return np.asarray(table.T @ weights.T)


def save_replicates(replicates: dict[str, NDArray[np.float32]], folder: Path) -> None:
    """Write ``replicates.safetensors``."""
    from safetensors.numpy import save_file

    save_file(replicates, folder / REPLICATES)
