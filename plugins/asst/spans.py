"""From the samplers' outputs to ranked spans, and from several members' spans to one ranking. Numpy only.

A span is ``[start_s, end_s, score]``, a detection ``[start_s, end_s, class, score]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.plugins.layers.segments import overlaps, suppress
from reelbench.predictions import Predictions

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.plugins.asst.method import Suppression

Array = NDArray[Any]
Rows = list[list[float]]
SHORTEST_S = 0.05


def rank_candidates(candidates: Array, scores: Array) -> Rows:
    """Candidates ``(K, 2)`` by score ``(K,)``, best first; ties keep the candidates' order."""
    order = np.argsort(-scores, kind="stable")
    return [[*candidates[i].tolist(), float(scores[i])] for i in order]


def move(clips: Array, offsets: Array) -> Array:
    """Eq. 1: clips ``(..., 2)`` moved and stretched by their deviations ``(..., 2)``."""
    length = clips[..., 1] - clips[..., 0]
    centre = clips.mean(-1) + offsets[..., 0] * length
    half = np.exp(np.clip(offsets[..., 1], -4.0, 4.0)) * length / 2
    return np.stack([centre - half, centre + half], axis=-1)


def spans_in_seconds(batch: Batch, offsets: Array, window_s: float) -> list[Array]:
    """Each video's spans, window after window, held within it: ``(N S, 2)`` of deviations ``(B N, S, 2)``."""
    starts = batch["starts"]
    clips = batch["clips"].data.numpy(force=True)  # (B, S, 2)
    moved = move(np.repeat(clips, starts.data.shape[1], axis=0), offsets) * window_s
    moved = (
        moved.reshape(len(clips), starts.data.shape[1], -1, 2)
        + starts.data.numpy(force=True)[..., None, None]
    )
    rows = zip(moved, starts.lengths.tolist(), batch["duration_s"].tolist(), strict=True)
    return [_within(spans[:count].reshape(-1, 2), duration) for spans, count, duration in rows]


def _within(spans: Array, duration_s: float) -> Array:
    start = spans[:, 0].clip(0.0, duration_s - SHORTEST_S)
    return np.stack([start, np.maximum(spans[:, 1].clip(0.0, duration_s), start + SHORTEST_S)], axis=1)


def best_spans(spans: Array, scores: Array, settings: Suppression) -> Rows:
    """Spans ``(n, 2)`` left by suppression, best first."""
    order = np.argsort(-scores, kind="stable")
    kept = order[suppress(spans[order], settings.span_overlap, settings.spans)]
    return [[*spans[i].tolist(), float(scores[i])] for i in kept]


def best_detections(spans: Array, scores: Array, settings: Suppression) -> Rows:
    """The best of ``(n, classes)`` scores after suppression class by class, best first."""
    kept: Rows = []
    for label, column in enumerate(scores.T):
        likely = np.flatnonzero(column >= settings.event_score)
        order = likely[np.argsort(-column[likely], kind="stable")]
        chosen = order[suppress(spans[order], settings.event_overlap, settings.events)]
        kept += [[*spans[i].tolist(), label, float(column[i])] for i in chosen]
    return sorted(kept, key=lambda row: -row[-1])[: settings.events]


def average(members: Sequence[Predictions], settings: Suppression) -> Predictions:
    """Members' predictions for the same examples as one: those of an ensemble, or of a fit's last checkpoints."""
    first = members[0]
    (name,) = first.columns
    tables = [dict(zip(m.ids, m.columns[name], strict=True)) for m in members]
    rows = [_averaged([table[i] for table in tables], name, settings) for i in first.ids]
    return Predictions(first.ids, {name: rows}, info=first.info)


def _averaged(members: Sequence[Rows], name: str, settings: Suppression) -> Rows:
    if name == "detections":
        return average_spans(members, settings.event_overlap)[: settings.events]
    bounds = [{(start, end) for start, end, _ in rows} for rows in members]
    if all(b == bounds[0] for b in bounds):
        return average_candidates(members)
    return average_spans(members, settings.span_overlap)[: settings.spans]


def average_candidates(members: Sequence[Rows]) -> Rows:
    """Each candidate's mean score over members that rank the same ones."""
    first = np.asarray(members[0])[:, :2]
    place = {tuple(row): k for k, row in enumerate(first.tolist())}
    scores = np.zeros(len(first))
    for rows in members:
        for start, end, score in rows:
            scores[place[start, end]] += score / len(members)
    return rank_candidates(first, scores)


def average_spans(members: Sequence[Rows], overlap: float) -> Rows:
    """Members' spans or detections, averaged where they meet.

    The best of all comes first, with every span of its class that overlaps it by more than ``overlap``: their
    boundaries' mean, weighed by score, and the sum of each member's best score over the number of members.
    """
    table = np.asarray([[*row, m] for m, rows in enumerate(members) for row in rows], dtype=np.float64)
    table = table[np.argsort(-table[:, -2], kind="stable")] if len(table) else table
    averaged: Rows = []
    while len(table):
        met = (overlaps(table[:1, :2], table[:, :2])[0] > overlap) & (table[:, 2:-2] == table[0, 2:-2]).all(1)
        met[0] = True
        averaged.append(_mean_of(table[met], len(members)))
        table = table[~met]
    return sorted(averaged, key=lambda row: -row[-1])


def _mean_of(rows: Array, members: int) -> list[float]:
    """One span of rows ``[start_s, end_s, (class), score, member]``, best first."""
    bounds = np.average(rows[:, :2], axis=0, weights=np.maximum(rows[:, -2], 1e-9))
    _, best = np.unique(rows[:, -1], return_index=True)
    return [*bounds.tolist(), *rows[0, 2:-2].tolist(), float(rows[best, -2].sum() / members)]
