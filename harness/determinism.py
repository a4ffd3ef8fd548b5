"""Torch's own switches for repeatable runs and for precision, set for a stretch and put back after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch


@contextmanager
def deterministic_algorithms(enabled: bool = True) -> Iterator[None]:
    """Refuse operations that would not repeat exactly."""
    before = torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(enabled)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextmanager
def own_randomness(seed: int, device: str) -> Iterator[torch.Generator]:
    """Seed torch's global generators for a stretch; what follows goes on as if it had not been.

    Yields
    ------
    torch.Generator
        One more generator, on the device, for ``ctx.generator``.
    """
    devices = [torch.cuda.current_device()] if device == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(
            seed
        )  # torch.manual_seed would record a traceback for a CUDA that is not there
        if device == "cuda":
            torch.cuda.manual_seed(seed)
        yield torch.Generator(device=device).manual_seed(seed)


def autocast(precision: str, device: str) -> AbstractContextManager[Any]:
    """Mixed precision for a forward pass, as Fabric does it in training."""
    return torch.autocast(device, dtype=torch.bfloat16) if precision == "bf16-mixed" else nullcontext()
