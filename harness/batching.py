"""From examples to tensors: padding, masks and the batch that a method's steps receive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reelbench.data import Example


@dataclass(frozen=True)
class Padded:
    """Values of unequal length in one tensor.

    ``data`` is ``(B, T, ...)``, or ``(B, N, T, ...)`` for lists of sequences; ``mask`` has the ragged axes only and
    is ``True`` where valid.
    """

    data: torch.Tensor
    mask: torch.Tensor

    @property
    def lengths(self) -> torch.Tensor:
        """Valid entries along the last ragged axis."""
        return self.mask.sum(dim=-1)

    def to(self, device: Any) -> Padded:
        """A copy on a device."""
        return Padded(self.data.to(device, non_blocking=True), self.mask.to(device, non_blocking=True))


@dataclass(frozen=True)
class Batch:
    """A batch: ``batch["sentence"]`` for inputs, ``batch.targets["answer"]`` for answers (training only).

    Arrays arrive as :class:`Padded` (ragged or not: sequences always have a mask), numbers as tensors ``(B,)``, text
    and opaque values as lists, features as ``{modality: Padded}``.
    """

    ids: tuple[str, ...]
    fields: Mapping[str, Any]
    targets: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            raise KeyError(f"batch has no field {name!r}; it has {sorted(self.fields)}") from None

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def __len__(self) -> int:
        return len(self.ids)

    def to(self, device: Any) -> Batch:
        """A copy with every tensor on a device."""
        targets = None if self.targets is None else _map_tensors(self.targets, device)
        return replace(self, fields=_map_tensors(self.fields, device), targets=targets)


def collate(examples: Sequence[Example]) -> Batch:
    """Gather prepared examples into one padded batch.

    Raises
    ------
    ValueError
        If a field has arrays of different rank or trailing shape, naming the field.
    """
    targets = None if examples[0].targets is None else _collate_maps([e.targets or {} for e in examples])
    return Batch(tuple(e.id for e in examples), _collate_maps([e.fields for e in examples]), targets)


def _collate_maps(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    out = {}
    for name in rows[0]:
        try:
            out[name] = _collate_values([row[name] for row in rows])
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"field {name!r} cannot be batched: {error}") from error
    return out


def _collate_values(values: Sequence[Any]) -> Any:
    first = next((v for v in values if not (isinstance(v, list) and not v)), values[0])
    if isinstance(first, np.ndarray | torch.Tensor):
        return _pad_arrays([_array(v) for v in values])
    if isinstance(first, bool | int | float | np.number):
        return torch.as_tensor(np.asarray(values))
    if isinstance(first, Mapping):
        return _collate_maps(values)
    if isinstance(first, list) and first and isinstance(first[0], np.ndarray | torch.Tensor):
        return _pad_lists([[_array(v) for v in row] for row in values])
    if isinstance(first, list) and first and isinstance(first[0], Mapping):
        names = first[0].keys()
        return {name: _collate_values([[item[name] for item in row] for row in values]) for name in names}
    return list(values)


def _array(value: Any) -> NDArray[Any]:
    return value.numpy() if isinstance(value, torch.Tensor) else value


def _pad_arrays(arrays: Sequence[NDArray[Any]]) -> Padded | torch.Tensor:
    """Arrays ``(T, ...)`` to ``(B, T, ...)``; arrays without axes to a plain tensor ``(B,)``."""
    if arrays[0].ndim == 0:
        return torch.from_numpy(np.stack(arrays))
    _check_trailing(arrays)
    lengths = np.asarray([len(a) for a in arrays])
    data = np.zeros((len(arrays), lengths.max(), *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in zip(data, arrays, strict=True):
        row[: len(array)] = array
    return Padded(torch.from_numpy(data), _mask(lengths, data.shape[1]))


def _pad_lists(rows: Sequence[Sequence[NDArray[Any]]]) -> Padded:
    """Lists of arrays ``(T, ...)`` to ``(B, N, T, ...)`` with a mask ``(B, N, T)``."""
    flat = [a for row in rows for a in row]
    _check_trailing(flat)
    count = max(len(row) for row in rows)
    lengths = np.asarray([[len(a) for a in row] + [0] * (count - len(row)) for row in rows])  # (B, N)
    data = np.zeros((len(rows), count, lengths.max(), *flat[0].shape[1:]), flat[0].dtype)
    for target, row in zip(data, rows, strict=True):
        for place, array in zip(target, row, strict=False):
            place[: len(array)] = array
    return Padded(torch.from_numpy(data), _mask(lengths, data.shape[2]))


def _mask(lengths: NDArray[np.int64], longest: int) -> torch.Tensor:
    """``True`` on the first ``lengths`` entries of a last axis of size ``longest``."""
    return torch.from_numpy(np.arange(longest) < lengths[..., None])


def _check_trailing(arrays: Sequence[NDArray[Any]]) -> None:
    first = arrays[0].shape[1:]
    if any(a.shape[1:] != first for a in arrays):
        raise ValueError(f"trailing shapes differ: {sorted({a.shape[1:] for a in arrays})}")


def _map_tensors(value: Any, device: Any) -> Any:
    if isinstance(value, torch.Tensor | Padded):
        return value.to(device)
    if isinstance(value, Mapping):
        return {k: _map_tensors(v, device) for k, v in value.items()}
    return value


def batch_bytes(batch: Batch) -> int:
    """Bytes of every tensor in a batch."""
    return _bytes_of(batch.fields) + _bytes_of(batch.targets or {})


def _bytes_of(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, Padded):
        return _bytes_of(value.data) + _bytes_of(value.mask)
    return sum(map(_bytes_of, value.values())) if isinstance(value, Mapping) else 0


def bucketed_batches(
    lengths: Sequence[int], batch_size: int, rng: np.random.Generator, *, bucket: bool = True
) -> list[list[int]]:
    """Shuffled batches of indices; with ``bucket``, examples of similar length come together.

    Sorting happens inside shuffled chunks of 20 batches, so that batches still differ from epoch to epoch.
    """
    order = rng.permutation(len(lengths))
    if bucket:
        keys = np.asarray(lengths)
        size = batch_size * 20
        chunks = [order[i : i + size] for i in range(0, len(order), size)]
        order = np.concatenate([c[np.argsort(keys[c], kind="stable")] for c in chunks]) if chunks else order
    batches = [order[i : i + batch_size].tolist() for i in range(0, len(order), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]
