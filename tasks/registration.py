"""Registers the built-in tasks, and shares one METEOR among a bench's workers.

Imports nothing heavy, so that listing stays fast.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from reelbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from reelbench.task import Task

_while_running = ExitStack()
atexit.register(_while_running.close)  # a bench that is cut off never says that its plan has finished


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
    from reelbench.tasks.reconstruction import Reconstruction
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
        Reconstruction(),
    ]


@hookimpl
def reelbench_plan_ready(run: Mapping[str, Any]) -> None:
    """Before workers start, offer them this process's METEOR, which starts when a caption is first scored."""
    from reelbench.tasks.metrics.caption.meteor import shared_meteor

    _while_running.close()
    if run.get("waiting") and run.get("executor") != "in-process":
        _while_running.enter_context(shared_meteor())


@hookimpl
def reelbench_plan_finished() -> None:
    """End the offer, and METEOR with it."""
    _while_running.close()
