"""Which words a concept detector is trained to find: the commonest nouns, verbs and adjectives of training captions.

Where captions come without parts of speech, a parser's, or the commonest words that are not on a stop list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from reelbench.errors import UsageError

if TYPE_CHECKING:
    from reelbench.data import Example
    from reelbench.vocabulary import Vocabulary

CONTENT_TAGS = frozenset({"NOUN", "VERB", "ADJ"})
_STOPPED = (
    "a about above after again all along also an and another any are around as at away back be been before behind being "
    "below beside between both but by can do does down each for from front had has have he her hers him himself his how i "
    "if in inside into is it its itself just like many me more most my near no not now of off on one only onto or other our "
    "out outside over past same several she so some someone something than that the their them then there these they this "
    "those three through to together too toward towards two under until up upon very was we were what when where which "
    "while who whose why will with within without you your"
)
STOP_LIST = frozenset(_STOPPED.split())


def concept_words(
    captions: Sequence[Example], vocabulary: Vocabulary, size: int, tags: Literal["data", "parser", "none"]
) -> list[str]:
    """At most ``size`` words of the vocabulary, commonest first, ties by spelling (§4.2.2).

    Parameters
    ----------
    captions
        With ``sentence``, and ``sentence_pos`` where the dataset knows parts of speech.
    tags
        Whose parts of speech: the dataset's, a parser's, or none; without any a stop list says what is left out.

    Raises
    ------
    UsageError
        If the dataset's are asked for and no caption has them: whose they are is said on a row by its variant.
    """
    if tags == "data" and not any("sentence_pos" in e.fields for e in captions):
        raise UsageError(
            "captions have no parts of speech (field 'sentence_pos'), by which ct-san chooses its concepts: "
            "run its variant stop-list, or parsed with spaCy"
        )
    sentences = [e["sentence"] for e in captions]
    pairs = {"data": _tagged(captions), "parser": _parsed(sentences), "none": _unstopped(sentences)}[tags]
    counts = Counter(word for word, content in pairs if content and word in vocabulary.index)
    return [word for _, word in sorted((-n, word) for word, n in counts.items())[:size]]


def concept_vector(concepts: Sequence[str], tokens: Iterable[str]) -> NDArray[np.float32]:
    """The reference vector ``p*`` of Eq. 4.6, one where a concept is among the tokens: ``(V,)``."""
    said = frozenset(tokens)
    return np.fromiter((word in said for word in concepts), np.float32, len(concepts))


def _tagged(captions: Iterable[Example]) -> Iterator[tuple[str, bool]]:
    """Each word of the captions, and whether it is one of content, by the dataset's tags; by the stop list where one has none."""
    for example in captions:
        if "sentence_pos" in example.fields:
            yield from _by_tags(example["sentence"], example["sentence_pos"])
        else:
            yield from _unstopped([example["sentence"]])


def _parsed(sentences: Sequence[Sequence[str]]) -> Iterator[tuple[str, bool]]:
    """The same by a parser's tags."""
    from reelbench.plugins.ctsan.parser import tag

    for words, tags in zip(sentences, tag(sentences), strict=True):
        yield from _by_tags(words, tags)


def _unstopped(sentences: Iterable[Sequence[str]]) -> Iterator[tuple[str, bool]]:
    """The same by the stop list."""
    for words in sentences:
        yield from ((word, word.isalpha() and word not in STOP_LIST) for word in words)


def _by_tags(words: Sequence[str], tags: Sequence[str]) -> Iterator[tuple[str, bool]]:
    return zip(words, (tag in CONTENT_TAGS for tag in tags), strict=True)
