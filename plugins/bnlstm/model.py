"""The network of BN-LSTM: a stack of (batch-normalised) LSTM cells that spells a video's tags, and a classifier.

Equation numbers are the paper's. Tags are numbered as the label space is; the word after the last tag is the end
mark, and the first input is a begin mark. ``V`` tags, ``T`` steps, ``H`` hidden units.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.experts import MixtureOfExperts
from reelbench.plugins.layers.normalisation import RowNorm
from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.method import DataInfo
    from reelbench.plugins.bnlstm.method import BNLSTMConfig

MOMENTUM, EPSILON, FIRST_SCALE = 0.1, 1e-5, 0.1


class BatchNormOfStep(nn.Module):
    """Batch norm ``(B, C)`` whose population statistics are kept for each time step, its scale and shift shared."""

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, channels: int, steps: int, *, shift: bool) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels,), FIRST_SCALE))
        self.shift = nn.Parameter(torch.zeros(channels)) if shift else None
        self.register_buffer("mean", torch.zeros(steps, channels))
        self.register_buffer("variance", torch.ones(steps, channels))

    def forward(self, x: torch.Tensor, step: int) -> torch.Tensor:
        """``(B, C)`` at a step, of the same shape."""
        learn = self.training and len(x) > 1
        return functional.batch_norm(
            x, self.mean[step], self.variance[step], self.scale, self.shift, learn, MOMENTUM, EPSILON
        )


class Cell(nn.Module):
    """An LSTM cell, plain (Eq. 1) or with batch norm inside (Eq. 7); gates are kept in the order i, f, g, o."""

    def __init__(self, inputs: int, hidden: int, steps: int, *, normalised: bool) -> None:
        super().__init__()
        self.w, self.u = nn.Linear(inputs, 4 * hidden, bias=False), nn.Linear(hidden, 4 * hidden, bias=False)
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        self.norm_x = BatchNormOfStep(4 * hidden, steps, shift=False) if normalised else None
        self.norm_h = BatchNormOfStep(4 * hidden, steps, shift=False) if normalised else None
        self.norm_c = BatchNormOfStep(hidden, steps, shift=True) if normalised else None

    def forward(
        self, wx: torch.Tensor, h: torch.Tensor, c: torch.Tensor, step: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The input's product with ``w`` ``(B, 4H)`` and the state ``(B, H)`` twice to the next state."""
        gates = _norm(self.norm_x, wx, step) + _norm(self.norm_h, self.u(h), step) + self.bias
        i, f, g, o = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(_norm(self.norm_c, c, step)), c


def _norm(norm: BatchNormOfStep | None, x: torch.Tensor, step: int) -> torch.Tensor:
    return x if norm is None else norm(x, step)


