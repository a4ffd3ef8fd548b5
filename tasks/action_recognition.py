"""Action recognition: one class a clip, among classes seen in training or new ones known by their names."""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask

DEPTHS = (1, 5)


class ActionRecognition(DeferredTask):
    """One label a clip. Labels tied with the true one count by the chance that a random order puts it first."""

    name = "action_recognition"
    title = "Action recognition"
    summary = "Name the action of a clip, among classes seen in training or unseen ones."
    rules = "reelbench.tasks.rules.action_recognition"
    inputs: ClassVar = {
        "video": Field("video", "the clip"),
        "labels": Field("text", "list of text: the names of spaces['actions'], in order"),
    }
    prediction: ClassVar = {
        "scores": Column("array", "a score for each of spaces['actions'], any real numbers")
    }
    protocols: ClassVar = {
        "seen": "Clips of classes seen in training, ranked among all of spaces['actions'].",
        "unseen": "Clips of classes without a training clip, ranked among all of spaces['actions'].",
    }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        return tuple(
            Metric(f"top_{k}", f"Top-{k}", doc=f"the true class is among the {k} best") for k in DEPTHS
        )
