"""Trials that a plan will not have because a stage before them failed, so that no table loses a seed in silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelbench.stages import Stage


class LostStages:
    """Follows failures down a plan, from the stage that failed to the trials that are lost with it."""

    def __init__(self) -> None:
        self._roots: dict[str, tuple[Stage, str]] = {}

    def heard(self, stage: Stage, record: Mapping[str, Any]) -> dict[str, str]:
        """Take note of a stage that did not finish; returns what the run of a lost trial says, else nothing.

        An interrupted stage is no failure, and neither is what was not reached because of it. A trial whose own
        prediction failed has that one's run.
        """
        if record["status"] == "failed":
            self._roots[stage.fingerprint] = stage, str(record["error"])
            return {}
        root = next((self._roots[f] for f in stage.all_needs() if f in self._roots), None)
        if record["status"] != "skipped" or root is None:
            return {}
        self._roots[stage.fingerprint] = root
        cause, error = root
        if stage.kind != "score" or cause.fingerprint in stage.all_needs():
            return {}
        return {"error": f"not run: {cause.title} failed: {error}", "lost_with": cause.fingerprint}
