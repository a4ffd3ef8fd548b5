"""A dataset's examples and their features: clips become arrays.

The one place where features meet examples, for training, validation and prediction alike. Decoded arrays are kept in
memory up to a cap, so that a step reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reelbench.data import Clip, Example
from reelbench.errors import FeatureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelbench.data import FeatureSpec
    from reelbench.dataset import Dataset

TRACK_FIELDS = ("tracks",)
TRACK_PREFIX = "person_"
CACHE_BYTES = 1 << 30


class FeatureCache:
    """Decoded arrays by (dataset, modality, clip), up to a number of bytes; what does not fit is not kept."""

    def __init__(self, limit_bytes: int = CACHE_BYTES) -> None:
        self.limit_bytes, self.bytes, self.full = limit_bytes, 0, False
        self._arrays: dict[Any, NDArray[np.float32]] = {}

    def get(self, key: Any) -> NDArray[np.float32] | None:
        """The array, if it is kept."""
        return self._arrays.get(key)

    def keep(self, key: Any, array: NDArray[np.float32]) -> None:
        """Keep the array if there is room."""
        if self.bytes + array.nbytes <= self.limit_bytes:
            self._arrays[key] = array
            self.bytes += array.nbytes
        else:
            self.full = True


_PROCESS_CACHE = FeatureCache()


class FeatureReader:
    """Reads one feature set of one dataset.

    Raises
    ------
    FeatureError
        If the dataset has not all of the modalities, naming those it has.
    """

    def __init__(
        self, dataset: Dataset, modalities: Sequence[str], cache: FeatureCache | None = None
    ) -> None:
        if missing := [m for m in modalities if m not in dataset.features]:
            known = ", ".join(sorted(dataset.features)) or "none"
            raise FeatureError(f"dataset {dataset.name!r} has no modality {missing[0]!r}; it has: {known}")
        self.dataset = dataset
        self.specs: dict[str, FeatureSpec] = {m: dataset.features[m] for m in modalities}
        self.rate_hz = max((s.rate_hz for s in self.specs.values()), default=0.0)
        self._of_video = tuple(m for m in modalities if not m.startswith(TRACK_PREFIX))
        self._of_track = tuple(m for m in modalities if m.startswith(TRACK_PREFIX))
        self.cache = cache or _PROCESS_CACHE
        self._fingerprint = dataset.fingerprint

    def without(self, modalities: Sequence[str]) -> FeatureReader:
        """A reader of the other modalities."""
        if not set(modalities) & set(self.specs):
            return self
        return FeatureReader(self.dataset, [m for m in self.specs if m not in modalities], self.cache)

    def read(self, clip: Clip, *, track: bool = False) -> dict[str, NDArray[np.float32]]:
        """Modality → array ``(T, ...)``; ``person_`` modalities for tracks, the others for videos."""
        return {m: self._array(m, clip) for m in (self._of_track if track else self._of_video)}

    def _array(self, modality: str, clip: Clip) -> NDArray[np.float32]:
        key = (self._fingerprint, modality, clip)
        array = self.cache.get(key)
        if array is None:
            array = np.array(
                self.dataset.read(modality, clip), dtype=np.float32
            )  # (T, *shape), a copy of the view
            self.cache.keep(key, array)
        return array

    def resolve(self, example: Example) -> Example:
        """A copy of the example with arrays in the place of clips."""
        targets = None if example.targets is None else self._resolve_fields(example.targets)
        return Example(example.id, self._resolve_fields(example.fields), targets)

    def _resolve_fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._resolve_value(value, name in TRACK_FIELDS) for name, value in fields.items()}

    def _resolve_value(self, value: Any, track: bool) -> Any:
        if isinstance(value, Clip):
            return self.read(value, track=track)
        if isinstance(value, list) and value and isinstance(value[0], Clip):
            return [self.read(clip, track=track) for clip in value]
        return value


def has_clips(example: Example) -> bool:
    """Whether features are read for an example."""
    values = [v if isinstance(v, list) else [v] for v in example.fields.values()]
    return any(isinstance(item, Clip) for value in values for item in value)


def length_of(example: Example, rate_hz: float) -> int:
    """The longest sequence of an example, by clip durations and token counts; no feature is read."""
    return max((_length(value, rate_hz) for value in example.fields.values()), default=0)


def _length(value: Any, rate_hz: float) -> int:
    if isinstance(value, Clip):
        return 0 if value.end_s is None else round((value.end_s - value.start_s) * rate_hz)
    if isinstance(value, tuple):
        return len(value)
    if isinstance(value, np.ndarray):
        return value.shape[0] if value.ndim else 0
    if isinstance(value, list) and value and isinstance(value[0], Clip | tuple | np.ndarray):
        return max(_length(item, rate_hz) for item in value)
    return 0


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Consecutive pieces of at most ``size`` items."""
    return (items[i : i + size] for i in range(0, len(items), size))
