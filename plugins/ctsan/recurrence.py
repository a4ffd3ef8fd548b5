"""LSTMs with layer normalisation, which no kernel of torch has (Ba et al., arXiv 1607.06450, Eq. 20 to 22), and one without."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias, cast

import torch
from torch import nn

from reelbench.plugins.layers.recurrence import last_step
from reelbench.plugins.layers.recurrent_start import LASTING, started

State: TypeAlias = tuple[torch.Tensor, torch.Tensor]
"""A layer's hidden and cell state, each ``(R, D)``."""


class NormalisedLSTM(nn.Module):
    """One layer over ``(R, T, C)``; without normalisation it is the standard LSTM.

    ``forget`` is what its forget gates' bias starts from.
    """

    def __init__(self, inputs: int, hidden: int, *, normalise: bool, forget: float = 1.0) -> None:
        super().__init__()
        self.w = nn.Linear(inputs, 4 * hidden, bias=not normalise)
        self.u = nn.Linear(hidden, 4 * hidden, bias=False)
        widths = (4 * hidden, 4 * hidden, hidden)
        norms = [nn.LayerNorm(width) if normalise else nn.Identity() for width in widths]
        self.norm_x, self.norm_h, self.norm_c = norms
        bias = cast("torch.Tensor", self.norm_x.bias if normalise else self.w.bias)
        with torch.no_grad():
            bias[hidden : 2 * hidden] = forget

    def forward(self, x: torch.Tensor, state: State | None = None) -> State:
        """Hidden and cell states after each step, ``(R, T, D)`` twice, from a state or from zero."""
        h, c = state or _zeros(x, self.u.in_features)
        hidden, cells = [], []
        for gates in self.norm_x(self.w(x)).unbind(1):  # (R, 4 D)
            h, c = advance(gates + self.norm_h(self.u(h)), c, self.norm_c)
            hidden.append(h)
            cells.append(c)
        return torch.stack(hidden, 1), torch.stack(cells, 1)


class DeepLSTM(nn.Module):
    """A stack of such layers, with dropout on what each reads and on what the last puts out."""

    def __init__(
        self, inputs: int, hidden: int, layers: int, dropout: float, *, normalise: bool, forget: float = 1.0
    ) -> None:
        super().__init__()
        widths = [inputs, *[hidden] * (layers - 1)]
        self.layers = nn.ModuleList(
            NormalisedLSTM(width, hidden, normalise=normalise, forget=forget) for width in widths
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, states: Sequence[State] | None = None
    ) -> tuple[torch.Tensor, list[State]]:
        """``(R, T, C)`` under a mask with padding at the end: the last layer's ``(R, T, D)``, each layer's last valid state."""
        lengths = mask.sum(1)
        ended = []
        for number, layer in enumerate(cast("Iterable[NormalisedLSTM]", self.layers)):
            h, c = layer(self.dropout(x), states[number] if states else None)
            ended.append((last_step(h, lengths), last_step(c, lengths)))
            x = h
        return self.dropout(x), ended


class SentenceReader(nn.Module):
    """One layer of LSTM by torch's kernel, of which the last valid step is kept, with dropout on what goes in and out.

    Where it starts from zero there is no video to keep; the forget gates' bias is the same there for simplicity.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.lstm = started(nn.LSTM(width, width, batch_first=True), forget=LASTING)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor, state: State | None = None) -> torch.Tensor:
        """``(R, T, D)`` under a mask with padding at the end, from a state or from zero: ``h_T`` ``(R, D)``."""
        first = None if state is None else (state[0].unsqueeze(0), state[1].unsqueeze(0))
        h, _ = self.lstm(self.dropout(x), first)
        return self.dropout(last_step(h, mask.sum(1)))


def _zeros(x: torch.Tensor, width: int) -> State:
    zeros = x.new_zeros(len(x), width)
    return zeros, zeros


def advance(gates: torch.Tensor, c: torch.Tensor, norm: nn.Module | None = None) -> State:
    """The next state from the gates' sums ``(..., 4 D)``, in the order i, f, o, g, and the cell ``(..., D)``."""
    i, f, o, new = gates.chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(new)
    return torch.sigmoid(o) * torch.tanh(c if norm is None else norm(c)), c
