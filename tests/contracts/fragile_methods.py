"""A plugin of methods that die or dawdle, for tests of workers."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from typing import Any

from toy_methods import JOINT, Matching

import reelbench
from reelbench import Recipe, hookimpl

PHASE = replace(JOINT, frozen=("next_word.",))


class Doomed(Matching):
    """Its process is killed."""

    name = "doomed"
    recipes = {"match": Recipe(serves=("multiple_choice",), phases=(PHASE,))}

    def assets(self, source: Any, config: Any, recipe: str) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}


class Dawdler(Matching):
    """Takes its time over each step."""

    name = "dawdler"
    recipes = {"match": Recipe(serves=("multiple_choice",), phases=(replace(PHASE, epochs=12),))}

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        time.sleep(0.05 if os.environ.get("DAWDLE") else 0.0)
        return super().training_step(module, batch, ctx)


@hookimpl
def reelbench_methods() -> list[type[reelbench.Method]]:
    return [Doomed, Dawdler]
