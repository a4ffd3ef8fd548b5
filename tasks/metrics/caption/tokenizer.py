"""The Penn Treebank tokenizer that captions are scored with: lower case, no punctuation.

Stanford CoreNLP 3.4.1, as ``pycocoevalcap`` 1.2 runs it, with the same list of punctuation taken out. It cannot be
kept alive (it writes only when its input ends), so a call is one run of a quarter of a second over all sentences; what
it said is kept on disk, of references, which every trial of a benchmark shares, and of captions.

Ordinary sentences are tokenized alike whatever stands around them. Fragments of mark-up, and an abbreviation glued
to symbols at a sentence's end, may rarely not be, in ``pycocoevalcap`` too; sentences are therefore always sent in
the evaluation's order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from reelbench.tasks.metrics.caption.java import JavaError, jar, run_once
from reelbench.tasks.metrics.caption.kept import kept

JAR = "stanford-corenlp-3.4.1.jar"
TIMEOUT_S = 600.0

PUNCTUATION = frozenset(
    ("''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";")
)
"""Of ``pycocoevalcap``. Brackets come out in lower case, so they stay: a quirk of the field's numbers that is kept."""

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Everything that either Java program may take for the end of a line."""


def one_line(text: str) -> str:
    """The text with line breaks and control characters as spaces, so that it stays one line."""
    return UNPRINTABLE.sub(" ", text)


def tokenize(sentences: Sequence[str]) -> list[str]:
    """Tokens of each sentence, joined by single spaces.

    Raises
    ------
    JavaError
        If the tokenizer cannot be run.
    """
    lines = [one_line(sentence).strip() for sentence in sentences]
    distinct = [line for line in dict.fromkeys(lines) if line]
    tokens = dict(zip(distinct, _run(distinct), strict=True)) if distinct else {}
    return [tokens.get(line, "") for line in lines]


def tokenize_kept(sentences: Sequence[str]) -> list[str]:
    """:func:`tokenize`, kept on disk under a digest of the sentences."""
    return kept("ptb", [JAR], sentences, lambda: tokenize(sentences))


def _run(lines: list[str]) -> list[str]:
    classes = str(jar("tokenizer", JAR))
    program = "edu.stanford.nlp.process.PTBTokenizer"
    text = run_once(
        ["-cp", classes, program, "-preserveLines", "-lowerCase"], "\n".join(lines) + "\n", TIMEOUT_S
    )
    tokenized = text.split("\n")[:-1]
    if len(tokenized) != len(lines):
        raise JavaError(f"the PTB tokenizer made {len(tokenized)} lines of {len(lines)}")
    return [_without_punctuation(line) for line in tokenized]


def _without_punctuation(line: str) -> str:
    return " ".join(token for token in line.rstrip().split(" ") if token not in PUNCTUATION)
