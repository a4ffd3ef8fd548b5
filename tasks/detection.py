"""Detection: find every event of a video, each with its class and a score."""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
PRIMARY = 0.5
SHOWN = 3


class Detection(DeferredTask):
    """Scored segments with classes; mean average precision at several overlaps.

    Source: ActivityNet's interpolated AP (Caba Heilbron et al., CVPR 2015; activitynet/ActivityNet
    ``Evaluation/eval_detection.py``), at THUMOS14's overlaps. Detections of equal score enter together.
    """

    name = "detection"
    title = "Detection"
    summary = "Find every event of a video, with its class."
    rules = "reelbench.tasks.rules.detection"
    inputs: ClassVar = {
        "video": Field("video", "the whole video"),
        "duration_s": Field("number", "length of the video in seconds", placed=True),
    }
    prediction: ClassVar = {
        "detections": Column(
            "ragged", "[start_s, end_s, index into spaces['actions'], score] of each detection"
        )
    }
    protocols: ClassVar = {
        "events": "Interpolated AP by class, right if overlap >= threshold and the segment is still free; NMS is the method's.",
    }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        others = [t for t in THRESHOLDS if t != PRIMARY]
        mean = Metric(
            "map_tiou_mean", "mAP mean", doc=f"mean of mAP at tIoU {', '.join(map(str, THRESHOLDS))}"
        )
        return (
            *(
                Metric(f"map_tiou_{t}", f"mAP@{t}", doc=f"mean AP at tIoU {t}", spread=(0.14, 0.01))
                for t in (PRIMARY, *others)
            ),
            mean,
        )
