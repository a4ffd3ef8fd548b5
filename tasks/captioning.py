"""Captioning: describe a clip in one sentence.

Scored as coco-caption does, tokenizer included; numbers equal ``pycocoevalcap`` 1.2's.
"""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask

CAPTION_METRICS = (
    Metric(
        "cider",
        "CIDEr",
        high=10.0,
        percent=False,
        doc="CIDEr-D; rarity from the split's own references",
        spread=(0.55, 0.05),
    ),
    Metric("meteor", "METEOR", doc="METEOR 1.5, aggregated over the split", spread=(0.05, 0.01)),
    Metric("rouge_l", "ROUGE-L", doc="mean over captions"),
    Metric("bleu_1", "BLEU-1", doc="over the split, closest reference length"),
    Metric("bleu_2", "BLEU-2", doc="over the split, closest reference length"),
    Metric("bleu_3", "BLEU-3", doc="over the split, closest reference length"),
    Metric("bleu_4", "BLEU-4", doc="over the split, closest reference length"),
)


class Captioning(DeferredTask):
    """One sentence a clip. Source: Chen et al., "Microsoft COCO Captions" (arXiv 1504.00325)."""

    name = "captioning"
    title = "Captioning"
    summary = "Describe a clip in a sentence."
    rules = "reelbench.tasks.rules.captioning"
    inputs: ClassVar = {"video": Field("video", "the clip to describe")}
    prediction: ClassVar = {"caption": Column("text", "one sentence; case and punctuation do not count")}
    protocols: ClassVar = {"clip": "Each clip is scored against all its references, after PTB tokenization."}

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        return CAPTION_METRICS