class TagTranslator(nn.Module):
    """Spells tags from one video vector, then, if it guides a classifier, tags it at once (Figure 1 a and b)."""

    def __init__(self, data: DataInfo, config: BNLSTMConfig) -> None:
        super().__init__()
        tags = len(data.spaces["tags"])
        self.steps = int(data.assets["longest"]) + 1  # the end mark is a word too
        self.end, self.hidden, self.binary = tags, config.hidden, config.loss_word == "binary"
        self.standardise = Standardise(data.assets["moments"])
        self.embed = nn.Linear(tags + 1, config.word, bias=False)
        self.start = nn.Parameter(torch.zeros(config.word))
        widths = [data.dim() + config.word] + [config.hidden] * config.layers
        self.cells = nn.ModuleList(
            Cell(a, b, self.steps + 1, normalised=config.normalised_cells)
            for a, b in itertools.pairwise(widths)
        )
        self.project = nn.Linear(config.hidden, tags + 1)
        self.norm_words = BatchNormOfStep(tags + 1, self.steps, shift=True) if config.norm_layers else None
        self.norm_last = RowNorm(config.hidden) if config.norm_layers else nn.Identity()
        self.classify = _classifier(config, tags) if config.guided else None
        _make_orthogonal(self.embed, gates=1)
        _make_orthogonal(self.cells, gates=4)

    def forward(
        self, video: torch.Tensor, words: torch.Tensor | None = None, injected: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Word logits ``(B, T, V + 1)``, and tag logits ``(B, V)`` where there is a classifier.

        Parameters
        ----------
        video
            ``(B, D)``.
        words
            ``(B, T)`` the true tags, then end marks; ``None`` at inference.
        injected
            ``(B, T)`` where the gate opens to the true tag instead of the cell's own output (§3.4).
        """
        x = self.standardise(video)
        state = [(x.new_zeros(len(x), self.hidden), x.new_zeros(len(x), self.hidden)) for _ in self.cells]
        video_columns, word_columns = self._layers()[0].w.weight.tensor_split([x.shape[1]], dim=1)
        of_video = functional.linear(x, video_columns)  # the same at every step
        word, logits = self.start.expand(len(x), -1), []  # (B, word)
        ended = torch.zeros(len(x), dtype=torch.bool, device=x.device)  # (B,)
        for step in range(self.steps):
            state = self._advance(of_video + functional.linear(word, word_columns), state, step)
            logits.append(self._words(state[-1][0], step))
            ended = ended | (logits[-1].argmax(1) == self.end)
            word = self._next_word(logits[-1], ended, words, injected, step)
        if self.classify is None:
            return torch.stack(logits, 1), None
        wx = of_video + functional.linear(word, word_columns)
        state = self._advance(wx, state, self.steps)  # "one more LSTM step"
        return torch.stack(logits, 1), self.classify(self.norm_last(state[-1][0]))

    def _layers(self) -> list[Cell]:
        return cast("list[Cell]", list(self.cells))

    def _advance(
        self, wx: torch.Tensor, state: list[tuple[torch.Tensor, torch.Tensor]], step: int
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Every layer's next state, from the first's product with its input."""
        first, *others = self._layers()
        following = [first(wx, *state[0], step)]
        for cell, (h, c) in zip(others, state[1:], strict=True):
            following.append(cell(cell.w(following[-1][0]), h, c, step))
        return following

    def chances(self, logits: torch.Tensor) -> torch.Tensor:
        """Probabilities of words ``(..., V + 1)``, by the activation that belongs to the word loss."""
        return torch.sigmoid(logits) if self.binary else logits.softmax(-1)

    def _words(self, h: torch.Tensor, step: int) -> torch.Tensor:
        """The shared projection to words: ``(B, V + 1)``."""
        logits = self.project(h)
        return logits if self.norm_words is None else self.norm_words(logits, step)

    def _next_word(
        self,
        logits: torch.Tensor,
        ended: torch.Tensor,
        words: torch.Tensor | None,
        injected: torch.Tensor | None,
        step: int,
    ) -> torch.Tensor:
        """The next input ``(B, word)``: the embedded output, the end mark once it was put out, or the true tag where injected."""
        own = self.embed(self.chances(logits))
        own = torch.where(ended[:, None], self.embed.weight.T[self.end], own)
        if words is None or injected is None:
            return own
        true = self.embed.weight.T[words[:, step]]
        return torch.where(injected[:, step, None], true, own)


def _classifier(config: BNLSTMConfig, tags: int) -> nn.Module:
    """Tag logits of the last state."""
    return (
        MixtureOfExperts(config.hidden, tags, config.experts)
        if config.experts
        else nn.Linear(config.hidden, tags)
    )


@torch.no_grad()
def _make_orthogonal(module: nn.Module, *, gates: int) -> None:
    """Start every matrix orthogonal, each gate's block of rows by itself (§4.3)."""
    for matrix in (p for p in module.parameters() if p.ndim == 2):
        for block in matrix.chunk(gates):
            nn.init.orthogonal_(block)
