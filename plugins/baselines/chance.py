"""Chance: what a table's numbers are without looking at anything, for every task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.method import Context, Method, Recipe
from reelbench.tasks import reconstruction, reidentification

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource

NUMBERS = (
    "multiple_choice",
    "fill_in_blank",
    "retrieval",
    "localization",
    "detection",
    "reidentification",
    "tagging",
    "action_recognition",
    "gaze",
    "reconstruction:video",
    "reconstruction:sentence",
)
GRID, SPANS, WIDTH = 49, 5, 32


class Chance(Method):
    """Random scores, segments, links, maps, frames and training captions, drawn for each example from the seed.

    Departures
    ----------
    Retrieval scores are products of random vectors, so that every order of a gallery is as likely; free spans and
    detections are five pairs of uniform times.
    """

    name = "chance"
    title = "Chance"
    role = "baseline"
    floor = True
    recipes: ClassVar = {
        "draw": Recipe(serves=NUMBERS, summary="random numbers"),
        "quote": Recipe(
            serves=("captioning", "storytelling", "reconstruction:caption"),
            summary="a random training caption",
        ),
    }

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        """The sentences to quote."""
        if recipe != "quote":
            return {}
        return {"captions": sorted({" ".join(e["sentence"]) for e in source.relation("captions")})}

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The whole prediction: a function of seed and example only."""
        return Example(example.id, {"drawn": DRAWS[ctx.task or ""](example, ctx)}, example.targets)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """What was drawn."""
        drawn = batch["drawn"]
        return {column_of(ctx): getattr(drawn, "data", drawn)}

    def encode_query(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """A random vector a query."""
        return batch["drawn"].data

    def encode_gallery(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """A random vector a video."""
        return batch["drawn"].data

    def score(self, module: Any, query: Any, gallery: Any, ctx: Context) -> Any:
        """Products: ``(Q, G)``."""
        return query @ gallery.T


COLUMNS = {
    "captioning": "caption",
    "storytelling": "captions",
    "localization": "segments",
    "detection": "detections",
    "gaze": "maps",
}
BY_PROTOCOL = {
    "reidentification": reidentification.COLUMN,
    "reconstruction": reconstruction.COLUMN,
}


def column_of(ctx: Context) -> str:
    """The column that a task and protocol ask for, of those that ask for one."""
    task = ctx.task or ""
    return BY_PROTOCOL[task][ctx.protocol or ""] if task in BY_PROTOCOL else COLUMNS.get(task, "scores")


def _scores_of(space: str) -> Callable[[Example, Context], Any]:
    return lambda example, ctx: _rng(ctx).random(len(ctx.data.spaces[space]))


def _segments(example: Example, ctx: Context) -> list[list[float]]:
    """The candidates in random order, or random spans."""
    candidates = example["candidates"].tolist()
    return (
        [candidates[i] for i in _rng(ctx).permutation(len(candidates))]
        if candidates
        else _spans(example, ctx)
    )


def _spans(example: Example, ctx: Context) -> list[list[float]]:
    times = _rng(ctx).random((SPANS, 2)) * example["duration_s"]
    times.sort(axis=1)
    return times.tolist()


def _detections(example: Example, ctx: Context) -> list[list[float]]:
    rng, classes = _rng(ctx), len(ctx.data.spaces["actions"])
    return [[*span, int(rng.integers(classes)), float(rng.random())] for span in _spans(example, ctx)]


def _identities(example: Example, ctx: Context) -> list[Any]:
    """Links of mentions to tracks of their clips, pairs by the toss of a coin, or labels of as many people."""
    rng, mentions, tracks = _rng(ctx), len(example["mentions"]), len(example["tracks"])
    if ctx.protocol == "grounding":
        return [
            _one_of([k for k, c in enumerate(example["track_clip"]) if c == clip], rng)
            for clip, _ in example["mentions"]
        ]
    if ctx.protocol == "characters":
        return rng.integers(max(1, mentions), size=mentions).tolist()
    size = tracks if ctx.protocol == "video" else mentions
    return rng.random((size, size)).tolist()


def _one_of(items: list[int], rng: Any) -> int:
    return int(rng.choice(items)) if items else -1


def _frames(example: Example, ctx: Context) -> Any:
    """Every colour of every pixel, anew."""
    if ctx.protocol == "caption":
        return _quote(example, ctx)
    shape = (reconstruction.FRAMES - 1, *example["first_frame"].shape)
    return _rng(ctx).random(shape, dtype="float32")


def _quote(example: Example, ctx: Context) -> str:
    captions = ctx.data.assets["captions"]
    return captions[int(_rng(ctx).integers(len(captions)))]


def _rng(ctx: Context) -> Any:
    assert ctx.rng is not None
    return ctx.rng


DRAWS: Mapping[str, Callable[[Example, Context], Any]] = {
    "multiple_choice": lambda e, ctx: _rng(ctx).random(len(e["choices"])),
    "fill_in_blank": _scores_of("answers"),
    "tagging": _scores_of("tags"),
    "action_recognition": _scores_of("actions"),
    "retrieval": lambda e, ctx: _rng(ctx).normal(size=WIDTH),
    "localization": _segments,
    "detection": _detections,
    "reidentification": _identities,
    "gaze": lambda e, ctx: _rng(ctx).random((int(e["frames"]), GRID, GRID)),
    "reconstruction": _frames,
    "captioning": _quote,
    "storytelling": lambda e, ctx: [_quote(e, ctx) for _ in e["videos"]],
}
