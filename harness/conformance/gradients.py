"""Checks of a few steps of a phase: which loss terms move which parameters, and that no frozen one is moved.

A few steps, over several batches, because a layer that starts at zero passes no gradient on before its first step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch

from reelbench.conformance.parts import loader_of
from reelbench.conformance.report import Broken
from reelbench.determinism import own_randomness
from reelbench.training.optim import build_optimizer, freeze
from reelbench.training.validation import named_losses

if TYPE_CHECKING:
    from reelbench.method import DataInfo, Phase
    from reelbench.training.fit import Fit

STEPS = 4
SHOWN_HEADS = 5
Losses = Mapping[str, torch.Tensor]


@dataclass
class Reached:
    """What a phase's few steps moved.

    Attributes
    ----------
    linked
        Parameters that the loss was computed from, whatever gradient they got.
    values
        Loss name → its value at the first step.
    terms
        Loss name → parameters that it gave a gradient other than zero; ``None`` for one returned detached.
    """

    linked: set[str] = field(default_factory=set)
    values: dict[str, float] = field(default_factory=dict)
    terms: dict[str, set[str] | None] = field(default_factory=dict)

    def note(self, name: str, loss: torch.Tensor, moved: Iterable[str]) -> None:
        """Add a step's."""
        self.values.setdefault(name, float(loss.detach()))
        if not loss.requires_grad:
            self.terms.setdefault(name, None)
        else:
            self.terms[name] = (self.terms.get(name) or set()) | set(moved)


def check_step(fit: Fit, phase: Phase, data: DataInfo) -> tuple[set[str], str]:
    """Losses are finite, each moves some parameter and none a frozen one; returns names that none moved."""
    module = fit.build(data)
    if module is None:
        raise Broken("there is a phase but build returned None; return a module, or leave the phase out")
    frozen = (*phase.frozen, *(prefix for up in fit.ups for prefix in up.frozen))
    freeze(module, frozen, frozenset(n for n, p in module.named_parameters() if p.requires_grad))
    trained = {n for n, p in module.named_parameters() if p.requires_grad}
    reached = _stepped(fit, phase, data, module)
    if idle := [name for name, moved in reached.terms.items() if moved is not None and not moved]:
        raise Broken(
            f"loss {idle[0]!r} gives no parameter a gradient in {STEPS} steps; is it masked or clamped to a constant, or of frozen parts only?"
        )
    moved = reached.terms["loss"] or set()
    return _missed(trained, reached.linked, moved), _told(reached, len(moved), len(trained))


def _missed(trained: set[str], linked: set[str], moved: set[str]) -> set[str]:
    """Parameters outside the loss, and those of layers that got no gradient but zero.

    One parameter of a layer may well get none: the bias of a score that only differences are taken of.
    """
    layers = {name.rpartition(".")[0] for name in moved}
    return {n for n in trained if n not in linked or (n not in moved and n.rpartition(".")[0] not in layers)}


def _stepped(fit: Fit, phase: Phase, data: DataInfo, module: torch.nn.Module) -> Reached:
    """The module trained for a few steps as the phase does it, and what its losses reached."""
    reached, loader = Reached(), loader_of(fit, phase, data)
    trained = {n: p for n, p in module.named_parameters() if p.requires_grad}
    still = {n: p.detach().clone() for n, p in module.named_parameters() if not p.requires_grad}
    optimizer, batches = build_optimizer(module, phase), loader.order(0)
    module.train()
    with own_randomness(fit.seed, "cpu") as generator:
        for step in range(STEPS):
            ctx = replace(loader.ctx, generator=generator, step=step, total_steps=STEPS)
            batch = loader.batch(batches[step % len(batches)], ctx)
            losses = named_losses(fit.method.training_step(module, batch, ctx), fit.method.name)
            _check_losses(losses)
            for name, loss in losses.items():
                if name != "loss":
                    reached.note(name, loss, _moved_by(loss, trained))
            losses["loss"].backward()  # type: ignore[no-untyped-call]
            _check_gradients(module, still)
            gradients = {n: p.grad for n, p in trained.items()}
            reached.linked |= {n for n, g in gradients.items() if g is not None}
            reached.note("loss", losses["loss"], _moved(gradients))
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    return reached


def _moved_by(loss: torch.Tensor, trained: Mapping[str, torch.nn.Parameter]) -> list[str]:
    if not loss.requires_grad:
        return []
    gradients = torch.autograd.grad(loss, list(trained.values()), retain_graph=True, allow_unused=True)
    return _moved(dict(zip(trained, gradients, strict=True)))


def _moved(gradients: Mapping[str, torch.Tensor | None]) -> list[str]:
    return [n for n, g in gradients.items() if g is not None and bool((g != 0).any())]


def _check_losses(losses: Losses) -> None:
    for name, loss in losses.items():
        if not bool(torch.isfinite(loss).all()):
            raise Broken(
                f"loss {name!r} is {float(loss.detach())}; look for a log or a division at 0, or a mask that leaves nothing"
            )
    if not losses["loss"].requires_grad:
        raise Broken(
            "the loss has no gradient; was it detached, or computed under no_grad, or is everything frozen?"
        )


def _check_gradients(module: torch.nn.Module, still: Mapping[str, torch.Tensor]) -> None:
    for name, parameter in module.named_parameters():
        if parameter.grad is not None and not bool(torch.isfinite(parameter.grad).all()):
            raise Broken(
                f"the gradient of {name!r} is not finite; look for a log, a division or a square root at 0"
            )
        if name in still and (parameter.grad is not None or not torch.equal(parameter, still[name])):
            raise Broken(
                f"frozen parameter {name!r} is trained by the step; leave requires_grad and frozen values to the harness"
            )


# --- the line --------------------------------------------------------------------------------------------------------


def _told(reached: Reached, moved: int, trained: int) -> str:
    """``loss 1.2; video 0.3 → encoder, star; gradients reach 7 of 7 parameters``."""
    terms = [f"loss {reached.values['loss']:.4g}"]
    for name, parameters in reached.terms.items():
        if name != "loss":
            where = "not checked: returned detached" if parameters is None else f"→ {_heads(parameters)}"
            terms.append(f"{name} {reached.values[name]:.4g} {where}")
    return f"{'; '.join(terms)}; gradients reach {moved} of {trained} parameters"


def _heads(names: set[str]) -> str:
    """How the names start, as deep as it takes to tell two apart."""
    parts = [name.split(".") for name in names]
    depth = next((d for d in range(1, 6) if len({tuple(p[:d]) for p in parts}) > 1), 1)
    heads = sorted({".".join(p[:depth]) for p in parts})
    more = f" and {len(heads) - SHOWN_HEADS} more" if len(heads) > SHOWN_HEADS else ""
    return ", ".join(heads[:SHOWN_HEADS]) + more


def check_reached(missed: Sequence[set[str]]) -> str:
    """Every parameter that is not frozen is trained by some phase."""
    never = set.intersection(*missed)
    if never:
        names = sorted(never)
        raise Broken(
            f"no phase trains {len(names)} parameters ({', '.join(names[:3])}{', …' if len(names) > 3 else ''}); use them in a loss, name them in frozen=(...), or drop them"
        )
    return "every parameter is trained by some phase or frozen"
