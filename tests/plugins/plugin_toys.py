"""Hand-made data for tests of methods: a few clips with features, a vocabulary, label spaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from reelbench import Batch, Context, DataInfo, Example, FeatureSpec, Method, Vocabulary
from reelbench.resolution import Resolved, resolve

WORDS = ("a", "man", "woman", "walks", "runs", "left", "right", "holds", "the", "ball", "box", "red")
SPECS = {
    name: FeatureSpec(name, (dim,), 4.0) for name, dim in {"appearance": 6, "motion": 4, "audio": 3}.items()
}
SPACES = {
    "answers": ("ball", "box", "red"),
    "tags": ("walk", "run", "ball", "box", "red"),
    "actions": ("walk left", "run", "hold"),
}


def moments(dim: int) -> dict[str, Any]:
    return {"mean": np.zeros(dim, np.float32), "scale": np.ones(dim, np.float32)}


def toy_data(features: tuple[str, ...] = tuple(SPECS), **assets: Any) -> DataInfo:
    specs = {name: SPECS[name] for name in features}
    known = {
        "vocabulary": Vocabulary.from_sentences([WORDS]),
        "moments": moments(sum(s.dim for s in specs.values())),
    }
    return DataInfo("toy", specs, SPACES, {**known, **assets})


def toy_video(rng: np.random.Generator, frames: int) -> dict[str, np.ndarray]:
    return {name: rng.normal(size=(frames, spec.dim)).astype(np.float32) for name, spec in SPECS.items()}


def toy_sentence(rng: np.random.Generator, length: int) -> tuple[str, ...]:
    return tuple(str(w) for w in rng.choice(WORDS, size=length))


def toy_fit(
    method: Method, recipe: str, variant: str = "full", preset: str = "tiny", **overrides: Any
) -> Resolved:
    return resolve(method, recipe, variant, preset, overrides)


def toy_context(
    resolved: Resolved, recipe: str, data: DataInfo, *, training: bool = True, **more: Any
) -> Context:
    return Context(
        config=resolved.config,
        data=data,
        recipe=recipe,
        seed=0,
        training=training,
        rng=np.random.default_rng(0),
        settings=resolved.settings,
        **more,
    )


def example(fields: Mapping[str, Any], targets: Mapping[str, Any] | None = None, name: str = "x") -> Example:
    return Example(name, fields, targets)


def toy_curve(
    method: Method, module: torch.nn.Module, batch: Batch, ctx: Context, *, steps: int, rate: float
) -> list[dict[str, float]]:
    """The terms of the loss at each of some steps of Adam on one batch, of what is to be trained."""
    optimiser = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], rate)
    curve = []
    for _ in range(steps):
        terms = method.training_step(module, batch, ctx)
        terms = {"loss": terms} if isinstance(terms, torch.Tensor) else terms
        optimiser.zero_grad()
        terms["loss"].backward()
        optimiser.step()
        curve.append({name: float(value.detach()) for name, value in terms.items()})
    return curve


def toy_losses(*fit: Any, steps: int, rate: float) -> list[float]:
    """The loss alone of :func:`toy_curve`."""
    return [terms["loss"] for terms in toy_curve(*fit, steps=steps, rate=rate)]
