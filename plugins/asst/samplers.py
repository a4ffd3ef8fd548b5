"""Which clips of a video are sampled, what each should say, and the rows of features around them (§3.1.2, §4.2).

Everything here runs while an example is prepared: numpy only. A *window* is the stretch of video that the network
observes at once, always as the same number of rows; clips are given as shares of it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Example
from reelbench.plugins.layers.frames import over_positions
from reelbench.plugins.layers.segments import overlaps
from reelbench.plugins.layers.words import known_words

if TYPE_CHECKING:
    from reelbench.data import FeatureSpec
    from reelbench.method import Context
    from reelbench.plugins.asst.method import ASSTConfig

Array = NDArray[np.float64]
POSITIVE = 0.5  # overlap from which a clip stands for an annotation
PLACES = 4  # clips of a group start every quarter of their length


@functools.cache
def clip_grid(groups: int) -> Array:
    """Clips of every group as shares of the window ``(S, 2)``: the ``i``-th group's are ``1 / 2**i`` long."""
    starts = [np.arange(PLACES * (2**i - 1) + 1) / (PLACES * 2**i) for i in range(groups)]
    grid = np.concatenate([np.stack([s, s + 0.5**i], axis=1) for i, s in enumerate(starts)])
    grid.flags.writeable = False  # one array for all callers
    return grid


def window_rows(
    video: Mapping[str, Any],
    specs: Mapping[str, FeatureSpec],
    rows: int,
    bounds: tuple[float, float],
    duration_s: float,
) -> NDArray[np.float32]:
    """Features of a window in equal steps, as far as the video goes: ``(at most rows, D)``, modalities side by side.

    A row is the mean of the frames that start in its step, or the frame that it begins in where none does.
    """
    edges = np.linspace(*bounds, rows + 1)
    inside = max(1, int((edges[:-1] < duration_s - 1e-6).sum()))
    return np.concatenate(
        [_steps(video[name], edges[: inside + 1] * spec.rate_hz) for name, spec in specs.items()], axis=1
    )


def _steps(frames: NDArray[Any], edges: Array) -> NDArray[np.float32]:
    """Means of ``(T, ..., D)`` between neighbouring edges, in frames, and over a map's positions."""
    places = np.floor(edges + 1e-6).astype(int).clip(0, len(frames))
    first = places[:-1].clip(max=len(frames) - 1)
    stop = max(int(places[-1]), int(first[-1]) + 1)
    sums = np.add.reduceat(over_positions(frames[:stop]), first, axis=0)
    return (sums / np.maximum(np.diff(first, append=stop), 1)[:, None]).astype(np.float32)


def window_starts(duration_s: float, window_s: float) -> Array:
    """Windows that slide by half their length until they have seen the whole video."""
    count = 1 + max(0, math.ceil((duration_s - window_s) / (window_s / 2) - 1e-6))
    return np.arange(count, dtype=np.float64) * (window_s / 2)


def agreeing(segments: Array) -> Array:
    """Annotations that overlap another of the same pair (all, where none does)."""
    among = overlaps(segments, segments)
    np.fill_diagonal(among, 0.0)
    kept = segments[among.max(axis=1) > 0]
    return kept if len(kept) else segments


def annotated(example: Example) -> Array:
    """The annotations that agree: ``(A, 2)`` seconds."""
    return agreeing(np.asarray((example.targets or {})["segments"], dtype=np.float64))


def for_candidates(example: Example, ctx: Context) -> Example:
    """The whole video in one window, its candidates, and in training those that agreeing annotators chose.

    Which of them a visit trains on is drawn in the step (:func:`losses.classify`): nothing here differs between visits.
    """
    config, duration = ctx.config, float(example["duration_s"])
    candidates = np.asarray(example["candidates"], dtype=np.float64)
    window = max(config.window_s, duration)
    fields = {
        "frames": [window_rows(example["video"], ctx.data.features, config.length, (0.0, window), duration)],
        "clips": (candidates / window).astype(np.float32),
        "candidates": candidates,
        "words": _words(example, ctx),
    }
    if example.targets is None:
        return Example(example.id, fields, None)
    return Example(example.id, fields, {"chosen": overlaps(annotated(example), candidates).argmax(axis=1)})


