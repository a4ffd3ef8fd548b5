"""Checks of a method's parts, none of which trains: assets, module, examples."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reelbench.batching import Batch, Padded
from reelbench.conformance.report import Broken
from reelbench.method import Context, DataInfo, Phase
from reelbench.training.assets import decode, encode
from reelbench.training.loader import Loader
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
