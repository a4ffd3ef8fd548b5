"""The network of SLR: an encoder a medium, one latent vector for all of them, a decoder a medium.

Equations are those of Shen et al., AAAI 2018. Sizes in comments: ``D`` features of a video, ``H`` hidden, ``Z`` latent,
``V`` words, ``P`` numbers of a frame.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.recurrence import last_step
from reelbench.plugins.layers.recurrent_start import LASTING, started
from reelbench.plugins.layers.standardise import Standardise
from reelbench.vocabulary import PAD

if TYPE_CHECKING:
    from reelbench.method import DataInfo
    from reelbench.plugins.slr.method import SLRConfig

Medium: TypeAlias = Literal["video", "sentence"]
State: TypeAlias = tuple[torch.Tensor, torch.Tensor]
MEDIA: tuple[Medium, ...] = ("sentence", "video")  # x = [x_1; x_2], as in the paper
FIRST_SPREAD, FIRST_LOG_VARIANCE = 1.5, -4.0


class SentenceEncoder(nn.Module):
    """``x_1``: the last state of an LSTM over the words."""

    def __init__(self, words: int, config: SLRConfig) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, config.word)
        self.lstm = started(nn.LSTM(config.word, config.hidden, batch_first=True), forget=LASTING)

    def forward(self, words: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Words ``(B, T)``, of which the first ``lengths`` are no padding, to ``(B, H)``."""
        states = self.lstm(self.embed(words))[0]  # (B, T, H)
        return last_step(states, lengths)


class VideoEncoder(nn.Module):
    """``x_2``: the mean of the frames' features through one layer (Eq. 8)."""

    def __init__(self, data: DataInfo, config: SLRConfig) -> None:
        super().__init__()
        self.standardise = Standardise(data.assets["moments"])
        self.embed = nn.Linear(len(data.assets["moments"]["mean"]), config.hidden)

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """``(B, D)`` to ``(B, H)``."""
        return self.embed(self.standardise(video)).tanh()


