"""Localization: find the moment of a video that a sentence describes, among fixed candidates or as free spans.

Several annotators mark one moment differently; both families of protocols score against the three that agree best
with a prediction, which is DiDeMo's rule and, with a single annotator, plain overlap.
"""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask

THRESHOLDS = (0.3, 0.5, 0.7)
DEPTHS = (1, 5)
TALL_MARGIN = 0.05


class Localization(DeferredTask):
    """Segments of a video, best first, for a sentence.

    Sources: Hendricks et al., ICCV 2017 (``candidates``); Gao et al., ICCV 2017 (``spans-tall``).
    """

    name = "localization"
    title = "Localization"
    summary = "Find the moment of a video that a sentence describes."
    rules = "reelbench.tasks.rules.localization"
    ceiling_rows = ("annotators",)
    inputs: ClassVar = {
        "video": Field("video", "the whole video"),
        "query": Field("text", "the sentence"),
        "duration_s": Field("number", "length of the video in seconds", placed=True),
        "candidates": Field(
            "array", "(K, 2) seconds, what must be ranked; (0, 2) where spans are free", placed=True
        ),
        "chunk_s": Field(
            "number",
            "length in seconds of the chunks that candidates are made of; 0 where spans are free",
            placed=True,
        ),
    }
    prediction: ClassVar = {
        "segments": Column("ragged", "[start_s, end_s] of each segment, best first; its score may follow")
    }
    protocols: ClassVar = {
        "candidates": "All candidates are ranked; ranks and overlaps are means over the three best annotators.",
        "spans": "Free spans as the method ranks them; right if overlap >= threshold (mean over the three best annotators).",
        "spans-tall": "As spans, after greedy suppression at threshold - 0.05, recall by recall, as TALL's code does.",
    }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        miou = Metric(
            "miou",
            "mIoU",
            doc="overlap of the first segment, mean over the three best annotators",
            spread=(0.16, 0.01),
        )
        if protocol == "candidates":
            rule = "mean rank by the three best annotators is at most"
            return (miou, *(Metric(f"rank_at_{k}", f"Rank@{k}", doc=f"{rule} {k}") for k in DEPTHS))
        recalls = [recall(depth, threshold) for threshold in THRESHOLDS for depth in DEPTHS]
        primary = next(m for m in recalls if m.name == "recall_at_1_iou_0.5")
        return (primary, *(m for m in recalls if m is not primary), miou)


def recall(depth: int, threshold: float) -> Metric:
    """The metric of one depth and threshold."""
    doc = f"one of the first {depth} spans overlaps by at least {threshold}"
    return Metric(
        f"recall_at_{depth}_iou_{threshold}", f"R@{depth}, IoU={threshold}", doc=doc, spread=(0.18, 0.01)
    )
