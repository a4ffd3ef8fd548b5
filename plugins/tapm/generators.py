"""Language generators (§7.3.2): a small GPT-2 of torch modules, GPT-2 itself, an LSTM and a QRNN.

All read embedded tokens ``(R, T, E)`` causally and give outputs ``(R, T, E)``; a word's score is the product of an output
with its embedding (tied, as GPT-2's are). ``positions`` ``(R or 1, T)`` number the tokens where a generator uses it. The memory of
earlier tokens is a nest of tensors whose first axis is rows, as the shared decoding wants it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.pretrained import require_transformers
from reelbench.plugins.layers.recurrent_start import LASTING, started

if TYPE_CHECKING:
    from reelbench.plugins.tapm.method import TAPMConfig

LENGTH = 5.0  # of a word's vector, about

Memory: TypeAlias = list[tuple[torch.Tensor, torch.Tensor]]
"""A pair of tensors a layer: keys and values, a hidden and a cell state, the last input and a cell state."""


class Generator(nn.Module):
    """What generators share: embeddings that also score words."""

    def __init__(self, words: nn.Embedding) -> None:
        super().__init__()
        self.words, self.width = words, words.embedding_dim

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """``(R, T)`` to ``(R, T, E)``."""
        return self.words(ids)

    def logits(self, outputs: torch.Tensor) -> torch.Tensor:
        """``(..., E)`` to scores of words ``(..., V)``."""
        return functional.linear(outputs, self.words.weight)


def embedding(count: int, width: int, deviation: float = 0.02) -> nn.Embedding:
    """An embedding with GPT-2's initial values, or wider ones."""
    made = nn.Embedding(count, width)
    nn.init.normal_(made.weight, std=deviation)
    return made


def unnormed(count: int, width: int) -> nn.Embedding:
    """An embedding for a recurrence: no layer norm brings GPT-2's small vectors to a size at which gates and scores move."""
    return embedding(count, width, LENGTH * width**-0.5)


