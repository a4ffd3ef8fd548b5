"""One safetensors file as numpy views: the header is read and checked, the data mapped and never copied.

The library's own numpy reader copies each tensor; a clip needs only some rows of one, so the few lines that the
format takes are here. No code runs on load, and no offset is trusted before it was checked.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.data import FeatureSpec
from reelbench.errors import FeatureError

DTYPES = {"F16": "float16", "F32": "float32", "U8": "uint8", "I16": "int16", "I8": "int8"}
HEADER_CAP_BYTES = 100_000_000


class Shard:
    """An open file: ``keys`` and ``shard[key]``, an array ``(T, *shape)`` that is a read-only view."""

    def __init__(self, path: Path, spec: FeatureSpec, *, in_memory: bool = False) -> None:
        self.path, self.spec = path, spec
        self._views: dict[str, NDArray[Any]] = {}
        try:
            self._bytes: NDArray[np.uint8] = _map(path, in_memory)
            self._entries, self._start = _read_header(self._bytes)
        except (OSError, ValueError, struct.error) as error:
            raise FeatureError(f"{path}: feature file is truncated or altered ({error})") from None

    @property
    def keys(self) -> list[str]:
        """Video or track ids in the file."""
        return list(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __getitem__(self, key: str) -> NDArray[Any]:
        if key not in self._views:
            self._views[key] = self._view(key)
        return self._views[key]

    def _view(self, key: str) -> NDArray[Any]:
        try:
            entry = self._entries[key]
            dtype, shape = np.dtype(DTYPES[entry["dtype"]]), tuple(entry["shape"])
            first, last = entry["data_offsets"]
        except (KeyError, TypeError, ValueError) as error:
            raise FeatureError(f"{self.path}: entry {key!r} is damaged ({type(error).__name__})") from None
        self._check(key, dtype, shape, (first, last))
        return self._bytes[self._start + first : self._start + last].view(dtype).reshape(shape)

    def _check(self, key: str, dtype: np.dtype[Any], shape: tuple[int, ...], span: tuple[int, int]) -> None:
        if dtype != np.dtype(self.spec.dtype) or shape[1:] != self.spec.shape:
            expected = f"(T, {', '.join(map(str, self.spec.shape))}) {self.spec.dtype}"
            raise FeatureError(f"{self.path}: {key!r} is {shape} {dtype}, expected {expected}")
        length = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        if (
            not 0 <= span[0] <= span[1] <= self._bytes.size - self._start
            or span[1] - span[0] != length
            or not length
        ):
            raise FeatureError(f"{self.path}: {key!r} lies outside the file or has no rows")


def _map(path: Path, in_memory: bool) -> NDArray[np.uint8]:
    if not in_memory:
        return np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
    loaded = np.fromfile(path, dtype=np.uint8)
    loaded.flags.writeable = False
    return loaded


def _read_header(data: NDArray[np.uint8]) -> tuple[dict[str, dict[str, Any]], int]:
    (length,) = struct.unpack("<Q", data[:8].tobytes())
    if length > min(HEADER_CAP_BYTES, data.size - 8):
        raise ValueError(f"its header claims {length} bytes")
    entries = json.loads(data[8 : 8 + length].tobytes())
    if not isinstance(entries, dict):
        raise ValueError("its header is not an object")
    entries.pop("__metadata__", None)
    return entries, 8 + length
