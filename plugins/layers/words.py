"""Sentences as numbers, without the words that are not in the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelbench.vocabulary import BLANK, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    from reelbench.training.source import TrainingSource


def known_words(vocabulary: Vocabulary, tokens: Sequence[str], limit: int | None = None) -> NDArray[np.int64]:
    """Numbers of the first ``limit`` known tokens ``(M,)``; one unknown mark if there is none.

    A blank that would stand behind the limit stands in the middle of what is kept: a sentence without it asks nothing.
    """
    known = [t for t in tokens if t in vocabulary.index]
    start = 0
    if limit is not None and BLANK in known[limit:]:
        start = min(known.index(BLANK) - limit // 2, len(known) - limit)
    return vocabulary.encode(known[start:][:limit] or [UNKNOWN])


def training_vocabulary(source: TrainingSource, relation: str, field: str, min_count: int) -> Vocabulary:
    """The vocabulary of a relation's sentences (a text field, or a list of texts)."""
    texts = (example[field] for example in source.relation(relation))
    sentences = (s for text in texts for s in (text if isinstance(text, list) else [text]))
    return Vocabulary.from_sentences(sentences, min_count=min_count)
