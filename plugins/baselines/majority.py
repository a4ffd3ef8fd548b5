"""Majority: the most frequent answer of training, whatever the example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.method import Context, Method, Recipe

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource

SEGMENTS, CLASSES, TENTHS = 5, 3, 10


class Majority(Method):
    """The most frequent caption, answer, tags, class, events or verdict of the training set.

    Departures
    ----------
    - Events: the three most frequent classes at each of the five most frequent segments, in tenths of a video.
    - Re-identification: two tracks, or two mentions, are called the same if most training pairs are; a mention is
      linked to that track of its clip, counted from the first, that most mentions have in training.
    """

    name = "majority"
    title = "Majority"
    role = "baseline"
    deterministic = True
    recipes: ClassVar = {
        "captions": Recipe(serves=("captioning", "storytelling", "reconstruction:caption")),
        "blanks": Recipe(serves=("fill_in_blank",)),
        "tags": Recipe(serves=("tagging",)),
        "actions": Recipe(serves=("action_recognition",)),
        "events": Recipe(serves=("detection",)),
        "sets": Recipe(serves=("reidentification",)),
    }

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        """The counts of a recipe's relation, of the same name."""
        return COUNTS[recipe](source, source.relation(recipe))

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The whole prediction."""
        return Example(example.id, {"answer": ANSWERS[ctx.recipe](example, ctx)}, example.targets)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """The same for every example, as far as its shape allows."""
        from reelbench.plugins.baselines.chance import column_of

        return {column_of(ctx): getattr(batch["answer"], "data", batch["answer"])}


def _captions(source: TrainingSource, rows: Any) -> Mapping[str, Any]:
    return {"caption": " ".join(_most(e["sentence"] for e in rows))}


def _answers(source: TrainingSource, rows: Any) -> Mapping[str, Any]:
    counts = Counter(e.targets["answer"] for e in rows)
    return {"scores": [float(counts[word]) for word in source.spaces["answers"]]}


def _labels_of(space: str, target: str) -> Callable[[TrainingSource, Any], Mapping[str, Any]]:
    def count(source: TrainingSource, rows: Any) -> Mapping[str, Any]:
        counts = Counter(i for e in rows for i in _listed(e.targets[target]))
        return {"scores": [float(counts[i]) for i in range(len(source.spaces[space]))]}

    return count


def _listed(value: Any) -> list[int]:
    return (
        [int(value)] if isinstance(value, int) or not getattr(value, "ndim", 0) else [int(i) for i in value]
    )


def _events(source: TrainingSource, rows: Any) -> Mapping[str, Any]:
    segments = Counter(s for e in rows for s in _tenths(e) if s[1] > s[0]).most_common(SEGMENTS)
    classes = Counter(int(i) for e in rows for i in e.targets["labels"]).most_common(CLASSES)
    return {
        "events": [
            [a / TENTHS, b / TENTHS, label, float(n * m)] for (a, b), n in segments for label, m in classes
        ]
    }


def _tenths(example: Example) -> list[tuple[int, int]]:
    """Segments in tenths of the video."""
    duration = example["duration_s"]
    return [
        (round(TENTHS * a / duration), round(TENTHS * b / duration))
        for a, b in (example.targets or {})["segments"]
    ]


def _verdicts(source: TrainingSource, rows: Any) -> Mapping[str, Any]:
    same = {
        name: _mostly_same([e.targets[f"{name}_identity"] for e in rows]) for name in ("track", "mention")
    }
    return {**same, "place": _most(place for e in rows for place in _places(e))}


def _mostly_same(identities: list[Any]) -> float:
    pairs = [bool(ids[i] == ids[j]) for ids in identities for i in range(len(ids)) for j in range(i)]
    return float(sum(pairs) * 2 > len(pairs))


def _places(example: Example) -> list[int]:
    """Which track of its clip, counted from the first, each mention has."""
    assert example.targets is not None
    clips = [int(c) for c in example["track_clip"]]
    return [
        clips[:track].count(clips[track])
        for track in map(int, example.targets["mention_track"])
        if track >= 0
    ]


def _most(values: Any) -> Any:
    """The most frequent value; ties go to the smallest, so that the order of rows does not matter."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else 0


def _identities(example: Example, ctx: Context) -> list[Any]:
    known, mentions = ctx.data.assets, len(example["mentions"])
    if ctx.protocol == "grounding":
        clips = [int(c) for c in example["track_clip"]]
        return [
            _place([k for k, c in enumerate(clips) if c == clip], known["place"])
            for clip, _ in example["mentions"]
        ]
    if ctx.protocol == "characters":
        return [0 if known["mention"] else i for i in range(mentions)]
    name, size = ("track", len(example["tracks"])) if ctx.protocol == "video" else ("mention", mentions)
    return [[known[name]] * size for _ in range(size)]


def _place(tracks: list[int], place: int) -> int:
    return tracks[min(place, len(tracks) - 1)] if tracks else -1


def _scores(example: Example, ctx: Context) -> Any:
    import numpy as np

    return np.asarray(ctx.data.assets["scores"])


def _scaled_events(example: Example, ctx: Context) -> list[Any]:
    duration = example["duration_s"]
    return [[a * duration, b * duration, label, score] for a, b, label, score in ctx.data.assets["events"]]


def _caption(example: Example, ctx: Context) -> Any:
    caption = ctx.data.assets["caption"]
    return [caption] * len(example["videos"]) if ctx.task == "storytelling" else caption


COUNTS: Mapping[str, Callable[[TrainingSource, Any], Mapping[str, Any]]] = {
    "captions": _captions,
    "blanks": _answers,
    "tags": _labels_of("tags", "labels"),
    "actions": _labels_of("actions", "label"),
    "events": _events,
    "sets": _verdicts,
}
ANSWERS: Mapping[str, Callable[[Example, Context], Any]] = {
    "captions": _caption,
    "blanks": _scores,
    "tags": _scores,
    "actions": _scores,
    "events": _scaled_events,
    "sets": _identities,
}
