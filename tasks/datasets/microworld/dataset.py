"""microworld as a dataset: opened from its cache folder, generated first where that is empty or damaged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from reelbench.data import Clip, EvaluationSet, Example, FeatureSpec, Relation
from reelbench.dataset import BenchmarkSpec, Dataset
from reelbench.errors import DatasetError
from reelbench.features import FeatureStore
from reelbench.tasks.datasets.microworld.benchmarks import BENCHMARKS, RELATIONS
from reelbench.tasks.datasets.microworld.examples import (
    EVALUATION_BUILDERS,
    READING_BUILDERS,
    RELATION_BUILDERS,
)
from reelbench.tasks.datasets.microworld.galleries import GALLERY_BUILDERS
from reelbench.tasks.datasets.microworld.opening import complete_manifest
from reelbench.tasks.datasets.microworld.records import StoryRecord, Words, list_fields
from reelbench.tasks.datasets.microworld.schemas import SCHEMAS
from reelbench.tasks.datasets.microworld.shards import ANNOTATIONS
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import ACTIONS, TAGS

READER_VERSION = 3
MEMORY_CAP_BYTES = 0


class Microworld(Dataset):
    """One corpus of microworld, opened."""

    benchmarks: Sequence[BenchmarkSpec] = BENCHMARKS
    relations: Mapping[str, Sequence[str]] = RELATIONS

    def __init__(self, corpus: Corpus, root: Path, *, processes: int = 2) -> None:
        self.corpus, self.root, self.name = corpus, root, corpus.name
        self.manifest = complete_manifest(corpus, root, processes=processes)
        self.store = FeatureStore(root, memory_cap_bytes=MEMORY_CAP_BYTES)
        identity = f"{corpus.folder}/{READER_VERSION}/{self.manifest.digest}"
        self._fingerprint = hashlib.sha256(identity.encode()).hexdigest()
        self._stories: dict[str, list[StoryRecord]] = {}
        self._relations: dict[tuple[str, str], Relation] = {}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of seed, reader's version and the manifest, which has every file's digest."""
        return self._fingerprint

    @property
    def features(self) -> Mapping[str, FeatureSpec]:
        """Modalities of videos, and ``person_`` ones of tracks."""
        return self.store.specs

    @cached_property
    def spaces(self) -> Mapping[str, tuple[str, ...]]:
        """Tags and actions of the world; answers are the words of the training split that a blank may hide."""
        clips = ((story, clip) for story in self.stories("train") for clip in range(len(story.spans)))
        sentences = (words for story, clip in clips for words in story.captions(clip))
        answers = {words.tokens[place] for words in sentences for place, _ in words.slots}
        return {"tags": TAGS, "actions": ACTIONS, "answers": tuple(sorted(answers))}

    def read(self, modality: str, clip: Clip) -> Any:
        """Feature rows of a clip or track, a read-only view."""
        return self.store.read(modality, clip)

    def relation(self, name: str, split: str = "train") -> Relation:
        """A table of annotations; for training splits, of both renderings of every script."""
        if split not in self.relations.get(name, ()):
            known = ", ".join(f"{n} ({', '.join(splits)})" for n, splits in self.relations.items())
            raise DatasetError(
                f"dataset {self.name!r} has no relation {name!r} in split {split!r}; it has: {known}"
            )
        if (name, split) not in self._relations:
            examples = self._text() if name == "text" else self._built(name, split)
            self._relations[name, split] = Relation(name, split, SCHEMAS[name], examples)
        return self._relations[name, split]

    def _built(self, name: str, split: str) -> list[Example]:
        takes = [(story, rendering) for story in self.stories(split) for rendering in story.renderings]
        return [example for _, example in RELATION_BUILDERS[name](takes)]

    def _text(self) -> list[Example]:
        told = (
            list_fields("sentences", [Words(*words) for words in story]) for story in self._records("text")
        )
        return [Example(f"text-{i}", fields) for i, fields in enumerate(told)]

    def evaluation(self, task: str, protocol: str, split: str) -> EvaluationSet:
        """The examples and answers of a benchmark's split; every story is shown in one of its renderings."""
        asked = task, protocol
        known = asked in EVALUATION_BUILDERS or asked in READING_BUILDERS
        if not known or split not in ("validation", "test"):
            raise DatasetError(f"dataset {self.name!r} has no {task}:{protocol} on split {split!r}")
        takes = [(story, story.shown) for story in self.stories(split)]
        reads = asked in READING_BUILDERS
        pairs = list(
            READING_BUILDERS[asked](takes, self.read) if reads else EVALUATION_BUILDERS[asked](takes)
        )
        gallery = (
            [example for _, example in GALLERY_BUILDERS[asked](takes)] if asked in GALLERY_BUILDERS else []
        )
        return EvaluationSet(
            benchmark=f"{task}@{self.name}:{protocol}",
            split=split,
            examples=[Example(example.id, example.fields) for _, example in pairs],
            targets={example.id: dict(example.targets or {}) for _, example in pairs},
            clusters={example.id: cluster for cluster, example in pairs},
            gallery=Stream(self.corpus.seed, split, protocol, "gallery").shuffled(gallery),
            spaces=self.spaces,
            info={"stories": len(takes)},
        )

    def stories(self, split: str) -> list[StoryRecord]:
        """The records of a filmed split, in an order that says nothing."""
        if split not in self._stories:
            records = [StoryRecord(self.corpus, content) for content in self._records(split)]
            self._stories[split] = sorted(records, key=lambda record: record.id)
        return self._stories[split]

    def _records(self, split: str) -> list[Any]:
        prefix = f"{ANNOTATIONS}-{split}-"
        names = [name for name in self.manifest.files_of(ANNOTATIONS) if name.startswith(prefix)]
        return [
            record for name in names for record in json.loads((self.root / name).read_text(encoding="utf-8"))
        ]

    def kinds(self, clip: Clip) -> dict[str, str]:
        """How many acts a clip shows, and the kind of its story's family."""
        story = self._by_id.get(clip.video[:-1])
        if story is None:
            return {}
        found = {"family": story.kind}
        for facts, (first, last) in zip(story.clips, story.spans, strict=True):
            if (first, last) == (clip.start_s, clip.end_s):
                found["sub-events"] = str(len(facts["acts"]))
        return found

    @cached_property
    def _by_id(self) -> dict[str, StoryRecord]:
        return {story.id: story for split in ("validation", "test") for story in self.stories(split)}

    def film_strip(self, clip: Clip, frames: int = 6) -> bytes | None:
        """Frames of a clip side by side, drawn again from the script, as a JPEG."""
        from reelbench.tasks.datasets.microworld.strips import strip

        keys = {
            story.id: story.content["key"]
            for split in self.corpus.stories.filmed
            for story in self.stories(split)
        }
        story, rendering = clip.video[:-1], clip.video[-1]
        return strip(self.corpus, keys[story], rendering, clip, frames) if story in keys else None

    def page(self) -> str:
        """A page with some of its stories, its distributions, its information rows and its sizes."""
        from reelbench.tasks.datasets.microworld.information.findings import list_findings
        from reelbench.tasks.datasets.microworld.page.build import build_page

        return build_page(self, () if self.corpus.control else list_findings(self.corpus))
