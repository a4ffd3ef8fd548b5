"""Storytelling: describe each clip of a sequence, so that the sentences make one story.

Scored with captioning's metrics, either clip by clip or as one text a set.
"""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.captioning import CAPTION_METRICS
from reelbench.tasks.deferred import DeferredTask


class Storytelling(DeferredTask):
    """A sentence for each clip of a set. Source: LSMDC 2019; Yu et al., TAPM (CVPR 2021)."""

    name = "storytelling"
    title = "Storytelling"
    summary = "Describe consecutive clips, one sentence each, as a story."
    rules = "reelbench.tasks.rules.storytelling"
    inputs: ClassVar = {"videos": Field("video", "the set's clips, in order")}
    prediction: ClassVar = {"captions": Column("ragged", "one sentence a clip, in order")}
    protocols: ClassVar = {
        "sentence": "Each clip's sentence is scored against that clip's references.",
        "set": "A set's sentences are joined into one text and scored against its joined references.",
    }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        return CAPTION_METRICS
