"""Multiple choice: which of a few sentences belongs to a clip."""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask


class MultipleChoice(DeferredTask):
    """One right sentence among distractors. Source: Torabi et al., LSMDC 2016 (arXiv 1609.08124)."""

    name = "multiple_choice"
    title = "Multiple choice"
    summary = "Pick the sentence that belongs to a clip."
    rules = "reelbench.tasks.rules.multiple_choice"
    inputs: ClassVar = {
        "video": Field("video", "the clip"),
        "choices": Field("text", "the candidate sentences, one of them right; as many for every clip"),
    }
    prediction: ClassVar = {"scores": Column("array", "(C,) a score for each choice, any real numbers")}
    protocols: ClassVar = {
        "choice": "The choice with the highest score counts; tied choices share the point."
    }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        return (Metric("accuracy", "Accuracy", doc="in expectation over random orders of tied choices"),)
