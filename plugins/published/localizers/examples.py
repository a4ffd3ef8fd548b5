"""What MCN and CTRL read of an example. Numpy only: this runs while examples are prepared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Example
from reelbench.plugins.baselines.moments import candidates_of, located_means, votes
from reelbench.plugins.layers.frames import segment_means
from reelbench.plugins.layers.segments import overlaps

if TYPE_CHECKING:
    from reelbench.method import Context
    from reelbench.plugins.published.localizers.method import CTRLConfig

Array = NDArray[np.float64]
LEAST_OVERLAP, MOST_OUTSIDE = 0.5, 0.15


def moments(example: Example, ctx: Context) -> Example:
    """Candidates with their features and places, the sentence; one annotator's candidate in training."""
    fields = {
        "words": ctx.data.assets["vocabulary"].encode(example["query"]),
        "windows": located_means(example, ctx.data.features),
        "candidates": candidates_of(example),
    }
    if example.targets is None or ctx.rng is None:
        return Example(example.id, fields, None)
    chosen = votes(example)
    fields["film"] = example["film"]
    return Example(example.id, fields, {"chosen": int(ctx.rng.choice(len(chosen), p=chosen / chosen.sum()))})


def windows(example: Example, ctx: Context) -> Example:
    """Every window with its context in prediction; in training one that overlaps the span, and its ends' offsets."""
    spans = sliding_windows(float(example["duration_s"]), ctx.config)
    fields: dict[str, Any] = {"words": ctx.data.assets["vocabulary"].encode(example["query"])}
    targets = None
    if ctx.training and example.targets is not None and ctx.rng is not None:
        wanted = _span(example, ctx.rng)
        spans = near(spans, wanted, ctx.rng)[None]
        fields["film"] = example["film"]
        targets = {"offset": (wanted - spans[0]).astype(np.float32)}
    return Example(
        example.id, fields | {"windows": with_context(example, spans, ctx), "spans": spans}, targets
    )


def sliding_windows(duration_s: float, config: CTRLConfig) -> Array:
    """Windows of every length ``(W, 2)`` seconds; one of the whole video where it is shorter than all."""
    found = [
        np.stack([s := np.arange(0, duration_s - length + 1e-6, config.stride * length), s + length], axis=1)
        for length in config.windows_s
        if length <= duration_s
    ]
    return np.concatenate(found) if found else np.array([[0.0, duration_s]])


def near(spans: Array, wanted: Array, rng: np.random.Generator) -> Array:
    """A window that may be trained on for a span: ``(2,)``."""
    shared = overlaps(wanted[None], spans)[0]
    inside = np.minimum(spans[:, 1], wanted[1]) - np.maximum(spans[:, 0], wanted[0])
    outside = 1 - inside / np.ptp(spans, axis=1)
    fitting = np.flatnonzero((shared > LEAST_OVERLAP) & (outside < MOST_OUTSIDE))
    return np.asarray(spans[rng.choice(fitting) if len(fitting) else shared.argmax()])


def with_context(example: Example, spans: Array, ctx: Context) -> NDArray[np.float32]:
    """Mean features of each window, and of as long a stretch before and after it: ``(W, 3 D)``."""
    length = np.ptp(spans, axis=1)[:, None]
    stretches = np.stack([spans - length, spans, spans + length], axis=1).clip(0.0)  # (W, 3, 2)
    means = segment_means(example["video"], stretches.reshape(-1, 2), ctx.data.features)
    return means.reshape(len(spans), -1)


def _span(example: Example, rng: np.random.Generator) -> Array:
    """The exact span where it is known, or a random annotator's: ``(2,)`` seconds."""
    assert example.targets is not None
    exact = example.targets.get("span")
    segments = np.asarray(example.targets["segments"] if exact is None else exact, dtype=np.float64)
    return np.asarray(segments[rng.integers(len(segments))])
