"""Registers the built-in tasks; imports nothing heavy, so that listing stays fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from reelbench.task import Task


@hookimpl
def reelbench_tasks() -> list[Task]:
    """One instance of each built-in task."""
    from reelbench.tasks.action_recognition import ActionRecognition
    from reelbench.tasks.captioning import Captioning
    from reelbench.tasks.detection import Detection
    from reelbench.tasks.fill_in_blank import FillInBlank
    from reelbench.tasks.gaze import Gaze
    from reelbench.tasks.localization import Localization
    from reelbench.tasks.multiple_choice import MultipleChoice
    from reelbench.tasks.reidentification import Reidentification
    from reelbench.tasks.retrieval import Retrieval
    from reelbench.tasks.storytelling import Storytelling
    from reelbench.tasks.tagging import Tagging

    return [
        Captioning(),
        Storytelling(),
        MultipleChoice(),
        FillInBlank(),
        Retrieval(),
        Localization(),
        Detection(),
        Reidentification(),
        Tagging(),
        ActionRecognition(),
        Gaze(),
    ]