def for_detection(example: Example, ctx: Context) -> Example:
    """A stretched window at a random time with sampled clips, or in prediction every window with every clip."""
    fields = {} if ctx.config.head == "events" else {"words": _words(example, ctx)}
    if not ctx.training or example.targets is None or ctx.rng is None:
        return Example(example.id, fields | _every_window(example, ctx), None)
    rng, duration = ctx.rng, float(example["duration_s"])
    shortest, longest = ctx.config.stretch
    window = ctx.config.window_s * math.exp(rng.uniform(math.log(shortest), math.log(longest)))
    start = rng.uniform(0.0, max(0.0, duration - window))
    segments, labels = _wanted(example, ctx)
    clips, targets = sample_clips((segments - start) / window, labels, ctx.config, rng)
    rows = window_rows(
        example["video"], ctx.data.features, ctx.config.length, (start, start + window), duration
    )
    return Example(example.id, fields | {"frames": [rows], "clips": clips}, targets)


def sample_clips(
    segments: Array, labels: NDArray[np.int64], config: ASSTConfig, rng: np.random.Generator
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Clips of the grid, positive and negative in the configured ratio, with what the samplers should say.

    Half of the negative ones are of lengths that positive ones have, so that length alone does not tell them apart.

    Parameters
    ----------
    segments, labels
        What is to be found: ``(n, 2)`` shares of the window, and its classes ``(n,)``.

    Returns
    -------
    tuple
        Clips ``(K, 2)``; targets ``label`` ``(K,)``, −1 for background, and ``offset`` ``(K, 2)``: Eq. 1 solved for
        the deviations of centre and length.
    """
    grid = clip_grid(config.groups)
    if len(segments) == 0:  # nothing happens: an event that lies before every window overlaps none
        segments, labels = np.array([[-2.0, -1.0]]), np.zeros(1, np.int64)
    shared = overlaps(grid, segments)  # (S, n)
    best, found = shared.argmax(axis=1), shared.max(axis=1) >= POSITIVE
    positive = _some(np.flatnonzero(found), config.positives, rng)
    count = config.ratio * max(1, len(positive))
    alike = ~found & np.isin(np.ptp(grid, axis=1), np.ptp(grid[positive], axis=1))
    near = _some(np.flatnonzero(alike), count // 2, rng)
    negative = np.concatenate([near, _some(np.flatnonzero(~found), count - len(near), rng)])
    chosen = np.concatenate([positive, negative])
    clips, wanted = grid[chosen], segments[best[chosen]]
    length, wanted_length = np.ptp(clips, axis=1), np.ptp(wanted, axis=1)
    centre = (wanted.mean(axis=1) - clips.mean(axis=1)) / length
    offset = np.stack([centre, np.log(wanted_length / length)], axis=1)
    label = np.where(found[chosen], labels[best[chosen]], -1)
    return clips.astype(np.float32), {"label": label, "offset": offset.astype(np.float32)}


def _some(places: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.permutation(places)[:count]


def _wanted(example: Example, ctx: Context) -> tuple[Array, NDArray[np.int64]]:
    """What a window is searched for: ``(n, 2)`` seconds and classes ``(n,)``."""
    assert example.targets is not None
    assert ctx.rng is not None
    if ctx.config.head == "events":
        return np.asarray(example.targets["segments"], dtype=np.float64), np.asarray(
            example.targets["labels"]
        )
    exact = example.targets.get("span")
    if exact is not None:
        return np.asarray(exact, dtype=np.float64), np.zeros(1, dtype=np.int64)
    segments = annotated(example)
    return segments[ctx.rng.integers(len(segments))][None], np.zeros(1, dtype=np.int64)


def _every_window(example: Example, ctx: Context) -> dict[str, Any]:
    window, duration = ctx.config.window_s, float(example["duration_s"])
    starts = window_starts(duration, window)
    rows = [
        window_rows(example["video"], ctx.data.features, ctx.config.length, (s, s + window), duration)
        for s in starts.tolist()
    ]
    return {
        "frames": rows, "clips": clip_grid(ctx.config.groups).astype(np.float32), "starts": starts, "duration_s": duration,
    }  # fmt: skip


def _words(example: Example, ctx: Context) -> NDArray[np.int64]:
    return known_words(ctx.data.assets["vocabulary"], example["query"])
