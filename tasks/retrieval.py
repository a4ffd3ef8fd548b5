"""Retrieval: find the video that a sentence or a paragraph describes, and the other way round.

Text to video (``t2v``): each query ranks the whole gallery, in which one video is right. Video to text (``v2t``):
each video of the gallery that has queries ranks all of them; where several are right, the best-ranked one stands
for the video, and the video counts once. The sheet has one row a query in both directions: a video's counts stand
in the row of each of its queries, with a share of one over their number, so that weights of clusters reach it.

Ties are broken at random in expectation, so a constant scorer earns exactly chance; ``…_worst`` breaks them against
the method, and far below the expected value means that scores were tied.
"""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask

CUTS = (1, 5, 10, 50)
SHOWN = 3
PARTS = (1, 2, 3, 4)
DIRECTIONS = {"t2v": "text→video", "v2t": "video→text"}


class Retrieval(DeferredTask):
    """One gallery, both directions. Source: JSFusion (Yu et al., ECCV 2018); CMHSE (Zhang et al., ECCV 2018)."""

    name = "retrieval"
    title = "Retrieval"
    summary = "Find the video that a text describes, and the text that describes a video."
    rules = "reelbench.tasks.rules.retrieval"
    ceiling_rows = ("same-text",)
    inputs: ClassVar = {
        "query": Field("text", "the query: one sentence, or a paragraph's sentences in a row"),
        "sentences": Field("text", "the query's sentences, one or several"),
        "video": Field("video", "gallery: the video"),
        "segments": Field(
            "array", "gallery: (n, 2) seconds of its clips; one row, the whole, for single clips", placed=True
        ),
    }
    prediction: ClassVar = {
        "scores": Column("matrix", "(Q, G) how well each query fits each gallery video, any reals")
    }
    pairwise = True
    given = "this gallery: queries are drawn, and each is ranked among all of it"
    protocols: ClassVar = {
        "sentence": "Each sentence is a query for its clip, among all clips of the split's gallery.",
        "paragraph": "A video's sentences together are a query for the whole video, among all videos of the split.",
        **{
            f"observed-{n}": f"As paragraph, with a video's first {n} clips and sentences only."
            for n in PARTS
        },
        **{f"uniform-{k}": f"As paragraph, with {k} equal parts of the video for its clips." for k in PARTS},
    }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        return tuple(metric for direction in DIRECTIONS for metric in _direction_metrics(direction))


def _direction_metrics(direction: str) -> tuple[Metric, ...]:
    arrow = DIRECTIONS[direction]
    recalls = [
        Metric(
            f"{direction}_recall_at_{k}",
            f"R@{k} {arrow}",
            doc=f"the right one is among the first {k}; ties in expectation",
            spread=(0.35, 0.01),
        )
        for k in CUTS
    ]
    worst = Metric(
        f"{direction}_recall_at_1_worst", f"R@1 {arrow}, worst", doc="ties broken against the method"
    )
    ranks = [
        Metric(
            f"{direction}_{kind}_rank",
            f"{short} {arrow}",
            "lower",
            1.0,
            float("inf"),
            False,
            "1-based; ties in expectation",
            interval_only=kind == "median",
        )
        for kind, short in (("median", "MedR"), ("mean", "MnR"))
    ]
    return (*recalls, worst, *ranks)
