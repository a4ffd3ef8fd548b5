"""A plugin with a tiny dataset: clips of coloured shapes, in two versions, for the built-in tasks.

Clips of a shape that never has its colour in training are the unseen classes of action recognition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from reelbench import (
    BenchmarkSpec,
    Clip,
    Dataset,
    DatasetSource,
    EvaluationSet,
    Example,
    FeatureSpec,
    Field,
    Relation,
    hookimpl,
)

COLOURS, SHAPES = ("red", "green", "blue", "grey"), ("ball", "cube", "ring", "star")
NAMES = tuple(f"{c} {s}" for c in COLOURS for s in SHAPES)
UNSEEN = tuple(5 * k for k in range(4))
SEEN = tuple(k for k in range(16) if k not in UNSEEN)
SPECS = (
    BenchmarkSpec("action_recognition", "seen", "classes of training"),
    BenchmarkSpec("action_recognition", "unseen", "new pairs of colour and shape"),
    BenchmarkSpec("retrieval", "sentence", "a sentence for each clip"),
    BenchmarkSpec("multiple_choice", "choice", "one of three"),
)
COUNTS = {"train": 48, "unlabelled": 36, "validation": 12, "test": 24}


def kind_of(split: str, index: int) -> int:
    """The class of a clip; training clips are of seen classes only."""
    return SEEN[(index * 5 + len(split)) % len(SEEN)]


def words_of(kind: int) -> tuple[str, ...]:
    """A clip's sentence."""
    return ("a", *NAMES[kind].split(), "moves")


class Toybox(Dataset):
    """One version of it."""

    def __init__(self, version: str) -> None:
        self.name, self.noise = f"toybox/{version}", {"main": 0.2, "more": 0.4}[version]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def benchmarks(self) -> Sequence[BenchmarkSpec]:
        return SPECS

    @property
    def relations(self) -> dict[str, tuple[str, ...]]:
        return {
            "captions": ("train", "validation"),
            "actions": ("train",),
            "clips": ("train", "unlabelled", "validation", "test"),
            "text": ("text",),
        }

    @property
    def features(self) -> dict[str, FeatureSpec]:
        return {"frames": FeatureSpec("frames", (8,), 2.0, "float32")}

    @property
    def spaces(self) -> dict[str, tuple[str, ...]]:
        return {"actions": NAMES}

    def relation(self, name: str, split: str = "train") -> Relation:
        if name == "text":
            rows = [
                Example(f"text-{i}", {"sentences": [words_of(kind_of("text", i + k)) for k in range(3)]})
                for i in range(20)
            ]
            return Relation(name, split, {"sentences": Field("text", "a story")}, rows)
        schema = {
            "video": Field("video", "a clip"),
            "sentence": Field("text", "words"),
            "content": Field("opaque", "its class"),
        }
        rows = [_row(name, split, i) for i in range(COUNTS[split])]
        return Relation(name, split, {k: f for k, f in schema.items() if k in rows[0].fields}, rows)

    def evaluation(self, task: str, protocol: str, split: str) -> EvaluationSet:
        count = COUNTS[split]
        kinds = [UNSEEN[i % 4] if protocol == "unseen" else kind_of(split, i) for i in range(count)]
        clips = [Clip(f"{split}|{i}|{kind}", 0.0, 2.0 + i % 3) for i, kind in enumerate(kinds)]
        names = [f"{split}-{i}" for i in range(count)]
        fields, targets = zip(
            *(
                _question(task, kind, clip, i)
                for i, (kind, clip) in enumerate(zip(kinds, clips, strict=True))
            ),
            strict=True,
        )
        gallery = (
            [Example(f"clip-{i}", {"video": clip}) for i, clip in enumerate(clips)]
            if task == "retrieval"
            else []
        )
        clusters = {name: f"story-{i // 2}" for i, name in enumerate(names)}
        examples = [Example(name, f) for name, f in zip(names, fields, strict=True)]
        return EvaluationSet(
            f"{task}@{self.name}:{protocol}",
            split,
            examples,
            dict(zip(names, targets, strict=True)),
            clusters,
            gallery,
            self.spaces,
        )

    def read(self, modality: str, clip: Clip) -> Any:
        import numpy as np

        split, index, kind = clip.video.split("|")
        rng = np.random.default_rng([int(index), len(split), round(self.noise * 10)])
        rows = rng.normal(scale=self.noise, size=(max(1, round((clip.end_s or 4.0) * 2)), 8)).astype(
            np.float32
        )
        rows[:, int(kind) // 4] += 1.0
        rows[:, 4 + int(kind) % 4] += 1.0
        return rows


def _row(name: str, split: str, index: int) -> Example:
    kind = kind_of(split, index)
    fields: dict[str, Any] = {"video": Clip(f"{split}|{index}|{kind}", 0.0, 2.0 + index % 3), "content": kind}
    if name != "clips":
        fields["sentence"] = words_of(kind) if name == "captions" else tuple(NAMES[kind].split())
    return Example(f"{split}-{index}", fields, {"label": kind} if name == "actions" else None)


def _question(task: str, kind: int, clip: Clip, index: int) -> tuple[dict[str, Any], dict[str, Any]]:
    if task == "action_recognition":
        return {"video": clip, "labels": [tuple(n.split()) for n in NAMES]}, {"label": kind}
    if task == "retrieval":
        return {"query": words_of(kind), "sentences": [words_of(kind)]}, {"match": f"clip-{index}"}
    right = index % 3
    choices = [words_of(kind if k == right else (kind + 5 + k) % 16) for k in range(3)]
    return {"video": clip, "choices": choices}, {"answer": right}


class ToyboxSource(DatasetSource):
    """Opens it."""

    name: ClassVar[str] = "toybox"
    title: ClassVar[str] = "Toy box"
    sizes: ClassVar[tuple[str, ...]] = ("main", "more")

    def open(self, path: str, *, data_dir: Path | None, cache_dir: Path) -> Dataset:
        return Toybox(path)

    def list_benchmarks(self) -> Sequence[BenchmarkSpec]:
        return SPECS


@hookimpl
def reelbench_datasets() -> Sequence[DatasetSource]:
    return (ToyboxSource(),)
