"""A table of word vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from reelbench.method import DataInfo


def word_embedding(data: DataInfo, width: int, padding: int | None = None) -> nn.Embedding:
    """Vectors of the words of the asset ``vocabulary``: random, or those of the asset ``published`` where it has them."""
    table = nn.Embedding(len(data.assets["vocabulary"]), width, padding_idx=padding)
    if published := data.assets.get("published"):
        with torch.no_grad():
            table.weight[torch.as_tensor(published["rows"])] = torch.as_tensor(published["vectors"])
    return table
