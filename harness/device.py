"""Which device a plan runs on, without importing torch where there is plainly no GPU."""

from __future__ import annotations

import shutil
from pathlib import Path

from reelbench.errors import UsageError


def resolve_device(asked: str) -> str:
    """``cpu`` or ``cuda``.

    Raises
    ------
    UsageError
        If ``cuda`` is asked for and torch cannot use it.
    """
    if asked == "cpu" or (asked == "auto" and not _driver_present()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if asked == "cuda":
        raise UsageError(
            "device cuda was asked for, but torch sees no GPU; use --device cpu, or install a CUDA build of torch"
        )
    return "cpu"


def _driver_present() -> bool:
    return (
        Path("/dev/nvidia0").exists()
        or Path("/dev/nvidiactl").exists()
        or shutil.which("nvidia-smi") is not None
    )
