"""The C sentences of a set as one sequence, and the places in it of each mention and of the mention's verb (§6.3.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.layers.pretrained import load_tokenizer
from reelbench.vocabulary import END, START

if TYPE_CHECKING:
    from reelbench.data import Example
    from reelbench.method import Context
    from reelbench.vocabulary import Vocabulary

SOMEONE = "[someone]"
NOMINAL = frozenset({"NOUN", "PROPN", "PRON", "ADP", "DET", "ADJ", "NUM"})
"""What stands between a mention inside a phrase ("to [someone]") and its verb."""
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pieces:
    """A set's text: numbers of its pieces ``(W,)``, the sentence of each ``(W,)``, and where each token begins."""

    ids: Ints
    sentence: Ints
    start: tuple[tuple[int, ...], ...]

    def place(self, sentence: int, token: int) -> int:
        """The first piece of a token; the last piece there is where the sequence was cut before it."""
        return min(self.start[sentence][token], len(self.ids) - 1)


def text_fields(example: Example, ctx: Context) -> dict[str, Ints]:
    """``words`` and ``sentence_of`` ``(W,)``; ``mention_place``, ``verb_place`` and ``mention_clip`` ``(M,)``."""
    pieces = _pieces(example["sentences"], ctx)
    mentions = np.asarray(example["mentions"], dtype=np.int64).reshape(-1, 2)
    verbs = [(int(c), clause_head(example.fields, int(c), int(token))) for c, token in mentions]
    return {
        "words": pieces.ids,
        "sentence_of": pieces.sentence,
        "mention_place": _numbers([pieces.place(int(c), int(token)) for c, token in mentions]),
        "verb_place": _numbers([pieces.place(c, token) for c, token in verbs]),
        "mention_clip": mentions[:, 0],
    }


def _numbers(values: Sequence[int]) -> Ints:
    return np.asarray(values, dtype=np.int64)


def clause_head(fields: Mapping[str, Any], sentence: int, token: int) -> int:
    """The head of the clause that a mention is in, generally its verb; the mention itself where nothing is parsed.

    Climbs from the mention past nominal words, so that "hands the lamp to [someone]" gives "hands" and "… while
    [someone] is away" gives "away". Without parts of speech it is the mention's parent.
    """
    if "sentences_head" not in fields:
        return token
    heads = fields["sentences_head"][sentence]
    pos = fields["sentences_pos"][sentence] if "sentences_pos" in fields else ()
    head = heads[token] if heads[token] >= 0 else token
    for _ in range(len(heads)):  # a parse with a circle ends too
        if not pos or pos[head] not in NOMINAL or heads[head] < 0:
            return head
        head = heads[head]
    return head


def _pieces(sentences: Sequence[Sequence[str]], ctx: Context) -> Pieces:
    if ctx.config.pretrained:
        return word_pieces(sentences, ctx.config.pretrained, ctx.config.max_words)
    return whole_words(sentences, ctx.data.assets["vocabulary"], ctx.config.max_words)


def whole_words(sentences: Sequence[Sequence[str]], vocabulary: Vocabulary, limit: int) -> Pieces:
    """Words of an own vocabulary; start and end marks stand for [CLS] and [SEP]."""
    numbers = [vocabulary.encode(sentence).tolist() for sentence in sentences]
    marks = vocabulary.index[START], vocabulary.index[END]
    return _joined([[[number] for number in sentence] for sentence in numbers], marks, limit)


def word_pieces(sentences: Sequence[Sequence[str]], name: str, limit: int) -> Pieces:
    """Pieces of a pretrained model's tokenizer; a mention is the plain word "someone"."""
    tokenizer = load_tokenizer(name)
    plain = [["someone" if token == SOMEONE else token for token in sentence] for sentence in sentences]
    numbers = [
        [tokenizer.encode(t, add_special_tokens=False) or [tokenizer.unk_token_id] for t in s] for s in plain
    ]
    return _joined(numbers, (tokenizer.cls_token_id, tokenizer.sep_token_id), limit)


def _joined(numbers: Sequence[Sequence[Sequence[int]]], marks: tuple[int, int], limit: int) -> Pieces:
    """[CLS] s1 [SEP] … sC [SEP], cut at ``limit`` pieces."""
    ids, sentence_of, starts = [marks[0]], [0], []
    for k, sentence in enumerate(numbers):
        start = []
        for token in sentence:
            start.append(len(ids))
            ids += token
        ids.append(marks[1])
        sentence_of += [k] * (len(ids) - len(sentence_of))
        starts.append(tuple(start))
    return Pieces(_numbers(ids[:limit]), _numbers(sentence_of[:limit]), tuple(starts))
