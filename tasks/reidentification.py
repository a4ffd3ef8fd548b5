"""Re-identification: who is who, among the mentions and the tracks of a set of consecutive clips.

Links need not be transitive: pairwise accuracies take them as they are, clustering metrics close them first (two
items are together if a chain of links joins them), which their names say (``…_transitive``).
"""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask

COLUMN = {"grounding": "links", "video": "same", "text": "same", "characters": "labels"}
IDENTITY = {"video": "track_identity", "text": "mention_identity", "characters": "mention_identity"}
CLUSTERING = {
    "bcubed_precision_transitive": "B³ P",
    "bcubed_recall_transitive": "B³ R",
    "bcubed_f1_transitive": "B³ F1",
    "pairwise_f1_transitive": "Pair F1",
}


class Reidentification(DeferredTask):
    """Links from mentions to tracks, between tracks, between mentions, or labels of mentions.

    Sources: Yu et al., CVPR 2020 (CiSIN) for ``grounding``, ``video`` and ``text``; LSMDC 2019 "fill in the
    characters" (Park et al., ECCV 2020; jamespark3922/lsmdc-fillin ``character_eval/eval_characters.py``) for
    ``characters`` and for the rule of averaging. CiSIN's own code counts a set without pairs as right; here, as in
    the official code, it is skipped.
    """

    name = "reidentification"
    title = "Re-identification"
    summary = "Say who is who among the mentions and tracks of consecutive clips."
    rules = "reelbench.tasks.rules.reidentification"
    inputs: ClassVar = {
        "videos": Field("video", "list of consecutive clips"),
        "sentences": Field("text", "list of text, one a clip, with names replaced by [someone]"),
        "mentions": Field("array", "(M, 2) int: clip index, token index"),
        "tracks": Field("video", "list of K tracks, clips whose video is a track id"),
        "track_clip": Field("array", "(K,) int: the clip each track is in"),
    }
    prediction: ClassVar = {
        "links": Column("ragged", "grounding: a track index a mention, in the mention's clip; -1 for none"),
        "same": Column(
            "ragged",
            "video, text: K x K or M x M scores in [0, 1]; the same from 0.5 (mean of both directions)",
        ),
        "labels": Column("ragged", "characters: a cluster label (int) a mention"),
    }
    protocols: ClassVar = {
        "grounding": "Share of the mentions with a track that are linked to it, pooled over sets.",
        "video": "Pairs of a set's tracks, same or different; accuracy by set, mean over sets; sets under two skipped.",
        "text": "Pairs of a set's mentions, same or different; accuracy by set, mean over sets; sets under two skipped.",
        "characters": "LSMDC's fill in the characters: labels of mentions, compared pair by pair; sets under two skipped.",
    }

    def columns(self, protocol: str) -> dict[str, Column]:
        """The one column of a protocol; all of them where a relation is predicted instead of a benchmark."""
        return {
            name: column for name, column in self.prediction.items() if name == COLUMN.get(protocol, name)
        }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        if protocol == "grounding":
            return (
                Metric("accuracy", "Accuracy", doc="mentions linked to their track, of those that have one"),
            )
        pairs = (
            Metric("accuracy", "Instance acc.", doc="right pairs of a set, mean over sets"),
            Metric(
                "same_accuracy",
                "Same acc.",
                doc="pairs of one person called so, mean over sets that have any",
            ),
            Metric(
                "diff_accuracy",
                "Diff acc.",
                doc="pairs of two persons called so, mean over sets that have any",
            ),
            Metric("class_accuracy", "Class acc.", doc="harmonic mean of same and diff accuracy"),
        )
        closed = "pooled over sets; links are closed transitively within a set"
        return (*pairs, *(Metric(name, title, doc=closed) for name, title in CLUSTERING.items()))
