"""Sentences as the numbers a generator reads: whole words of a vocabulary, or GPT-2's byte pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.layers.pretrained import load_tokenizer
from reelbench.plugins.layers.sentences import caption_ids
from reelbench.vocabulary import BLANK, END, PAD, START, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    from reelbench.plugins.tapm.method import TAPMConfig


class Tokens(Protocol):
    """Numbers of marks, and of sentences. ``start`` is Eq. 7.1's [dummy], ``separator`` its [sep]."""

    size: int
    pad: int
    start: int
    separator: int
    end: int

    def encode(self, words: Sequence[str], longest: int) -> NDArray[np.int64]:
        """Start, at most ``longest`` tokens, end: ``(T + 2,)``."""

    def decode(self, ids: Sequence[int]) -> str:
        """The sentence of tokens without marks."""


class Words:
    """A vocabulary's words; the blank, which no sentence to learn has, separates."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary, self.size, index = vocabulary, len(vocabulary), vocabulary.index
        self.pad, self.start, self.separator, self.end = (index[m] for m in (PAD, START, BLANK, END))

    def encode(self, words: Sequence[str], longest: int) -> NDArray[np.int64]:
        """Start, at most ``longest`` words, end: ``(T + 2,)``."""
        return caption_ids(self.vocabulary, words, longest)

    def decode(self, ids: Sequence[int]) -> str:
        """The words, without marks and unknown ones."""
        return " ".join(word for word in self.vocabulary.decode(ids) if word not in (UNKNOWN, BLANK))


class BytePairs:
    """The byte pairs of a pretrained GPT-2. Source: Radford et al. 2019; marks as in the released code.

    GPT-2 has one mark, the end of a text; the released code takes it as the start, and existing runs of underscores, which
    no caption has, as separator (and end) and as padding.
    """

    def __init__(self, checkpoint: str) -> None:
        self.tokenizer: Any = load_tokenizer(checkpoint)
        self.size = len(self.tokenizer)
        self.start = int(self.tokenizer.eos_token_id)
        numbers = self.tokenizer.get_vocab()
        *_, separator, pad = sorted(
            piece for piece in numbers if set(piece) == {"_"}
        )  # GPT-2 has runs of up to 64
        self.separator, self.pad = int(numbers[separator]), int(numbers[pad])
        self.end = self.separator

    def encode(self, words: Sequence[str], longest: int) -> NDArray[np.int64]:
        """Start, at most ``longest`` pieces, end: ``(T + 2,)``."""
        pieces = self.tokenizer(" ".join(words), add_special_tokens=False)["input_ids"][:longest]
        return np.asarray([self.start, *pieces, self.end], dtype=np.int64)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the pieces, without marks."""
        marks = (self.start, self.separator, self.pad)
        return str(self.tokenizer.decode([i for i in ids if i not in marks])).strip()


_byte_pairs = cache(BytePairs)


def tokens_of(config: TAPMConfig, assets: Mapping[str, Any]) -> Tokens:
    """What a fit's sentences are made of: the paper keeps byte pairs for pretrained models (§7.4.1)."""
    if config.pretraining == "checkpoint":
        return _byte_pairs(config.checkpoint)
    return Words(assets["vocabulary"])
