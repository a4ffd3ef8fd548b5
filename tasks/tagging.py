"""Tagging: score every label of a long-tailed vocabulary for a video."""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask

TOP = 20
SHOWN = 5


class Tagging(DeferredTask):
    """Several labels a video.

    Source: YouTube-8M (Abu-El-Haija et al., arXiv 1609.08675; google/youtube-8m ``eval_util.py``).
    """

    name = "tagging"
    title = "Tagging"
    summary = "Score every tag for a video."
    rules = "reelbench.tasks.rules.tagging"
    inputs: ClassVar = {"video": Field("video", "the video to tag")}
    prediction: ClassVar = {"scores": Column("array", "a score for each of spaces['tags'], any real numbers")}
    protocols: ClassVar = {
        "all-labels": "All labels are scored; lists are cut at 20 where a metric's name says so; ties are shared.",
    }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        return (
            Metric(
                "gap_at_20",
                "GAP@20",
                doc="average precision of all videos' 20 best labels, pooled",
                spread=(0.08, 0.01),
            ),
            Metric("hit_at_1", "Hit@1", doc="the best label is right"),
            Metric("perr", "PERR", doc="precision among as many labels as the video has"),
            Metric("map", "mAP", doc="mean over labels of average precision over full lists"),
            Metric(
                "map_top_20",
                "mAP (top 20)",
                doc="the official mAP: only each video's 20 best labels are ranked",
            ),
        )
