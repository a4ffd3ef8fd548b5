"""METEOR 1.5 (Denkowski & Lavie, "Meteor Universal", WMT 2014) from statistics that can be summed.

The Java program aligns a caption with each reference and prints the counts of its best match; the score of a test
set is computed from the *sum* of those counts. The counts are kept and the formula is here, so that a resample
needs no Java. Options are those of ``pycocoevalcap``: ``-l en -norm``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.metrics.caption.java import JavaError, LineProgram, command, jar
from reelbench.tasks.metrics.caption.kept import kept
from reelbench.tasks.metrics.caption.sharing import SOCKET, ask_parent, serve
from reelbench.tasks.metrics.caption.tokenizer import one_line

JAR = "meteor-1.5.jar"
OPTIONS = ("-", "-", "-stdio", "-l", "en", "-norm")

STATISTICS = 23
"""Lengths and function words of caption and reference (4); for each matcher (exact, stem, synonym, paraphrase) content
words matched in caption and reference and function words matched in both (16); chunks; words matched in both (2)."""

CHUNKS = 20

ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
MATCHER_WEIGHTS = np.array([1.0, 0.6, 0.8, 0.6])
"""Parameters of the English ranking task (Denkowski & Lavie 2014, table 1)."""

SEPARATOR = re.compile(r"\|{3,}")


@cache
def program() -> LineProgram:
    """This process's METEOR, started when first asked."""
    return LineProgram("METEOR", command("-Xmx2G", "-jar", str(jar("meteor", JAR)), *OPTIONS))


@contextmanager
def shared_meteor() -> Iterator[str]:
    """Let processes started inside the block use this process's METEOR, which ends with the block."""
    with serve(program().ask) as path:
        try:
            yield path
        finally:
            program().close()


def match_statistics(captions: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Counts of each caption's best match among its references: ``(n, 23)``.

    Captions and references are tokenized text; what would break the program's line protocol is taken out.
    """
    lines = [_question(caption, refs) for caption, refs in zip(captions, references, strict=True)]
    rows = [
        _numbers(reply) for reply in kept("meteor", [JAR, *OPTIONS], lines, lambda: _checked(_ask(lines)))
    ]
    return _forget_whole_chunks(np.array(rows, dtype=np.float64).reshape(-1, STATISTICS))


def meteor(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The score of summed statistics ``(..., 23)``: ``(...,)``; 0 where nothing matched."""
    lengths, words = sums[..., 0:2], sums[..., 2:4]  # (..., [caption, reference])
    matches = sums[..., 4:20].reshape(*sums.shape[:-1], 4, 2, 2)  # (..., matcher, [content, function], side)
    matched = np.tensordot(
        MATCHER_WEIGHTS, np.moveaxis(matches, -3, 0), axes=1
    )  # (..., [content, function], side)
    weighted = DELTA * matched[..., 0, :] + (1 - DELTA) * matched[..., 1, :]
    size = DELTA * (lengths - words) + (1 - DELTA) * words
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = np.moveaxis(weighted / size, -1, 0)
        f_mean = 1 / ((1 - ALPHA) / precision + ALPHA / recall)
        fragmentation = sums[..., CHUNKS] / sums[..., 21:23].mean(axis=-1)
        score = f_mean * (1 - GAMMA * fragmentation**BETA)
    return np.where(np.isnan(score), 0.0, np.maximum(score, 0.0))


def _forget_whole_chunks(statistics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take out the chunk of rows where one chunk covers caption and reference whole.

    The program does so when it adds statistics: a perfect caption costs nothing for being a chunk of its own.
    """
    matches = statistics[:, 4:20].reshape(-1, 8, 2).sum(axis=1)  # (n, side)
    whole = (matches == statistics[:, 0:2]).all(axis=1) & (statistics[:, CHUNKS] == 1)
    statistics[whole, CHUNKS] = 0
    return statistics


def _question(caption: str, references: Sequence[str]) -> str:
    return " ||| ".join(("SCORE", *(_plain(reference) for reference in references), _plain(caption)))


def _plain(text: str) -> str:
    return SEPARATOR.sub(" ", one_line(text))


def _ask(lines: Sequence[str]) -> list[str]:
    path = os.environ.get(SOCKET)
    replies = ask_parent(path, lines) if path else None
    return program().ask(lines) if replies is None else replies


def _checked(replies: list[str]) -> list[str]:
    """Replies that are statistics, so that no other is kept."""
    for reply in replies:
        _numbers(reply)
    return replies


def _numbers(reply: str) -> list[float]:
    try:
        numbers = [float(number) for number in reply.split()]
    except ValueError:
        numbers = []
    if len(numbers) != STATISTICS:
        raise JavaError(f"METEOR gave no statistics but: {reply[:200]}")
    return numbers
