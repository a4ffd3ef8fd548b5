"""ROUGE-L (Lin, "ROUGE", ACL workshop 2004, §3) of each caption, as captioning uses it.

The F-measure of the longest common subsequence with β = 1.2, from the best precision and the best recall over the
references, which may be two different ones. Tokens are split at single spaces, so an empty sentence has one empty
token, as in ``pycocoevalcap``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BETA = 1.2


def rouge_l(captions: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """ROUGE-L of each tokenized caption against its references: ``(n,)``."""
    scores = [
        _score(c.split(" "), [r.split(" ") for r in refs])
        for c, refs in zip(captions, references, strict=True)
    ]
    return np.array(scores, dtype=np.float64)


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest sequence of tokens that both hold in order, not necessarily side by side.

    The usual table, a row a whole number whose zero bits are the columns where the length grows (Hyyrö, "Bit-parallel
    LCS-length computation revisited", AWOCA 2004).
    """
    places: dict[str, int] = {}
    for column, token in enumerate(second):
        places[token] = places.get(token, 0) | 1 << column
    full = row = (1 << len(second)) - 1
    for token in first:
        common = row & places.get(token, 0)
        row = (row + common | row - common) & full
    return len(second) - row.bit_count()


def _score(caption: list[str], references: list[list[str]]) -> float:
    lengths = [longest_common_subsequence(caption, reference) for reference in references]
    precision = max(lengths) / len(caption)
    recall = max(length / len(reference) for length, reference in zip(lengths, references, strict=True))
    if precision == 0 or recall == 0:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)
