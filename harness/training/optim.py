"""Optimisers, learning-rate schedules and frozen parameters, as a phase declares them.

Schedules are pure functions of the step, so a checkpoint keeps nothing of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch

from reelbench.errors import TrainingError
from reelbench.method import Phase


def freeze(
    module: torch.nn.Module, prefixes: Sequence[str], trainable: frozenset[str]
) -> list[torch.nn.Module]:
    """Let gradients flow to the ``trainable`` parameters except those under a prefix.

    Returns
    -------
    list
        Sub-modules that are wholly frozen, to be kept in evaluation mode (no dropout, no running statistics).

    Raises
    ------
    TrainingError
        If a prefix matches no parameter, or nothing is left to train.
    """
    names = [name for name, _ in module.named_parameters()]
    for prefix in prefixes:
        _check_prefix(prefix, names, "frozen")
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name in trainable and not name.startswith(tuple(prefixes)))
    if not any(p.requires_grad for p in module.parameters()):
        raise TrainingError(
            f"nothing is left to train: frozen {', '.join(prefixes) or 'by the module itself'}"
        )
    return [m for name, m in module.named_modules() if name and _is_under(name, prefixes)]


def _is_under(name: str, prefixes: Sequence[str]) -> bool:
    return any(f"{name}.".startswith(prefix) for prefix in prefixes)


def _check_prefix(prefix: str, names: Iterable[str], what: str) -> None:
    names = list(names)
    if not any(name.startswith(prefix) for name in names):
        heads = sorted({n.partition(".")[0] for n in names})
        raise TrainingError(
            f"{what} prefix {prefix!r} matches no parameter; parameters start with: {', '.join(heads)}"
        )


def parameter_groups(module: torch.nn.Module, phase: Phase) -> list[dict[str, object]]:
    """Trainable parameters by learning-rate factor; the longest prefix of :attr:`Phase.rates` decides."""
    named = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
    for prefix in phase.rates:
        _check_prefix(prefix, [n for n, _ in module.named_parameters()], "rates")
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in named:
        groups.setdefault(rate_of(name, phase), []).append(parameter)
    return [
        {"params": params, "factor": factor, "lr": phase.learning_rate * factor}
        for factor, params in groups.items()
    ]


def rate_of(name: str, phase: Phase) -> float:
    """The learning-rate factor of a parameter."""
    prefixes = [p for p in phase.rates if name.startswith(p)]
    return float(phase.rates[max(prefixes, key=len)]) if prefixes else 1.0


def build_optimizer(module: torch.nn.Module, phase: Phase) -> torch.optim.Optimizer:
    """The phase's optimiser over what is trainable."""
    groups, decay = parameter_groups(module, phase), phase.weight_decay
    rate = phase.learning_rate
    if phase.optimizer == "adam":
        return torch.optim.Adam(groups, lr=rate, weight_decay=decay, fused=True)
    if phase.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, weight_decay=decay, fused=True)
    if phase.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, weight_decay=decay, momentum=phase.momentum, fused=True)
    if phase.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, lr=rate, weight_decay=decay)
    if phase.optimizer == "adadelta":
        return torch.optim.Adadelta(groups, lr=rate, weight_decay=decay)
    raise TrainingError(
        f"phase {phase.name!r}: unknown optimizer {phase.optimizer!r}; known: adam, adamw, sgd, rmsprop, adadelta"
    )


def schedule_factor(phase: Phase, step: int, total_steps: int, steps_per_epoch: int) -> float:
    """What the learning rate is multiplied with at a step (counted from 0)."""
    warm = phase.warmup_steps
    if step < warm:
        return (step + 1) / warm
    done = (step - warm) / max(1, total_steps - warm)
    if phase.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    if phase.schedule == "linear":
        return 1 - done
    if phase.schedule == "step":
        return float(phase.decay ** (step // steps_per_epoch // phase.decay_every))
    return 1.0


def set_rates(optimizer: torch.optim.Optimizer, phase: Phase, factor: float) -> None:
    """Set every group's learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = phase.learning_rate * group["factor"] * factor
