"""Words of a set: where each sentence's stand in the one sequence, and the verb of each mention. Numpy only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.cisin.words import clause_head

if TYPE_CHECKING:
    from reelbench.data import Example
    from reelbench.vocabulary import Vocabulary


def sentence_places(sentence_of: NDArray[np.int64], sentences: int) -> list[NDArray[np.int64]]:
    """Places of each sentence's pieces, marks with them; the last place for a sentence that was cut off."""
    places = [np.flatnonzero(sentence_of == k) for k in range(sentences)]
    return [p if len(p) else np.array([len(sentence_of) - 1]) for p in places]


def verb_fields(example: Example, vocabulary: Vocabulary) -> dict[str, NDArray[np.int64]]:
    """``verb`` and ``mention_clip`` ``(M,)``, ``track_clip`` ``(K,)``."""
    mentions = np.asarray(example["mentions"], dtype=np.int64).reshape(-1, 2)
    verbs = [
        example["sentences"][clip][clause_head(example.fields, clip, token)]
        for clip, token in mentions.tolist()
    ]
    return {
        "verb": vocabulary.encode(verbs),
        "mention_clip": mentions[:, 0],
        "track_clip": np.asarray(example["track_clip"], dtype=np.int64),
    }
