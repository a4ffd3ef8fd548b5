"""What a fit costs: parameters, seconds, memory. Measured, never estimated."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def reset_peak_memory(device: str) -> None:
    """Start measuring peak memory afresh, where the system can: a persistent worker has earlier fits behind it."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        with contextlib.suppress(
            OSError
        ):  # another system, or not permitted: the process's own peak is reported
            _CLEAR.write_text("5")


def peak_memory_bytes(device: str) -> int:
    """Most memory held since the reset: of the device on a GPU, else resident in this process."""
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    with contextlib.suppress(OSError, StopIteration):
        line = next(x for x in _STATUS.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def count_parameters(module: torch.nn.Module | None) -> dict[str, int]:
    """All parameters, and those that a fit may train."""
    found = list(module.parameters()) if module is not None else []
    return {
        "parameters": sum(p.numel() for p in found),
        "trainable_parameters": sum(p.numel() for p in found if p.requires_grad),
    }


class Stopwatch:
    """Seconds by name, added up over any number of stretches."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time a stretch, to the end of what the device was given."""
        started = time.perf_counter()
        try:
            yield
        finally:
            if self.device == "cuda":
                torch.cuda.synchronize()
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

    def of(self, name: str) -> float:
        """Seconds so far."""
        return self.seconds.get(name, 0.0)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return dict(self.seconds)
