"""Rows that are valid, without the padding between them, so that no statistic and no cost is of padding."""

from __future__ import annotations

import torch


def pack_rows(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The valid rows of ``(..., C)`` under a mask ``(...)``, as ``(V, C)``."""
    return x.flatten(0, -2).index_select(0, _valid(mask))


def unpack_rows(rows: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The inverse of :func:`pack_rows`, with zeros where the mask is ``False``: ``(..., C)``."""
    flat = rows.new_zeros((mask.numel(), rows.shape[-1]))
    return flat.index_copy(0, _valid(mask), rows).view(*mask.shape, rows.shape[-1])


def _valid(mask: torch.Tensor) -> torch.Tensor:
    return mask.flatten().nonzero().squeeze(-1)
