"""Which weights a phase hands on: the last, the best on validation, or the last few to be averaged."""

from __future__ import annotations

import torch

from reelbench.method import Phase
from reelbench.training.checkpoint import FitState
from reelbench.training.validation import Value
from reelbench.training.weights import Weights, snapshot


def note_validation(state: FitState, phase: Phase, module: torch.nn.Module, value: Value) -> None:
    """Remember a validation, and the weights if they are the best so far."""
    if not value.beats(state.best):
        state.stale += 1
        return
    state.best, state.stale = value.value, 0
    if phase.select == "best":
        state.kept = [snapshot(module)]


def note_epoch(state: FitState, phase: Phase, module: torch.nn.Module) -> None:
    """Keep an epoch's weights where the last few are averaged."""
    if phase.select == "average":
        state.kept = [*state.kept, snapshot(module)][-max(1, phase.keep) :]


def is_stale(state: FitState, phase: Phase) -> bool:
    """Whether patience has run out."""
    return phase.patience is not None and state.stale >= phase.patience


def hand_on(state: FitState, phase: Phase, module: torch.nn.Module) -> list[Weights]:
    """The phase's members, oldest first; the module goes on with the newest."""
    members = state.kept if phase.select != "last" and state.kept else [snapshot(module)]
    module.load_state_dict(members[-1])
    return members
