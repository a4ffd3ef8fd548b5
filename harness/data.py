"""What data looks like to a task and to a method: fields, clips, examples, relations, evaluation sets.

Plain values only. Features are named by :class:`Clip` references and read by the harness, so that an author
never opens a file; tensors appear first in :mod:`reelbench.batching`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Kind = Literal["video", "text", "array", "number", "opaque"]


@dataclass(frozen=True, slots=True)
class Field:
    """One named value of an example.

    Attributes
    ----------
    kind
        ``video``: a :class:`Clip` (or a list of them), which the method sees as ``{modality: array (T, ...)}``;
        ``text``: a tuple of tokens (or a list of such); ``array``: a numpy array, or a list of arrays;
        ``number``: an int or float; ``opaque``: anything else, passed through untouched.
    doc
        Shapes, units and meaning.
    target
        Whether it is an answer, which a method sees in training and validation only.
    sampled
        Whether an answer is a sample of what there is to predict (where people looked): no loss goes below its entropy.
    placed
        Whether it says where in its video something is, in seconds: a clip that is cut no longer fits it.
    """

    kind: Kind
    doc: str
    target: bool = False
    sampled: bool = False
    placed: bool = False


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of a video; ``end_s`` of ``None`` means to its end."""

    video: str
    start_s: float = 0.0
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """A modality of a dataset's features: ``(T, *shape)`` numbers at ``rate_hz`` rows a second."""

    name: str
    shape: tuple[int, ...]
    rate_hz: float
    dtype: str = "float16"
    doc: str = ""

    @property
    def dim(self) -> int:
        """The size of the last axis."""
        return self.shape[-1]

    @property
    def spatial(self) -> bool:
        """Whether a row is a map (height, width, channels) rather than a vector."""
        return len(self.shape) == 3


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to learn from or to predict.

    ``fields`` holds the inputs; ``targets`` the answers, which is ``None`` at prediction.
    """

    id: str
    fields: Mapping[str, Any]
    targets: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def with_fields(self, **values: Any) -> Example:
        """A copy with some inputs replaced or added."""
        return replace(self, fields={**self.fields, **values})

    def with_targets(self, **values: Any) -> Example:
        """A copy with some answers replaced or added."""
        return replace(self, targets={**(self.targets or {}), **values})


@dataclass(frozen=True)
class Relation(Sequence[Example]):
    """A typed table of a dataset's annotations, of one split, that training can read.

    Well-known names and their fields stand in ``docs/data-contracts.md``.
    """

    name: str
    split: str
    schema: Mapping[str, Field]
    examples: Sequence[Example]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: Any) -> Any:
        return self.examples[index]

    def __iter__(self) -> Iterator[Example]:
        return iter(self.examples)


@dataclass(frozen=True)
class EvaluationSet:
    """The examples of a benchmark's split with their answers kept apart.

    Attributes
    ----------
    benchmark
        Canonical name, protocol spelt out: ``retrieval@microworld/small:sentence``.
    examples
        Inputs only (``targets`` is ``None``); for retrieval, the queries.
    targets
        Example id → answers.
    clusters
        Example id → the story, video or movie it comes from.
    gallery
        Retrieval only: what queries are matched against.
    spaces
        Named label spaces and vocabularies that predictions index: ``tags``, ``answers``, ``actions``.
    info
        Facts for the report that a run should carry (chance level, candidate count, a line of protocol).
    """

    benchmark: str
    split: str
    examples: Sequence[Example]
    targets: Mapping[str, Mapping[str, Any]]
    clusters: Mapping[str, str]
    gallery: Sequence[Example] = ()
    spaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[str, ...]:
        """Example ids in order."""
        return tuple(e.id for e in self.examples)

    def clip_of(self, example: Example) -> Clip | None:
        """The first clip of an example, or of the gallery entry that it should find."""
        clips = _clips(example)
        match = self.targets.get(example.id, {}).get("match")
        if not clips and match is not None:
            clips = [clip for entry in self.gallery if entry.id == match for clip in _clips(entry)]
        return clips[0] if clips else None


def _clips(example: Example) -> list[Clip]:
    values = [v if isinstance(v, list) else [v] for v in example.fields.values()]
    return [item for value in values for item in value if isinstance(item, Clip)]