class VariationalLatent(nn.Module):
    """``z`` and how far its distribution is from the prior (Eq. 5 and the second term of Eq. 2).

    It starts where ``z`` tells much of ``x``, whose entries are small at length 1: a decoder that meets nothing but noise
    at first learns to do without ``z``.
    """

    def __init__(self, inputs: int, config: SLRConfig) -> None:
        super().__init__()
        self.width = config.latent_width
        self.mean = nn.Linear(inputs, self.width)
        self.log_variance = nn.Linear(inputs, self.width)
        nn.init.normal_(self.mean.weight, std=FIRST_SPREAD)
        nn.init.constant_(self.log_variance.bias, FIRST_LOG_VARIANCE)

    def forward(
        self, x: torch.Tensor, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``x`` ``(B, inputs)`` to ``z`` ``(B, Z)``, a draw in training and the mean otherwise, and the KL divergence ``(B,)``, a mean over ``Z``."""
        mean, log_variance = self.mean(x), self.log_variance(x)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(1)
        if not self.training:
            return mean, divergence
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        return mean + (log_variance / 2).exp() * noise, divergence


class NoLatent(nn.Module):
    """The baseline's ``z``: the input as it is, with no prior."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.width = inputs

    def forward(
        self, x: torch.Tensor, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``(B, inputs)``, and zeros ``(B,)``."""
        return x, x.new_zeros(len(x))


class FirstState(nn.Module):
    """``[h_0; c_0] = tanh(W_z z + b_z)`` (Eq. 6)."""

    def __init__(self, latent: int, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(latent, 2 * hidden)

    def forward(self, z: torch.Tensor) -> State:
        """``(B, Z)`` to hidden and cell states, each ``(B, H)``."""
        hidden, cell = self.linear(z).tanh().chunk(2, dim=1)
        return hidden.contiguous(), cell.contiguous()


class SentenceDecoder(nn.Module):
    """Words from ``z`` (Eq. 6): an LSTM that reads the word before, a softmax over all words."""

    def __init__(self, words: int, latent: int, config: SLRConfig) -> None:
        super().__init__()
        self.first_state = FirstState(latent, config.hidden)
        self.embed = nn.Embedding(words, config.word)
        self.lstm = started(nn.LSTM(config.word, config.hidden, batch_first=True), forget=LASTING)
        self.head = nn.Linear(config.hidden, words)

    def forward(self, z: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """``(B, Z)`` and true words ``(B, T)`` to logits of the words that follow each, ``(B, T, V)``."""
        hidden, cell = self.first_state(z)
        return self.head(self.lstm(self.embed(words), (hidden.unsqueeze(0), cell.unsqueeze(0)))[0])

    def step(self, words: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """The last words ``(R,)`` and the state behind them to logits ``(R, V)`` and the next state."""
        states, (hidden, cell) = self.lstm(
            self.embed(words).unsqueeze(1), (state[0].unsqueeze(0), state[1].unsqueeze(0))
        )
        return self.head(states[:, 0]), (hidden[0], cell[0])


class FrameDecoder(nn.Module):
    """Frames from ``z`` and the first of them (Eq. 6): an LSTM that reads the frame before, which from the second on is its own."""

    def __init__(self, pixels: int, latent: int, config: SLRConfig) -> None:
        super().__init__()
        self.first_state = FirstState(latent, config.hidden)
        self.lstm = started(nn.LSTMCell(pixels, config.hidden))
        self.head = nn.Linear(config.hidden, pixels)
        self.changes = config.frames == "changed"
        if self.changes:  # a decoder that has learnt nothing repeats the frame before
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)

    def forward(self, z: torch.Tensor, first: torch.Tensor, count: int) -> torch.Tensor:
        """``(B, Z)`` and first frames ``(B, P)`` in [0, 1] to the ``count`` frames that follow, ``(B, count, P)``."""
        state, frame, frames = self.first_state(z), first, []
        for _ in range(count):
            state = self.lstm(frame - 0.5, state)
            drawn = self.head(state[0])
            frame = frame + drawn.tanh() if self.changes else drawn.sigmoid()
            frames.append(frame)
        return torch.stack(frames, 1)


class Star(nn.Module):
    """Some media in, some media out, and one latent vector between them (Eq. 4 to 6)."""

    def __init__(
        self, data: DataInfo, config: SLRConfig, inputs: Sequence[Medium], outputs: Sequence[Medium]
    ) -> None:
        super().__init__()
        words, self.inputs = len(data.assets["vocabulary"]), tuple(inputs)
        self.encoders, self.decoders = nn.ModuleDict(), nn.ModuleDict()
        for medium in inputs:
            self.encoders[medium] = (
                VideoEncoder(data, config) if medium == "video" else SentenceEncoder(words, config)
            )
        self.hidden = config.hidden
        width = config.hidden * len(inputs)
        self.latent = VariationalLatent(width, config) if config.latent == "variational" else NoLatent(width)
        for medium in outputs:
            self.decoders[medium] = (
                FrameDecoder(math.prod(data.features["thumbnail"].shape), self.latent.width, config)
                if medium == "video"
                else SentenceDecoder(words, self.latent.width, config)
            )

    def encode(
        self, media: Mapping[Medium, tuple[torch.Tensor, ...]], kept: torch.Tensor | None = None
    ) -> torch.Tensor:
        """``x`` ``(B, H inputs)`` (Eq. 4): each medium at length 1, zeros for one that is not there or not kept.

        Parameters
        ----------
        media
            Arguments of each medium's encoder.
        kept
            ``(B, inputs)``, in the order of ``inputs``; all that there are where ``None``.
        """
        rows = len(next(iter(media.values()))[0])
        parts = []
        for place, medium in enumerate(self.inputs):
            if medium not in media:
                parts.append(torch.zeros(rows, self.hidden, device=next(self.parameters()).device))
                continue
            part = functional.normalize(self.encoders[medium](*media[medium]), dim=1)  # (B, H)
            parts.append(part if kept is None else part * kept[:, place, None])
        return torch.cat(parts, 1)


class SLR(nn.Module):
    """One star for all media, or one for each pair of an input and an output that share nothing."""

    def __init__(self, data: DataInfo, config: SLRConfig) -> None:
        super().__init__()
        self.pad = data.assets["vocabulary"].index[PAD]
        outputs = config.outputs
        if config.share:
            stars = {"shared": Star(data, config, MEDIA, outputs)}
        else:
            stars = {f"{i}-to-{o}": Star(data, config, [i], [o]) for i in MEDIA for o in outputs}
        self.stars = nn.ModuleDict(stars)

    def star(self, source: Medium, target: Medium) -> Star:
        """The star that leads from a medium to another."""
        name = "shared" if "shared" in self.stars else f"{source}-to-{target}"
        return cast("Star", self.stars[name])
