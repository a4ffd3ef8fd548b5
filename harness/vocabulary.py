"""Words and their numbers, as an asset computed from training data only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PAD, START, END, UNKNOWN, BLANK = "<pad>", "<start>", "<end>", "<unk>", "_____"
SPECIALS = (PAD, START, END, UNKNOWN, BLANK)


@dataclass(frozen=True)
class Vocabulary:
    """Words in index order; the first five are padding (0), start, end, unknown and the blank."""

    words: tuple[str, ...]

    @classmethod
    def from_sentences(
        cls, sentences: Iterable[Sequence[str]], *, min_count: int = 1, size: int | None = None
    ) -> Vocabulary:
        """The words that occur at least ``min_count`` times, most frequent first, ties by spelling."""
        counts = Counter(token for sentence in sentences for token in sentence)
        ranked = sorted((-n, w) for w, n in counts.items() if n >= min_count and w not in SPECIALS)
        return cls(SPECIALS + tuple(w for _, w in ranked[:size]))

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def index(self) -> dict[str, int]:
        """Word → number."""
        return {word: i for i, word in enumerate(self.words)}

    def encode(
        self, tokens: Sequence[str], *, ends: bool = False, limit: int | None = None
    ) -> NDArray[np.int64]:
        """Numbers of tokens ``(T,)``; ``ends`` adds start and end marks; ``limit`` cuts the tokens first."""
        import numpy as np

        unknown = self.index[UNKNOWN]
        ids = [self.index.get(t, unknown) for t in tokens[:limit]]
        if ends:
            ids = [self.index[START], *ids, self.index[END]]
        return np.asarray(ids, dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Words up to the first end mark, without padding and start marks."""
        words = []
        for i in ids:
            word = self.words[int(i)]
            if word == END:
                break
            if word not in (PAD, START):
                words.append(word)
        return words
