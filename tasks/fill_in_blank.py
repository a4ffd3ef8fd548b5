"""Fill in the blank: which word was taken out of a clip's sentence.

Answers are scored over the vocabulary that a dataset offers (``spaces["answers"]``). An answer outside it counts as
wrong for every method, and the share inside is a row of the table.
"""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask

TOP = 5


class FillInBlank(DeferredTask):
    """One missing word. Source: Maharaj et al., CVPR 2017; LSMDC 2016 movie fill-in-the-blank."""

    name = "fill_in_blank"
    title = "Fill in the blank"
    summary = "Find the word that was taken out of a clip's sentence."
    rules = "reelbench.tasks.rules.fill_in_blank"
    ceiling_rows = ("vocabulary",)
    inputs: ClassVar = {
        "video": Field("video", "the clip"),
        "sentence": Field("text", "its sentence with one token '_____'"),
        "blank": Field("number", "position of that token"),
    }
    prediction: ClassVar = {
        "scores": Column("array", "(V,) a score for each word of spaces['answers'], any reals")
    }
    protocols: ClassVar = {
        "word": "The word with the highest score counts; tied words share the point; an answer outside the vocabulary is wrong."
    }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        return (
            Metric("accuracy", "Accuracy", doc="in expectation over random orders of tied words"),
            Metric("top_5", "Top-5", doc="the answer is among the five best words"),
        )
