"""Sentences to learn from: their numbers between marks, and the loss of predicting each word from those before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch.nn import functional

from reelbench.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch


def caption_ids(vocabulary: Vocabulary, tokens: Sequence[str], longest: int) -> NDArray[np.int64]:
    """The start mark, the numbers of the first ``longest`` tokens and the end mark: ``(T + 2,)``."""
    return vocabulary.encode(tokens, ends=True, limit=longest)


def word_loss(logits: torch.Tensor, words: torch.Tensor, pad: int) -> torch.Tensor:
    """Mean cross-entropy of the words after the first, under the scores made from the words before each.

    Parameters
    ----------
    logits
        ``(B, T, V)``; those at step t are of word t + 1.
    words
        ``(B, T + 1)``, from the start mark to the end mark, then ``pad``, which counts for nothing.
    """
    return functional.cross_entropy(logits.flatten(0, 1), words[:, 1:].flatten(), ignore_index=pad)
