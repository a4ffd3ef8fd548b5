"""Word vectors: read from a file of published ones, or made of what words stand beside in some texts. Numpy only.

A word that the texts have not is spelled like one that they have: ``walk`` is read as ``walks``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.errors import UsageError
from reelbench.vocabulary import Vocabulary

WINDOW = 4
ALIKE = 0.5  # of the pieces of two words, how many they share to be forms of one


def cooccurrence_vectors(
    sentences: Iterable[Sequence[str]], vocabulary: Vocabulary, width: int
) -> NDArray[np.float32]:
    """Vectors whose products are how much more often two words stand near each other than by chance: ``(V, width)``.

    The leading singular vectors of positive pointwise mutual information within four words, each times the root of its
    value; entries have unit variance. Words that never occur, and dimensions beyond the rank, are zero. Source: Levy and
    Goldberg, "Neural Word Embedding as Implicit Matrix Factorization", NeurIPS 2014.
    """
    counts = _cooccurrences(sentences, vocabulary)
    total, often = max(counts.sum(), 1.0), np.maximum(counts.sum(0), 1.0)
    information = np.log(np.maximum(counts * total / np.outer(often, often), 1.0))  # (V, V)
    left, values, _ = np.linalg.svd(information)
    vectors = np.zeros((len(vocabulary), width), np.float32)
    kept = min(width, len(values))
    vectors[:, :kept] = left[:, :kept] * np.sqrt(values[:kept])
    return vectors / max(float(vectors[often > 1].std()), 1e-6) if (often > 1).any() else vectors


def published_vectors(
    path: str | None, vocabulary: Vocabulary, width: int, method: str
) -> dict[str, dict[str, NDArray[Any]]]:
    """The asset from which a table of word vectors starts where a file is named, and nothing where none is.

    Returns
    -------
    dict
        ``published``: the ``rows`` ``(n,)`` of the vocabulary whose words the file has, and their ``vectors`` ``(n, width)``.
    """
    if path is None:
        return {}
    found = read_vectors(Path(path), vocabulary.words, width, method)
    vectors = np.stack(list(found.values())) if found else np.zeros((0, width), np.float32)
    return {
        "published": {"rows": np.array([vocabulary.index[w] for w in found], np.int64), "vectors": vectors}
    }


def read_vectors(path: Path, words: Iterable[str], width: int, method: str) -> dict[str, NDArray[np.float32]]:
    """Vectors ``(width,)`` of those of ``words`` that a text file has, one word and its numbers a line, as GloVe is published.

    Raises
    ------
    UsageError
        If the file is not there, or its vectors are of another width than ``word`` of the method's config.
    """
    wanted = set(words)
    if not path.is_file():
        raise UsageError(f"no file of word vectors at {path}")
    vectors = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, _, numbers = line.rstrip().partition(" ")
            if word in wanted:
                vectors[word] = np.array(numbers.split(), np.float32)
    if wrong := {len(v) for v in vectors.values()} - {width}:
        raise UsageError(
            f"{path} has vectors of {wrong.pop()} numbers, but config 'word' of {method} is {width}"
        )
    return vectors


def nearest_spelling(word: str, known: Iterable[str]) -> str:
    """The known word that shares most of its two- to four-letter pieces, or the word itself where none shares half.

    Of equals it is the shorter, then the first by spelling.
    """
    own = _pieces(word)

    def distance(other: str) -> tuple[float, int, str]:
        theirs = _pieces(other)
        return (-2 * len(own & theirs) / (len(own) + len(theirs)), len(other), other)

    nearest = min(known, key=distance, default=word)
    return nearest if -distance(nearest)[0] >= ALIKE else word


def _pieces(word: str) -> set[str]:
    marked = f"<{word}"  # the start counts; endings are what differs
    return {marked[i : i + n] for n in (2, 3, 4) for i in range(len(marked) - n + 1)}


def _cooccurrences(sentences: Iterable[Sequence[str]], vocabulary: Vocabulary) -> NDArray[np.float64]:
    """How often two words stand within the window: ``(V, V)``, symmetric."""
    counts = np.zeros((len(vocabulary), len(vocabulary)))
    for sentence in sentences:
        ids = np.array([vocabulary.index[t] for t in sentence if t in vocabulary.index], np.int64)
        for step in range(1, WINDOW + 1):
            np.add.at(counts, (ids[:-step], ids[step:]), 1.0)
    return counts + counts.T
