"""Time and memory limits of a fit, and losses that are not finite: each ends the fit with one line."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from reelbench.errors import TrainingError


class Limits:
    """The limits that a suite sets.

    Parameters
    ----------
    spent_s
        Seconds that earlier, killed attempts took.
    """

    def __init__(self, limits: Mapping[str, Any], spent_s: float) -> None:
        self.seconds, self.memory_bytes = limits.get("seconds"), limits.get("memory_bytes")
        self._started, self._process = time.monotonic() - spent_s, psutil.Process()

    @property
    def elapsed_s(self) -> float:
        """Seconds of the fit so far, over all attempts."""
        return time.monotonic() - self._started

    def check(self, where: str) -> None:
        """Raise :class:`TrainingError` if a limit was reached; ``where`` says how far the fit came."""
        if self.seconds is not None and self.elapsed_s > self.seconds:
            raise TrainingError(
                f"{where}: over the time limit of {self.seconds:g} s; raise limits.seconds, or train fewer epochs"
            )
        if self.memory_bytes is not None:
            held = self._process.memory_info().rss
            if held > self.memory_bytes:
                raise TrainingError(
                    f"{where}: {held >> 20} MiB in use, over the memory limit of {self.memory_bytes >> 20} MiB; raise limits.memory_bytes, or lower batch_size"
                )


def check_finite(values: Sequence[float], where: str, first_step: int) -> None:
    """Raise :class:`TrainingError` at the first loss that is not finite, naming its step."""
    for offset, value in enumerate(values):
        if not math.isfinite(value):
            raise TrainingError(
                f"{where}, step {first_step + offset}: the loss is {value}; try a lower learning_rate, a smaller clip_norm, warmup_steps, or precision 32-true"
            )
