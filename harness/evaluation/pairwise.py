"""Pairwise tasks: encodings of both sides kept once, scores in tiles, one matrix in single precision.

A matrix over the cap is refused. Scoring while streaming, without keeping the matrix (and so without re-scoring),
is not in this version.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reelbench.batching import Padded
from reelbench.errors import PredictionError


@dataclass(frozen=True)
class Tiling:
    """Limits in bytes: ``tile_bytes`` of encodings that a tile's pairs add up to, ``matrix_bytes`` of the whole matrix."""

    tile_bytes: int = 64 << 20
    matrix_bytes: int = 256 << 20


def check_matrix(queries: int, gallery: int, tiling: Tiling) -> None:
    """Raise :class:`PredictionError` if the matrix would be over its cap."""
    size = queries * gallery * 4
    if size > tiling.matrix_bytes:
        raise PredictionError(
            f"a matrix of {queries} queries and {gallery} candidates takes {size >> 20} MiB, over the cap of {tiling.matrix_bytes >> 20} MiB; "
            "scoring without keeping it is not in this version: raise limits.matrix_bytes in the suite, or use a protocol with a smaller gallery"
        )


def score_matrix(
    score: Callable[[Any, Any], torch.Tensor],
    query: Any,
    gallery: Any,
    shape: tuple[int, int],
    tiling: Tiling,
) -> NDArray[np.float32]:
    """Scores of every pair, ``(queries, gallery)``, computed tile by tile."""
    matrix = np.empty(shape, dtype=np.float32)
    rows, columns = tile_shape(query, gallery, shape, tiling.tile_bytes)
    for i in range(0, shape[0], rows):
        for j in range(0, shape[1], columns):
            tile = score(take(query, slice(i, i + rows)), take(gallery, slice(j, j + columns)))
            matrix[i : i + rows, j : j + columns] = _checked(
                tile, min(rows, shape[0] - i), min(columns, shape[1] - j)
            )
    return matrix


def _checked(tile: torch.Tensor, rows: int, columns: int) -> NDArray[np.float32]:
    if tuple(tile.shape) != (rows, columns):
        raise PredictionError(
            f"score returned shape {tuple(tile.shape)} for {rows} queries and {columns} candidates, expected {(rows, columns)}"
        )
    return np.asarray(tile.detach().float().cpu().numpy())


def tile_shape(query: Any, gallery: Any, shape: tuple[int, int], tile_bytes: int) -> tuple[int, int]:
    """Rows and columns of a tile whose pairs of encodings fit into the limit, as square as they can be."""
    a_pair = bytes_of(query) / max(1, shape[0]) + bytes_of(gallery) / max(1, shape[1])
    pairs = max(1, int(tile_bytes / max(1.0, a_pair)))
    rows = min(shape[0], max(1, math.isqrt(pairs)))
    columns = min(shape[1], max(1, pairs // max(1, rows)))
    return min(shape[0], max(1, pairs // max(1, columns))), columns


def bytes_of(tree: Any) -> int:
    """Bytes of every tensor in an encoding."""
    return sum(t.numel() * t.element_size() for t in leaves(tree))


def leaves(tree: Any) -> list[torch.Tensor]:
    """The tensors of an encoding: a tensor, a :class:`Padded`, or a mapping of such."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    if isinstance(tree, Padded):
        return [tree.data, tree.mask]
    if isinstance(tree, Mapping):
        return [leaf for value in tree.values() for leaf in leaves(value)]
    raise PredictionError(f"an encoding must be a tensor, or a dict of tensors, got {type(tree).__name__}")


def take(tree: Any, index: Any) -> Any:
    """Rows of an encoding."""
    if isinstance(tree, torch.Tensor):
        return tree[index]
    if isinstance(tree, Padded):
        return Padded(tree.data[index], tree.mask[index])
    return {name: take(value, index) for name, value in tree.items()}


def concatenate(parts: Sequence[Any], order: NDArray[np.int64]) -> Any:
    """Batches' encodings as one, rows in ``order``; shorter sequences are padded with zeros."""
    leaves(parts[0])
    return take(_join(parts), torch.as_tensor(order))


def _join(parts: Sequence[Any]) -> Any:
    first = parts[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(_to_one_shape(parts))
    if isinstance(first, Padded):
        return Padded(_join([p.data for p in parts]), _join([p.mask for p in parts]))
    return {name: _join([part[name] for part in parts]) for name in first}


def _to_one_shape(tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    largest = [max(sizes) for sizes in zip(*(t.shape[1:] for t in tensors), strict=True)]
    return [_grow(t, largest) for t in tensors]


def _grow(tensor: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Zeros behind the rows of every axis but the first."""
    if list(tensor.shape[1:]) == list(shape):
        return tensor
    grown = tensor.new_zeros((tensor.shape[0], *shape))
    grown[tuple(slice(n) for n in tensor.shape)] = tensor
    return grown
