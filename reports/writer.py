"""Draws the site while a bench runs: after each seed and every other minute, in a process of its own, and at the end.

The bench never waits for a drawing but the last.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelbench.plan import Plan
    from reelbench.stages import Stage

REFRESH_S = 120.0
"""After so long a trial that ends brings a drawing, its seed complete or not: a first table is not long in coming."""


class SiteWriter:
    """One bench's site.

    Parameters
    ----------
    store
        MLflow tracking URI.
    site
        The folder to draw into.
    workspace
        Where chapters are kept from one drawing to the next.
    """

    def __init__(self, store: str, site: Path, workspace: Path, plan: Plan) -> None:
        self.store, self.site, self.workspace = store, site, workspace
        self.open: dict[int, set[str]] = {}
        for stage in plan.trials():
            if stage.spec["seed"] >= 0:  # ceilings have none
                self.open.setdefault(stage.spec["seed"], set()).add(stage.fingerprint)
        self._heard: set[int] = set()
        self._drawn: set[int] = set()
        self._asked = time.monotonic()
        self._drawing: subprocess.Popen[bytes] | None = None

    def ended(self, stage: Stage) -> None:
        """A stage ended; draw if a seed is complete or the last drawing is old, and other trials still run.

        Cached trials are not heard of, so a seed counts as complete, too, when a trial of another one ends after it.
        """
        seed = stage.spec["seed"]
        if stage.kind != "score" or seed not in self.open:
            return
        self.open[seed].discard(stage.fingerprint)
        complete = self._heard - {seed} if self.open[seed] else {seed}
        self._heard.add(seed)
        is_due = (
            bool(complete - self._drawn) or not self.open[seed] or time.monotonic() - self._asked > REFRESH_S
        )
        if is_due and any(self.open.values()):
            self._drawn |= complete
            self._asked = time.monotonic()
            self._draw_aside()

    def finish(self) -> None:
        """Draw once more, here and now."""
        from reelbench.reports.render import draw_site

        if self._drawing:
            self._drawing.wait()
        draw_site(self.store, self.site, workspace=self.workspace)

    def _draw_aside(self) -> None:
        if self._drawing and self._drawing.poll() is None:
            return
        places = ["--out", str(self.site), "--workspace", str(self.workspace)]
        command = [sys.executable, "-m", "reelbench", "report", *places]
        quiet = subprocess.DEVNULL
        environment = {
            **os.environ,
            "MLFLOW_TRACKING_URI": self.store,
        }  # a command line, with a password in it, is for all to see
        self._drawing = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment)
