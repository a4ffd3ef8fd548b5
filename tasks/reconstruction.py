"""Reconstruction: from a clip or a sentence to the clip's small frames, and from a sentence to another.

A clip's frames are ``FRAMES`` of its thumbnails, evenly spaced (:func:`frame_places`). The first is given, as the paper
feeds the first true frame to its decoder, and the others are predicted. Frames are in [0, 1], and what lies outside
counts as it is. The mean squared error is of levels from 0 to 255, the scale that the paper's errors of 400 to 490
can only be on, and the first frame, which is given, is left out.

Thumbnails are what is to be told, so they are not read at prediction (``withheld``): a method that declares the
modality finds it in its training relations (``captions``, ``clips``) and not in an evaluated ``video``. All other
modalities may be read. The protocols that start from a sentence show no video at all.
"""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.captioning import CAPTION_METRICS
from reelbench.tasks.deferred import DeferredTask

FRAMES = 8
LEVELS = 255
THUMBNAIL = "thumbnail"
COLUMN = {"video": "frames", "sentence": "frames", "caption": "caption"}
INPUTS = {
    "video": ("video", "first_frame"),
    "sentence": ("sentence", "first_frame"),
    "caption": ("sentence",),
}
REPORTED = ("meteor", "bleu_1", "bleu_2", "bleu_3", "bleu_4")


class Reconstruction(DeferredTask):
    """Frames, or another sentence. Source: Shen et al., AAAI 2018 (SLR), tables 3 to 6.

    Departures
    ----------
    - The paper draws another input for each target sentence; here one sentence of a clip is drawn for good, and no
      reference has its words where the clip has another.
    - The paper does not say how many frames it predicts; its frames are 36x64 and 64x48.
    """

    name = "reconstruction"
    title = "Reconstruction"
    summary = "Draw a clip's small frames from the clip or a sentence, or say a sentence in other words."
    rules = "reelbench.tasks.rules.reconstruction"
    inputs: ClassVar = {
        "video": Field("video", "video: the clip, without its thumbnails"),
        "sentence": Field("text", "sentence, caption: one sentence about the clip"),
        "first_frame": Field("array", "video, sentence: (H, W, 3) in [0, 1], the first of the frames"),
    }
    prediction: ClassVar = {
        "frames": Column("array", f"video, sentence: ({FRAMES - 1}, H, W, 3) in [0, 1], those that follow"),
        "caption": Column("text", "caption: one sentence; case and punctuation do not count"),
    }
    protocols: ClassVar = {
        "video": f"From a clip and its first frame to the {FRAMES - 1} that follow, evenly spaced.",
        "sentence": f"From a sentence and the clip's first frame to the {FRAMES - 1} that follow, evenly spaced.",
        "caption": "From one sentence of a clip to another, scored against all its others.",
    }
    withheld = (THUMBNAIL,)

    def columns(self, protocol: str) -> dict[str, Column]:
        """The one column of a protocol; all of them where a relation is predicted instead of a benchmark."""
        return {
            name: column for name, column in self.prediction.items() if name == COLUMN.get(protocol, name)
        }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        if protocol == "caption":
            known = {metric.name: metric for metric in CAPTION_METRICS}
            return tuple(known[name] for name in REPORTED)
        doc = "of levels from 0 to 255; mean over pixels, colours, frames and clips"
        return (Metric("mse", "MSE", "lower", 0.0, float("inf"), False, doc, spread=(10.0, 1.0)),)


def frame_places(rows: int) -> list[int]:
    """Which of a clip's thumbnails are its frames: the first, the last, and evenly between them."""
    return [round(k * (rows - 1) / (FRAMES - 1)) for k in range(FRAMES)]
