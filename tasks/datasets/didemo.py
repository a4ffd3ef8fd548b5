"""DiDeMo: sentences about moments of personal videos, marked by at least four annotators each.

Annotations come from the published files; features are read where the user has put a feature store beside them
(``didemo/features``). Videos are named by their file's stem, which the training file uses too and under which the
few videos published twice meet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Clip, EvaluationSet, Example, FeatureSpec, Field, Relation
from reelbench.dataset import BenchmarkSpec, Dataset, DatasetSource
from reelbench.errors import DatasetError
from reelbench.tasks.datasets.didemo_files import (
    CANDIDATES,
    CHUNK_S,
    FILES,
    URL,
    Moment,
    read_split,
    to_seconds,
    tokens,
)
from reelbench.tasks.localization import Localization

if TYPE_CHECKING:
    from reelbench.features import FeatureStore

VERSION = 1
RULES = "21 candidates of 1 to 6 chunks of 5 s, at least four annotators, means over the three best"
BENCHMARKS = (BenchmarkSpec("localization", "candidates", RULES),)


class DidemoSource(DatasetSource):
    """Opens ``<data folder>/didemo``."""

    name = "didemo"
    title = "DiDeMo"
    url = URL
    licence = "annotations BSD-2-Clause; videos Creative Commons, by video"

    def open(self, path: str, *, data_dir: Path | None, cache_dir: Path) -> Dataset:
        """Read and check the three annotation files."""
        if path:
            raise DatasetError(f"dataset 'didemo' has no sizes, so {path!r} means nothing")
        if data_dir is None:
            raise DatasetError("dataset 'didemo' needs a data folder; pass --data or set REELBENCH_DATA")
        return Didemo(data_dir / "didemo")

    def list_benchmarks(self) -> Sequence[BenchmarkSpec]:
        """Localization among the candidates, known without opening it."""
        return BENCHMARKS


class Didemo(Dataset):
    """DiDeMo, opened. Source: Hendricks et al., ICCV 2017."""

    name = "didemo"
    benchmarks = BENCHMARKS
    relations: ClassVar = {"segments": ("train", "validation")}

    def __init__(self, root: Path) -> None:
        self.root = root
        self.moments = {split: read_split(root, split) for split in FILES}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the reader's version and of the files."""
        digest = hashlib.sha256(f"didemo/{VERSION}".encode())
        for name, _ in FILES.values():
            digest.update(hashlib.sha256((self.root / name).read_bytes()).digest())
        return digest.hexdigest()

    @cached_property
    def store(self) -> FeatureStore | None:
        """The feature store beside the annotations, if there is one."""
        folder = self.root / "features"
        if not folder.is_dir():
            return None
        from reelbench.features import FeatureStore

        return FeatureStore(folder)

    @property
    def features(self) -> Mapping[str, FeatureSpec]:
        """The store's modalities; none without a store."""
        return self.store.specs if self.store else {}

    def read(self, modality: str, clip: Clip) -> Any:
        """Feature rows of a clip, ``(T, *shape)``."""
        return self.store.read(modality, clip) if self.store else super().read(modality, clip)

    def relation(self, name: str, split: str = "train") -> Relation:
        """Sentences with their segments; the training file has one annotator's, the others at least four."""
        if split not in self.relations.get(name, ()):
            raise DatasetError(
                f"dataset 'didemo' has no relation {name!r} in split {split!r}; it has 'segments' of train and validation"
            )
        answer = Field("array", "(A, 2) seconds, one row an annotator", target=True)
        examples = [_example(moment, with_targets=True) for moment in self.moments[split]]
        return Relation(name, split, {**Localization.inputs, "segments": answer}, examples)

    def evaluation(self, task: str, protocol: str, split: str) -> EvaluationSet:
        """The queries of validation or test, in the file's order; clusters are videos."""
        if (task, protocol) != ("localization", "candidates") or split not in BENCHMARKS[0].splits:
            raise DatasetError(
                f"dataset 'didemo' has no {task}:{protocol} on split {split!r}; it has localization:candidates on validation and test"
            )
        moments = self.moments[split]
        return EvaluationSet(
            benchmark="localization@didemo:candidates",
            split=split,
            examples=[_example(moment, with_targets=False) for moment in moments],
            targets={moment.id: _targets(moment) for moment in moments},
            clusters={moment.id: moment.video for moment in moments},
            info={"candidates": len(CANDIDATES), "rule": RULES},
        )


def _example(moment: Moment, *, with_targets: bool) -> Example:
    """A query; every video has all 21 candidates, also those of five chunks, as in the official evaluation."""
    fields = {
        "video": Clip(moment.video, 0.0, moment.duration_s),
        "query": tokens(moment.description),
        "duration_s": moment.duration_s,
        "candidates": _in_seconds(CANDIDATES),
        "chunk_s": CHUNK_S,
    }
    return Example(moment.id, fields, _targets(moment) if with_targets else None)


def _targets(moment: Moment) -> dict[str, Any]:
    return {"segments": _in_seconds(moment.chunks)}


def _in_seconds(chunks: Sequence[tuple[int, int]]) -> Any:
    """Pairs of chunks as an array ``(n, 2)`` of seconds."""
    import numpy as np

    return np.asarray([to_seconds(pair) for pair in chunks], dtype=np.float64)
