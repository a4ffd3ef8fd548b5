"""Sets of clips as arrays: words round each mention, means of each track, and links as lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.layers.frames import mean_frame

if TYPE_CHECKING:
    import torch

    from reelbench.data import Example
    from reelbench.vocabulary import Vocabulary

REACH = 6


def mention_windows(example: Example, vocabulary: Vocabulary) -> NDArray[np.int64]:
    """Numbers of the words up to six before and after each mention, zeros beyond the sentence: ``(M, 12)``."""
    rows = [
        _window(vocabulary.encode(example["sentences"][int(clip)]), int(token))
        for clip, token in example["mentions"]
    ]
    return np.stack(rows) if rows else np.zeros((0, 2 * REACH), np.int64)


def _window(ids: NDArray[np.int64], token: int) -> NDArray[np.int64]:
    padded = np.pad(ids, (REACH, REACH))
    return np.concatenate([padded[token : token + REACH], padded[token + REACH + 1 : token + 2 * REACH + 1]])


def track_means(example: Example, modalities: Sequence[str]) -> NDArray[np.float32]:
    """Mean features of each track: ``(K, D)``."""
    rows = [mean_frame(track, modalities) for track in example["tracks"]]
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def clips_of(pairs: Any) -> NDArray[np.int64]:
    """The clip of each mention: the first column of ``(M, 2)``."""
    return np.asarray(pairs, dtype=np.int64).reshape(-1, 2)[:, 0]


def as_tables(scores: torch.Tensor, lengths: torch.Tensor) -> list[list[list[float]]]:
    """Probabilities ``(B, K, K)`` without padding, as nested lists."""
    return [table[:n, :n].tolist() for table, n in zip(scores, lengths.tolist(), strict=True)]


def as_labels(table: Sequence[Sequence[float]]) -> list[int]:
    """Labels by linking each item to the earlier one it most likely equals, if that is likelier than not."""
    labels: list[int] = []
    for i, row in enumerate(table):
        best = max(range(i), key=lambda j: row[j], default=None)
        labels.append(labels[best] if best is not None and row[best] >= 0.5 else max(labels, default=-1) + 1)
    return labels
