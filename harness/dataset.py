"""The contract of a dataset: published files read as they are, and what they can be used for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from reelbench.data import Clip, EvaluationSet, FeatureSpec, Relation


@dataclass(frozen=True, slots=True)
class BenchmarkSpec:
    """One task and protocol that a dataset supports: ``retrieval``, ``sentence``, on which splits."""

    task: str
    protocol: str
    doc: str
    splits: tuple[str, ...] = ("validation", "test")
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a dataset found true or false of itself; see :meth:`DatasetSource.verify`."""

    group: str
    """Findings of one group stand under one heading."""
    name: str
    values: Mapping[str, str]
    """Column → what to print; the same columns in all findings."""
    facts: Mapping[str, Any]
    """The same and more, as JSON values."""
    failure: str = ""
    """Why it is false, or empty."""


class Dataset(ABC):
    """An opened dataset. Registered as a :class:`DatasetSource`, which opens it.

    Splits are named ``train``, ``validation``, ``test``; others (``unlabelled``, ``text``) are the dataset's own.
    """

    name: str
    """Full name with size, control and draw: ``microworld/small/no-gaze/draw2``."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Hex digest of the files (or the generator's version and seed) and of the reader's version."""

    @property
    @abstractmethod
    def benchmarks(self) -> Sequence[BenchmarkSpec]:
        """What can be evaluated; the first protocol of a task is its default here."""

    @property
    @abstractmethod
    def relations(self) -> Mapping[str, Sequence[str]]:
        """Relation name → splits that have it."""

    @property
    @abstractmethod
    def features(self) -> Mapping[str, FeatureSpec]:
        """Modalities that can be read, by name; empty where only annotations were published."""

    @property
    def spaces(self) -> Mapping[str, tuple[str, ...]]:
        """Named label spaces (``tags``, ``actions``) and answer vocabularies (``answers``), in index order."""
        return {}

    @abstractmethod
    def relation(self, name: str, split: str = "train") -> Relation:
        """A table of annotations.

        Raises
        ------
        DatasetError
            If there is no such relation in that split.
        """

    @abstractmethod
    def evaluation(self, task: str, protocol: str, split: str) -> EvaluationSet:
        """The examples and answers of a benchmark's split."""

    def read(self, modality: str, clip: Clip) -> Any:
        """Feature rows of a clip, ``(T, *shape)`` with ``T >= 1``, as a numpy array (a view where possible).

        Raises
        ------
        FeatureError
            If the modality or the clip is not there, or its file is damaged.
        """
        from reelbench.errors import FeatureError

        raise FeatureError(
            f"dataset {self.name!r} has no features; put them in its folder (see docs/features.md)"
        )

    def film_strip(self, clip: Clip, frames: int = 6) -> bytes | None:
        """A small JPEG of a few frames side by side, or ``None`` where there are no pixels to show."""
        return None

    def kinds(self, clip: Clip) -> Mapping[str, str]:
        """By what results on a clip may be broken down: ``{"sub-events": "2"}``. Shown to no method."""
        return {}

    def page(self) -> str | None:
        """One HTML file without outside references that shows the dataset to a stranger, or ``None``."""
        return None


class DatasetSource(ABC):
    """What is registered: knows the name and its sizes, and opens the dataset when asked.

    Importing and listing a source must not import numpy or torch.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    sizes: ClassVar[tuple[str, ...]] = ()
    default_size: ClassVar[str] = ""
    url: ClassVar[str] = ""
    licence: ClassVar[str] = ""
    generated: ClassVar[bool] = False
    """Whether it can be drawn anew, as ``SIZE/draw2``: a verdict on it is then meant to rest on several draws."""

    @abstractmethod
    def open(self, path: str, *, data_dir: Path | None, cache_dir: Path) -> Dataset:
        """Open the dataset.

        Parameters
        ----------
        path
            What follows the dataset's name: ``small/no-gaze/draw2``, or empty.
        data_dir
            The user's data folder, with one sub-folder a dataset (``--data`` or ``REELBENCH_DATA``).
        cache_dir
            Where generated or derived files are kept.

        Raises
        ------
        DatasetError
            With the missing file's name and where to get it.
        """

    def with_stories(self, path: str, stories: int) -> str:
        """The path of the same corpus with so many stories to train on.

        Raises
        ------
        DatasetError
            If the dataset is what it is.
        """
        from reelbench.errors import DatasetError

        raise DatasetError(f"dataset {self.name!r} has as many stories as it has; leave --stories out")

    def list_benchmarks(self) -> Sequence[BenchmarkSpec]:
        """What the dataset supports, known without opening it, so that listing is fast."""
        return ()

    def verify(self, path: str) -> Iterator[Finding]:
        """What the dataset can find out about itself without being opened, one finding after the other.

        Raises
        ------
        DatasetError
            If it offers nothing of the kind.
        """
        from reelbench.errors import DatasetError

        raise DatasetError(f"dataset {self.name!r} has nothing to verify")