class Block(nn.Module):
    """GPT-2's block: attention to what came before, then two layers with a GELU, each on a normed input."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: torch.Tensor, past: tuple[torch.Tensor, torch.Tensor] | None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """``(R, T, E)`` after keys and values ``(R, H, S, E / H)`` of ``S`` tokens; the new output and the longer memory."""
        rows, steps, width = x.shape
        split = self.attend(self.norm_1(x)).view(rows, steps, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # (R, H, T, E / H) each
        if past is not None:
            key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        seen = torch.ones(steps, key.shape[2], dtype=torch.bool, device=x.device).tril(key.shape[2] - steps)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        x = x + self.dropout(self.join(mixed.transpose(1, 2).reshape(rows, steps, width)))
        return x + self.dropout(self.down(functional.gelu(self.up(self.norm_2(x))))), (key, value)


class Transformer(Generator):
    """GPT-2's architecture in torch modules, for sizes at which a library of models would be most of the work."""

    def __init__(self, config: TAPMConfig, words: int) -> None:
        super().__init__(embedding(words, config.width))
        self.place = embedding(config.max_words + 1, config.width)
        self.blocks = nn.ModuleList(
            Block(config.width, config.heads, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)

    def forward(
        self, x: torch.Tensor, positions: torch.Tensor, past: Memory | None = None
    ) -> tuple[torch.Tensor, Memory]:
        """Outputs ``(R, T, E)`` and every block's keys and values."""
        x, memory = x + self.place(positions), []
        for number, block in enumerate(self.blocks):
            x, kept = block(x, past[number] if past else None)
            memory.append(kept)
        return self.norm(x), memory


class GPT2(Generator):
    """GPT-2 of the library ``transformers``: a checkpoint (a local path or a hub's name), or untrained at the config's size."""

    def __init__(self, config: TAPMConfig, words: int) -> None:
        library = require_transformers()
        if config.pretraining == "checkpoint":
            body: Any = library.GPT2Model.from_pretrained(config.checkpoint)
        else:
            size = library.GPT2Config(
                vocab_size=words,
                n_positions=config.max_words + 1,
                n_embd=config.width,
                n_layer=config.layers,
                n_head=config.heads,
                resid_pdrop=config.dropout,
                embd_pdrop=config.dropout,
                attn_pdrop=config.dropout,
            )
            body = library.GPT2Model(size)
        super().__init__(body.wte)
        self.body = body

    def forward(
        self, x: torch.Tensor, positions: torch.Tensor, past: Memory | None = None
    ) -> tuple[torch.Tensor, Memory]:
        """Outputs ``(R, T, E)`` and every layer's keys and values."""
        cache: Any = require_transformers().DynamicCache()
        for number, (key, value) in enumerate(past or ()):
            cache.update(key, value, number)
        out = self.body(
            inputs_embeds=x, position_ids=positions.expand(len(x), -1), past_key_values=cache, use_cache=True
        )
        return out.last_hidden_state, [(layer.keys, layer.values) for layer in out.past_key_values.layers]


class LSTM(Generator):
    """Layers of LSTM of the embeddings' width."""

    def __init__(self, config: TAPMConfig, words: int) -> None:
        super().__init__(unnormed(words, config.width))
        layers, width = config.recurrent_layers, config.width
        lstm = nn.LSTM(width, width, layers, batch_first=True, dropout=config.dropout * (layers > 1))
        self.lstm = started(lstm, forget=LASTING)

    def forward(
        self, x: torch.Tensor, positions: torch.Tensor, past: Memory | None = None
    ) -> tuple[torch.Tensor, Memory]:
        """Outputs ``(R, T, E)`` and every layer's hidden and cell state ``(R, E)``."""
        state = tuple(torch.stack(part) for part in zip(*past, strict=True)) if past else None
        out, (hidden, cell) = self.lstm(x, state)
        return out, list(zip(hidden, cell, strict=True))


class QuasiRecurrence(nn.Module):
    """A QRNN layer: gates from each token and the one before, then a running mean a channel. Source: Bradbury et al. 2017."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gates = nn.Linear(2 * width, 3 * width)
        with torch.no_grad():
            self.gates.bias.chunk(3)[1].fill_(LASTING)

    def forward(
        self, x: torch.Tensor, past: tuple[torch.Tensor, torch.Tensor] | None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """``(R, T, E)`` after the last input and cell state ``(R, E)``; output gates on ``c_t = f_t c_{t-1} + (1 - f_t) z_t``."""
        before, cell = past if past is not None else (torch.zeros_like(x[:, 0]),) * 2
        earlier = torch.cat([before.unsqueeze(1), x[:, :-1]], 1)
        new, forget, output = self.gates(torch.cat([earlier, x], -1)).chunk(3, -1)
        forget = torch.sigmoid(forget)
        added, cells = (1 - forget) * torch.tanh(new), []
        for step in range(x.shape[1]):
            cell = forget[:, step] * cell + added[:, step]
            cells.append(cell)
        return torch.sigmoid(output) * torch.stack(cells, 1), (x[:, -1], cell)


class QRNN(Generator):
    """Layers of quasi-recurrence of the embeddings' width."""

    def __init__(self, config: TAPMConfig, words: int) -> None:
        super().__init__(unnormed(words, config.width))
        self.layers = nn.ModuleList(QuasiRecurrence(config.width) for _ in range(config.recurrent_layers))
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: torch.Tensor, positions: torch.Tensor, past: Memory | None = None
    ) -> tuple[torch.Tensor, Memory]:
        """Outputs ``(R, T, E)`` and every layer's last input and cell state ``(R, E)``."""
        memory: Memory = []
        for number, layer in enumerate(cast("Iterable[QuasiRecurrence]", self.layers)):
            x, kept = layer(self.dropout(x) if number else x, past[number] if past else None)
            memory.append(kept)
        return x, memory


def build_generator(config: TAPMConfig, words: int) -> Generator:
    """The generator that a configuration names, for a number of words."""
    kinds = {"transformer": Transformer, "gpt2": GPT2, "lstm": LSTM, "qrnn": QRNN}
    return kinds[config.generator](config, words)
