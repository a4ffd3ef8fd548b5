"""Checks of a method's parts, none of which trains: assets, module, examples, one step a phase."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reelbench.batching import Batch, Padded
from reelbench.conformance.report import Broken
from reelbench.determinism import own_randomness
from reelbench.method import Context, DataInfo, Phase
from reelbench.training.assets import decode, encode
from reelbench.training.loader import Loader
from reelbench.training.optim import freeze
from reelbench.training.validation import named_losses
from reelbench.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelbench.training.fit import Fit


def check_assets(fit: Fit) -> tuple[DataInfo, str]:
    """Assets can be stored and read back, and come out the same twice."""
    data, again = fit.fresh_data(), fit.fresh_data()
    arrays: dict[str, NDArray[Any]] = {}
    stored = DataInfo(
        data.dataset,
        data.features,
        data.spaces,
        decode(encode(dict(data.assets), "assets", arrays), arrays),
        data.upstream,
    )
    for name, value in data.assets.items():
        if not same(value, again.assets.get(name)):
            raise Broken(
                f"asset {name!r} differs between two calls; draw with source.rng only, and sort what comes from a set"
            )
        if not same(value, stored.assets[name]):
            raise Broken(
                f"asset {name!r} changes when it is stored and read; use text keys, lists, numbers, numpy arrays or Vocabulary"
            )
    return stored, f"{len(data.assets)} stored and read back: {', '.join(sorted(data.assets)) or 'none'}"


def check_build(fit: Fit, data: DataInfo) -> str:
    """The module is built from what was stored, the same each time."""
    first, second = fit.build(data), fit.build(data)
    if first is None or second is None:
        return "no parameters"
    if not isinstance(first, torch.nn.Module):
        raise Broken(f"build returned a {type(first).__name__}; return a torch.nn.Module")
    for (name, a), (_, b) in zip(first.state_dict().items(), second.state_dict().items(), strict=True):
        if not torch.equal(a, b):
            raise Broken(
                f"parameter {name!r} differs between two builds of one seed; initialise from torch's global generator only"
            )
    count = sum(p.numel() for p in first.parameters())
    return f"{count:,} parameters, initialised the same twice"


def loader_of(fit: Fit, phase: Phase, data: DataInfo) -> Loader:
    """The phase's training batches."""
    ctx = Context(fit.config, data, fit.spec["recipe"], fit.seed, training=True, phase=phase, total_steps=1)
    return Loader(fit.relation(phase), fit.reader_of(phase), fit.method, ctx)


def first_batch(loader: Loader) -> Batch:
    """The first batch of the first epoch."""
    return loader.batch(loader.order(0)[0], loader.ctx)


def check_examples(fit: Fit, phase: Phase, data: DataInfo) -> str:
    """``sample`` and ``prepare`` are pure: the same batch twice, and the examples left as they were."""
    loader = loader_of(fit, phase, data)
    if not len(loader.relation):
        raise Broken(
            f"relation {phase.relation!r} has no examples in split {phase.split!r}; read another relation or split"
        )
    before = copy.deepcopy(list(loader.relation.examples))
    first, second = first_batch(loader), first_batch(loader_of(fit, phase, data))
    for kind, one, other in (
        ("field", first.fields, second.fields),
        ("target", first.targets or {}, second.targets or {}),
    ):
        for name in one:
            if not same(one[name], other.get(name)):
                raise Broken(
                    f"{kind} {name!r} differs between two passes; sample and prepare may draw from ctx.rng only, keep nothing, and change no array in place"
                )
    for was, now in zip(before, loader.relation.examples, strict=True):
        if not same(was.fields, now.fields) or not same(was.targets, now.targets):
            raise Broken(
                f"example {was.id!r} was changed in place; return a copy with example.with_fields(...)"
            )
    return f"the same batch of {len(first)} twice: {', '.join(sorted(first.fields))}"


def check_step(fit: Fit, phase: Phase, data: DataInfo) -> tuple[set[str], str]:
    """The loss is finite and gradients reach the parameters; returns names that got none."""
    module = fit.build(data)
    if module is None:
        raise Broken("there is a phase but build returned None; return a module, or leave the phase out")
    frozen = (*phase.frozen, *(prefix for up in fit.ups for prefix in up.frozen))
    freeze(module, frozen, frozenset(n for n, p in module.named_parameters() if p.requires_grad))
    losses = _stepped(fit, phase, data, module)
    trained = {n for n, p in module.named_parameters() if p.requires_grad}
    reached = {n: p.grad for n, p in module.named_parameters() if p.grad is not None}
    for name, gradient in reached.items():
        if not bool(torch.isfinite(gradient).all()):
            raise Broken(
                f"the gradient of {name!r} is not finite; look for a log, a division or a square root at 0"
            )
    shown = ", ".join(f"{k} {float(v.detach()):.4g}" for k, v in losses.items())
    return trained - set(reached), f"{shown}; gradients reach {len(reached)} of {len(trained)} parameters"


def _stepped(fit: Fit, phase: Phase, data: DataInfo, module: torch.nn.Module) -> Mapping[str, torch.Tensor]:
    loader = loader_of(fit, phase, data)
    module.train()
    with own_randomness(fit.seed, "cpu") as generator:
        losses = named_losses(
            fit.method.training_step(module, first_batch(loader), replace(loader.ctx, generator=generator)),
            fit.method.name,
        )
    for name, loss in losses.items():
        if not bool(torch.isfinite(loss).all()):
            raise Broken(
                f"loss {name!r} is {float(loss.detach())}; look for a log or a division at 0, or a mask that leaves nothing"
            )
    if not losses["loss"].requires_grad:
        raise Broken(
            "the loss has no gradient; was it detached, or computed under no_grad, or is everything frozen?"
        )
    losses["loss"].backward()  # type: ignore[no-untyped-call]
    return losses


def check_reached(missed: Sequence[set[str]]) -> str:
    """Every parameter that is not frozen is trained by some phase."""
    never = set.intersection(*missed)
    if never:
        names = sorted(never)
        raise Broken(
            f"no phase trains {len(names)} parameters ({', '.join(names[:3])}{', …' if len(names) > 3 else ''}); use them in a loss, name them in frozen=(...), or drop them"
        )
    return "every parameter is trained by some phase or frozen"


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, whatever arrays and containers they are made of."""
    if isinstance(one, Padded):
        return isinstance(other, Padded) and same(one.data, other.data) and same(one.mask, other.mask)
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, Vocabulary):
        return isinstance(other, Vocabulary) and one.words == other.words
    if isinstance(one, Mapping):
        return (
            isinstance(other, Mapping)
            and one.keys() == other.keys()
            and _all_same(one.values(), [other[k] for k in one])
        )
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and _all_same(one, other)
    return bool(one == other)


def _all_same(ones: Iterable[Any], others: Iterable[Any]) -> bool:
    return all(same(a, b) for a, b in zip(ones, others, strict=True))
