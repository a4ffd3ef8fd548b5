"""What captioning and storytelling share: captions and references in, statistics out, statistics into metrics.

Every metric is a function of *sums* over captions, so a row of a score sheet may stand for one caption or for the
several of a story.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from reelbench.scoring import ScoreSheet
from reelbench.tasks.metrics.caption import bleu, meteor
from reelbench.tasks.metrics.caption.cider import cider
from reelbench.tasks.metrics.caption.rouge import rouge_l
from reelbench.tasks.metrics.caption.tokenizer import tokenize_kept
from reelbench.tasks.metrics.weighting import cluster_sums, weighted_ratio

Columns = dict[str, NDArray[np.float64]]


def caption_statistics(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Columns:
    """Statistics of raw captions against raw references, one row a caption.

    ``captions`` ``(n,)`` counts ones; ``bleu`` ``(n, 10)``; ``meteor`` ``(n, 23)``; ``rouge_l`` and ``cider`` ``(n,)``.
    """
    return tokenized_statistics(tokenize_kept(captions), tokenize_references(references))


def tokenized_statistics(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Columns:
    """:func:`caption_statistics` of text that is tokenized already."""
    return {
        "captions": np.ones(len(captions)),
        "bleu": bleu.match_statistics(captions, references).astype(np.float64),
        "meteor": meteor.match_statistics(captions, references),
        "rouge_l": rouge_l(captions, references),
        "cider": cider(tuple(tuple(refs) for refs in references)).scores(captions),
    }


def tokenize_references(references: Sequence[Sequence[str]]) -> list[list[str]]:
    """Tokenize references, which are kept on disk for the next trial."""
    tokens = iter(tokenize_kept([reference for refs in references for reference in refs]))
    return [[next(tokens) for _ in refs] for refs in references]


def sum_groups(columns: Columns, groups: NDArray[np.integer], count: int) -> Columns:
    """Sum rows of equal ``groups`` ``(n,)`` into ``count`` rows."""
    return {name: _sum_group(values, groups, count) for name, values in columns.items()}


def caption_metrics(sheet: ScoreSheet, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Metrics of a sheet of caption statistics under cluster weights ``(draws, clusters)``.

    A draw without weight gives NaN.
    """
    columns = sheet.columns
    means = {k: weighted_ratio(sheet, weights, columns[k], columns["captions"]) for k in ("cider", "rouge_l")}
    bleus = bleu.bleu(weights @ _cluster_table(sheet, columns["bleu"]))  # (draws, 4)
    totals = {f"bleu_{order}": values for order, values in enumerate(bleus.T, 1)}
    totals["meteor"] = meteor.meteor(weights @ _cluster_table(sheet, columns["meteor"]))
    empty = ~weights.any(axis=1)
    return {**means, **{name: np.where(empty, np.nan, values) for name, values in totals.items()}}


def mean_cider(columns: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    """CIDEr-D of each row, the mean over its captions: ``(n,)``."""
    return np.asarray(columns["cider"], dtype=np.float64) / np.asarray(columns["captions"], dtype=np.float64)


def _cluster_table(sheet: ScoreSheet, values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Sums of each column of ``values`` ``(n, k)`` within each cluster: ``(clusters, k)``."""
    return np.stack([cluster_sums(sheet, column) for column in values.T], axis=1)


def _sum_group(values: NDArray[np.float64], groups: NDArray[np.integer], count: int) -> NDArray[np.float64]:
    total = np.zeros((count, *values.shape[1:]))
    np.add.at(total, groups, values)
    return total
