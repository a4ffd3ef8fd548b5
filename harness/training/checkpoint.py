"""Where a fit stands, kept on disk so that a killed one goes on bit for bit.

Written to a temporary name and renamed; loads with ``weights_only=True``. A damaged checkpoint counts as none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from reelbench.training.weights import Weights


@dataclass
class FitState:
    """Everything of a fit that changes while it runs, beside parameters, optimiser and generators.

    Attributes
    ----------
    phase
        Index of the phase under way.
    batch
        Batches done in the epoch.
    step, steps
        Optimiser steps done in the phase, and in the whole fit.
    stopped
        Whether the phase has ended (its last epoch, or an early stop).
    best, stale
        The best validation so far, and how many came after it.
    kept
        Weights that the phase's selection holds.
    window
        Loss values since the last point of the curve, by name.
    """

    phase: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    steps: int = 0
    examples: int = 0
    stopped: bool = False
    best: float | None = None
    stale: int = 0
    kept: list[Weights] = field(default_factory=list)
    window: dict[str, list[float]] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    resumed: int = 0

    def next_phase(self) -> None:
        """Begin the phase after this one."""
        self.phase += 1
        self.epoch = self.batch = self.step = self.stale = 0
        self.stopped, self.best, self.kept, self.window = False, None, [], {}


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint; ``optimizer`` and ``randomness`` are ``None`` between phases."""

    state: FitState
    module: Weights
    optimizer: dict[str, Any] | None
    randomness: dict[str, torch.Tensor] | None


def checkpoint_path(folder: Path) -> Path:
    """Where a fit's checkpoint lies."""
    return folder / "checkpoint" / "state.pt"


def save_checkpoint(checkpoint: Checkpoint, fingerprint: str, folder: Path) -> None:
    """Write atomically."""
    path = checkpoint_path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".state.{os.getpid()}")
    value = {f.name: getattr(checkpoint, f.name) for f in fields(checkpoint)}
    torch.save({**value, "state": _plain(checkpoint.state), "fingerprint": fingerprint}, temporary)
    os.replace(temporary, path)


def _plain(state: FitState) -> dict[str, Any]:
    return {f.name: getattr(state, f.name) for f in fields(state)}


def load_checkpoint(fingerprint: str, folder: Path) -> Checkpoint | None:
    """The checkpoint of an earlier attempt at the same fit, if there is one that can be read."""
    path = checkpoint_path(folder)
    if not path.exists():
        return None
    try:
        value = torch.load(path, weights_only=True, map_location="cpu")
    except Exception:  # torn by a power cut, say: the fit starts again
        return None
    if value.pop("fingerprint") != fingerprint:
        return None
    return Checkpoint(FitState(**value["state"]), value["module"], value["optimizer"], value["randomness"])


def randomness(generator: torch.Generator, device: str) -> dict[str, torch.Tensor]:
    """The state of every torch generator that a step draws from."""
    states = {"torch": torch.get_rng_state(), "steps": generator.get_state()}
    return states | ({"cuda": torch.cuda.get_rng_state()} if device == "cuda" else {})


def restore_randomness(states: dict[str, torch.Tensor], generator: torch.Generator) -> None:
    """Put the generators back."""
    torch.set_rng_state(states["torch"])
    generator.set_state(states["steps"])
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"])
