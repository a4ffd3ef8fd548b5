"""TAPM: a visual encoder whose outputs a language generator reads as if they were words, then goes on in words.

Equations are those of J. Kim's thesis, chapter 7, which follows the CVPR 2021 paper. In comments: ``B`` stories of ``C`` clips of
``M`` segments, ``R`` clips in all (rows), ``P`` visual tokens a clip, ``E`` the generator's width, ``T`` words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.decoding import search
from reelbench.plugins.layers.packing import pack_rows
from reelbench.plugins.layers.pooling import masked_mean
from reelbench.plugins.layers.sentences import word_loss
from reelbench.plugins.layers.standardise import Standardise
from reelbench.plugins.tapm.coherence import build_coherence
from reelbench.plugins.tapm.generators import build_generator
from reelbench.plugins.tapm.tokens import tokens_of

if TYPE_CHECKING:
    from reelbench.batching import Padded
    from reelbench.method import DataInfo
    from reelbench.plugins.layers.sentence_search import SentenceSearch
    from reelbench.plugins.tapm.method import TAPMConfig


def _leaky(inputs: int, outputs: int, slope: float) -> nn.Sequential:
    """A layer and a leaky ReLU, with initial values that keep the size of what goes through."""
    layer = nn.Linear(inputs, outputs)
    nn.init.kaiming_normal_(layer.weight, slope, nonlinearity="leaky_relu")
    return nn.Sequential(layer, nn.LeakyReLU(slope))


class ResidualBlock(nn.Module):
    """Two layers with a ReLU between, added to their input; nothing is added at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(..., E)``."""
        return x + self.outer(functional.relu(self.inner(x)))


class SelfAttention(nn.Module):
    """The encoder's final layer: every segment of a clip reads the others, added to itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, heads, batch_first=True)
        nn.init.zeros_(self.attend.out_proj.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(R, M, E)``."""
        normed = self.norm(x)
        return x + self.attend(normed, normed, normed, need_weights=False)[0]


class VisualEncoder(nn.Module):
    """§7.3.1: two layers with leaky ReLUs, residual blocks, self-attention; then the neighbours' means beside a clip's segments."""

    def __init__(self, inputs: int, width: int, config: TAPMConfig) -> None:
        super().__init__()
        self.see = nn.Sequential(
            _leaky(inputs, config.seen, config.slope), _leaky(config.seen, width, config.slope)
        )
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(config.blocks)))
        self.attention = SelfAttention(width, config.heads) if config.self_attention else nn.Identity()
        self.neighbours = config.material == "sets"

    def forward(self, segments: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """``(B, C, M, D)`` of ``valid`` clips ``(B, C)`` to their visual tokens ``(R, P, E)``."""
        own = self.attention(
            self.blocks(self.see(pack_rows(segments.flatten(2), valid).view(-1, *segments.shape[2:])))
        )
        if not self.neighbours:
            return own
        means = own.new_zeros(*valid.shape, own.shape[-1]).index_put((valid,), own.mean(1))  # (B, C, E)
        before, after = (
            functional.pad(means[:, :-1], (0, 0, 1, 0)),
            functional.pad(means[:, 1:], (0, 0, 0, 1)),
        )
        return torch.cat([torch.stack([before, after], 2)[valid], own], 1)


class TAPM(nn.Module):
    """Encoder and generator (Figure 7.2a), and the projections of the coherence loss where it is used (7.2b)."""

    def __init__(self, data: DataInfo, config: TAPMConfig) -> None:
        super().__init__()
        self.config, self.tokens = config, tokens_of(config, data.assets)
        self.generator = build_generator(config, self.tokens.size)
        self.dropout = nn.Dropout(config.output_dropout)
        if config.material != "text":
            self.standardise = Standardise(data.assets["moments"])
            self.encoder = VisualEncoder(data.dim(), self.generator.width, config)
            self.coherence = build_coherence(config, self.generator.width)

    def see(self, segments: Padded) -> torch.Tensor:
        """Visual tokens ``V_i`` of a batch's clips: ``(R, P, E)``."""
        return self.encoder(self.standardise(segments.data), segments.mask[:, :, 0])

    def read(self, visual: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Eq. 7.2: outputs at visual tokens, [sep], [dummy] and words ``(R, P + 1 + T, E)``, of ``words`` ``(R, T)`` from [dummy] on."""
        rows, seen = visual.shape[:2]
        separator = self.generator.embed(words.new_full((rows, 1), self.tokens.separator))
        x = torch.cat([visual, separator, self.generator.embed(words)], 1)
        places = torch.arange(-seen - 1, words.shape[1], device=words.device).clamp_min(0)  # of words only
        return self.generator(x, places.unsqueeze(0))[0]

    def narration_loss(self, visual: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Eq. 7.4, the mean over words, for visual tokens and words ``(R, T + 1)`` between marks."""
        outputs = self.read(visual, words[:, :-1])[:, visual.shape[1] + 1 :]  # (R, T, E)
        return word_loss(self.generator.logits(self.dropout(outputs)), words, self.tokens.pad)

    def language_loss(self, words: torch.Tensor) -> torch.Tensor:
        """Eq. 7.4 without anything seen: what the generator is pretrained with."""
        places = torch.arange(words.shape[1] - 1, device=words.device).unsqueeze(0)
        outputs, _ = self.generator(self.generator.embed(words[:, :-1]), places)
        return word_loss(self.generator.logits(self.dropout(outputs)), words, self.tokens.pad)

    def represent(
        self, visual: torch.Tensor, words: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A clip's visual and text side, ``(R, E)`` each: the means of outputs at visual tokens, and the output at [dummy].

        With ``words`` ``(R, T)`` from [dummy] on, the text side is the mean of the outputs at real words (+Cap).
        """
        if self.config.sides == "encoder":
            return visual.mean(1), visual.mean(1)
        seen = visual.shape[1]
        given = (
            words
            if words is not None
            else torch.full_like(visual[:, :1, 0], self.tokens.start, dtype=torch.int64)
        )
        outputs = self.read(visual, given)
        text = outputs[:, seen + 1]
        if words is not None:
            real = (words != self.tokens.pad) & (words != self.tokens.end)
            text = masked_mean(outputs[:, seen + 2 :], real[:, 1:])
        if self.config.coherence == "released":
            return visual.mean(1), self.dropout(text).detach()
        return outputs[:, :seen].mean(1), text

    def speak(self, visual: torch.Tensor, settings: SentenceSearch) -> list[str]:
        """§7.3.6: a sentence a clip, by beam search."""
        rows, seen = visual.shape[:2]
        first = torch.full((rows,), self.tokens.start, device=visual.device)
        separator = self.generator.embed(first.new_full((rows, 1), self.tokens.separator))
        nowhere = first.new_zeros(1, seen + 1)
        _, memory = self.generator(torch.cat([visual, separator], 1), nowhere)
        said = search(self._next, {"memory": memory, "place": first * 0}, first, self.tokens.end, settings)
        return [self.tokens.decode(row) for row in said]

    def _next(self, words: torch.Tensor, state: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        """Scores of the words after the last ``(R,)``: ``(R, V)``."""
        place = state["place"]
        outputs, memory = self.generator(
            self.generator.embed(words[:, None]), place[:, None], state["memory"]
        )
        place = (place + 1).clamp(
            max=self.config.max_words
        )  # words beyond the last that was learnt share its place
        return self.generator.logits(outputs[:, 0]), {"memory": memory, "place": place}
