"""Weights on disk and in memory: saved by rename, loaded strictly, hashed, copied from an upstream fit by prefix."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from reelbench.errors import TrainingError
from reelbench.stages import weight_files

Weights = dict[str, torch.Tensor]


def snapshot(module: torch.nn.Module) -> Weights:
    """A copy of every parameter and buffer, on the CPU."""
    return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in module.state_dict().items()}


def save_weights(members: list[Weights], folder: Path) -> None:
    """Write ``weights-<k>.safetensors``, oldest first."""
    for index, weights in enumerate(members):
        temporary = folder / f".weights-{index}.{os.getpid()}"
        save_file(weights, temporary)
        os.replace(temporary, folder / f"weights-{index}.safetensors")


def load_weights(module: torch.nn.Module, path: Path) -> None:
    """Load a file into a module that was built for it.

    Raises
    ------
    TrainingError
        If the file is damaged or belongs to another module.
    """
    try:
        module.load_state_dict(load_file(path))
    except Exception as error:
        raise TrainingError(
            f"{path}: weights cannot be loaded ({error}); delete the folder to train again"
        ) from error


def start_from(module: torch.nn.Module, folder: Path, prefixes: Mapping[str, str], name: str) -> None:
    """Copy an upstream fit's parameters into a module.

    Parameters
    ----------
    prefixes
        Upstream prefix → own prefix. Upstream parameters for which the module has no place are left out.

    Raises
    ------
    TrainingError
        If a prefix copies nothing, or a parameter has another shape.
    """
    if not prefixes:
        return
    files = weight_files(folder)
    theirs, own = load_file(files[-1]) if files else {}, module.state_dict()
    for source, target in prefixes.items():
        pairs = {k: target + k.removeprefix(source) for k in theirs if k.startswith(source)}
        found = {k: v for k, v in pairs.items() if v in own}
        if not found:
            raise TrainingError(
                f"upstream {name!r}: no parameter under {source!r} has a place under {target!r}; upstream has {_heads(theirs)}"
            )
        for theirs_name, own_name in found.items():
            _copy(own[own_name], theirs[theirs_name], own_name, name)


def _copy(own: torch.Tensor, theirs: torch.Tensor, name: str, upstream: str) -> None:
    if own.shape != theirs.shape:
        raise TrainingError(
            f"upstream {upstream!r}: parameter {name!r} has shape {tuple(theirs.shape)} there and {tuple(own.shape)} here"
        )
    with torch.no_grad():
        own.copy_(theirs)


def _heads(weights: Mapping[str, torch.Tensor]) -> str:
    return ", ".join(sorted({name.partition(".")[0] for name in weights})) or "none"
