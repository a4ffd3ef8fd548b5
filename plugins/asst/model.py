"""The network of ASST: a language subnet, a video subnet, attention between them at every scale, and clip samplers.

Equations are those of Ning et al.; Figure 2 shows the whole, Figure 3 one layer. Sizes in comments: ``R`` windows,
``T`` rows of a window, ``M`` words, ``K`` clips.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.embedding import word_embedding
from reelbench.plugins.layers.normalisation import RowNorm
from reelbench.plugins.layers.recurrence import PaddedLSTM
from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.method import DataInfo
    from reelbench.plugins.asst.method import ASSTConfig

KERNEL, POOLED = 3, 7
REGRESSION = 2  # deviations of centre and of length


class ChannelDropout(nn.Module):
    """Dropout of a channel in all rows of a window, which are alike: ``(R, T, C)``."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same shape; unchanged in evaluation."""
        return functional.dropout1d(x.transpose(1, 2), self.rate, self.training).transpose(1, 2)


class LanguageSubnet(nn.Module):
    """Word vectors, then stacked bidirectional LSTMs with shortcuts (Eq. 2)."""

    def __init__(self, data: DataInfo, config: ASSTConfig) -> None:
        super().__init__()
        self.embed = word_embedding(data, config.word)
        self.enter = nn.Linear(config.word, config.state)
        self.layers = nn.ModuleList(
            PaddedLSTM(config.state, config.state // 2, both_ways=True) for _ in range(config.lstm_layers)
        )
        self.dropout = ChannelDropout(config.dropout)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(R, M)`` to ``w^p``, ``(R, M, state)``."""
        w = self.enter(self.embed(ids))
        for layer in cast("Iterable[nn.Module]", self.layers):
            w = w + layer(self.dropout(w), mask)  # Eq. 2
        return self.dropout(w)


class GatedLinear(nn.Module):
    """A convolution of kernel 1 whose one half of channels gates the other (Eq. 3): ``(..., C)`` to ``(..., outputs)``."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 2 * outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``q_0 * sigmoid(q_1)``."""
        return functional.glu(self.linear(x), dim=-1)


class GatedConvolution(nn.Module):
    """A convolution over time, gated likewise (Eq. 3): ``(R, T, C)`` to ``(R, T', outputs)``.

    A row's neighbours are laid side by side for one matrix product: sequences are so short and so many (seven rows a
    clip) that a CPU's convolution kernels take five times as long.
    """

    def __init__(
        self, inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1, pad: bool = True
    ) -> None:
        super().__init__()
        self.stride, self.dilation, self.reach = stride, dilation, dilation * (KERNEL // 2) if pad else 0
        self.gated = GatedLinear(KERNEL * inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``q_0 * sigmoid(q_1)``."""
        x = functional.pad(x, (0, 0, self.reach, self.reach))
        span = x.shape[1] - self.dilation * (KERNEL - 1)
        starts = range(0, KERNEL * self.dilation, self.dilation)
        return self.gated(torch.cat([x[:, k : k + span : self.stride] for k in starts], dim=-1))


class CrossModalAttention(nn.Module):
    """What the sentence says to each row, times the row (Eq. 4 to 6)."""

    def __init__(self, language: int, channels: int, attention: int) -> None:
        super().__init__()
        self.word_key = GatedLinear(language, attention)
        self.word_value = GatedLinear(language, channels)
        self.row_key = GatedLinear(channels, attention)

    def weights(self, v: torch.Tensor, words: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``A`` of Eq. 4, one distribution over words a row: ``(R, T, M)``."""
        keys = self.word_key(words)
        scores = self.row_key(v) @ keys.transpose(1, 2) / keys.shape[-1]
        return scores.masked_fill(~mask.unsqueeze(1), float("-inf")).softmax(-1)

    def forward(self, v: torch.Tensor, words: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``v`` ``(R, T, C)``, words ``(R, M, language)`` to ``u`` ``(R, T, C)``."""
        attended = self.weights(v, words, mask) @ self.word_value(words)  # Eq. 5
        return attended * v  # Eq. 6


class Feeding(nn.Module):
    """Figure 3 above the convolution: attend where language is fed, then batch norm and ReLU."""

    def __init__(self, channels: int, config: ASSTConfig, *, fed: bool) -> None:
        super().__init__()
        self.attend = CrossModalAttention(config.state, channels, config.attention) if fed else None
        self.norm = RowNorm(channels)

    def forward(self, v: torch.Tensor, words: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor:
        """``(R, T, C)``."""
        if self.attend is not None:
            v = self.attend(v, words, mask)
        return self.norm(v.flatten(0, 1)).relu().view_as(v)


class TemporalLayer(nn.Module):
    """A dilation or squeezing layer: convolution, feeding, and the shortcut from the layer before."""

    def __init__(
        self, inputs: int, outputs: int, config: ASSTConfig, *, fed: bool, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.dropout, self.stride = ChannelDropout(config.dropout), stride
        self.convolution = GatedConvolution(inputs, outputs, stride=stride, dilation=dilation)
        self.feeding = Feeding(outputs, config, fed=fed)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs)

    def forward(self, x: torch.Tensor, words: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor:
        """``(R, T, C)`` to ``(R, T / stride, outputs)``."""
        u = self.feeding(self.convolution(self.dropout(x)), words, mask)
        return self.shortcut(shorten(x, self.stride)) + u


class VideoSubnet(nn.Module):
    """Dilation, squeezing and expansion layers: a sequence to a sequence of the same length (§3.1.1)."""

    def __init__(self, config: ASSTConfig) -> None:
        super().__init__()
        wide, narrow, last = config.dilation, config.squeezing, config.dilation_layers - 1
        feed = config.feed if config.head != "events" else "none"
        places = {"first-dilation": [0], "last-dilation": [last], "all": range(last + 1)}.get(feed, [])
        self.dilated = nn.ModuleList(
            TemporalLayer(wide, wide, config, fed=k in places, dilation=2**k) for k in range(last + 1)
        )
        self.squeezed = nn.ModuleList(
            TemporalLayer(wide if k == 0 else narrow, narrow, config, fed=feed == "all", stride=2)
            for k in range(config.squeezing_layers)
        )
        self.bridge = GatedConvolution(narrow, narrow)
        self.laterals = nn.ModuleList(
            nn.Linear(wide if k == 0 else narrow, narrow) for k in range(config.squeezing_layers)
        )
        self.final = Feeding(narrow, config, fed=True) if feed == "final" else None

    def forward(self, x: torch.Tensor, words: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor:
        """``(R, T, dilation)`` to ``x'`` ``(R, T, squeezing)``."""
        for layer in self.dilated:
            x = layer(x, words, mask)
        maps = [x]
        for layer in self.squeezed:
            maps.append(layer(maps[-1], words, mask))
        x = self.bridge(maps.pop())
        for lateral in reversed(self.laterals):
            local = maps.pop()
            x = expand(x, local.shape[1]) + lateral(local)
        return x if self.final is None else x + self.final(x, words, mask)


class ClipSampler(nn.Module):
    """Seven rows of a clip by RoI-pooling, two convolutions, and the clip's outputs; all clips share it (§3.1.2)."""

    def __init__(self, inputs: int, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.first = GatedConvolution(inputs, width, pad=False)
        self.second = GatedConvolution(width, width, pad=False)
        self.dropout = ChannelDropout(dropout)
        self.read = nn.Linear((POOLED - 2 * (KERNEL - 1)) * width, outputs)

    def forward(self, x: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """``(R, T, C)`` and clips ``(R, K, 2)`` to ``(R, K, outputs)``."""
        rows = pool_clips(self.dropout(x), clips)  # (R, K, 7, C)
        y = self.second(self.first(rows.flatten(0, 1)))  # (R K, 3, width)
        return self.read(y.flatten(1)).view(*clips.shape[:2], -1)


class ASST(nn.Module):
    """Scores, and with ``spans`` and ``events`` deviations, of clips of windows."""

    def __init__(self, data: DataInfo, config: ASSTConfig, classes: int) -> None:
        super().__init__()
        self.rows, self.endpoints = config.length, config.endpoints
        self.standardise = Standardise(data.assets["moments"])
        self.input_dropout = ChannelDropout(config.input_dropout)
        self.enter = nn.Linear(data.dim(*config.streams), config.dilation)
        fed = config.head != "events" and config.feed != "none"
        self.language = LanguageSubnet(data, config) if fed else None
        self.video = VideoSubnet(config)
        outputs = 1 if config.head == "candidates" else classes + 1 + REGRESSION
        self.sampler = ClipSampler(
            config.squeezing + config.endpoints, config.squeezing, outputs, config.dropout
        )

    def forward(
        self,
        frames: torch.Tensor,
        seen: torch.Tensor,
        words: torch.Tensor | None,
        mask: torch.Tensor | None,
        clips: torch.Tensor,
    ) -> torch.Tensor:
        """Outputs of every clip.

        Parameters
        ----------
        frames, seen
            Windows ``(R, at most rows, D)``, and which rows lie in the video.
        words, mask
            A sentence a window ``(R, M)``; ``None`` for events.
        clips
            ``(R, K, 2)`` shares of the window.

        Returns
        -------
        torch.Tensor
            ``(R, K, 1)`` scores, or ``(R, K, classes + 3)``: logits of classes and background, and deviations.
        """
        x = self.enter(self.input_dropout(self.standardise(frames)))
        x = x * seen.unsqueeze(-1)
        x = functional.pad(x, (0, 0, 0, self.rows - x.shape[1]))  # (R, T, dilation)
        language = self.language(words, mask) if self.language is not None else None
        x = self.video(x, language, mask)
        if self.endpoints:
            x = torch.cat([x, row_times(x)], dim=-1)
        return self.sampler(x, clips)


class Fusion(nn.Module):
    """Late fusion: the probabilities of several networks, each of its own columns of the features, weighed."""

    def __init__(self, members: dict[str, ASST], columns: dict[str, list[int]]) -> None:
        super().__init__()
        self.members, self.columns = nn.ModuleDict(members), columns
        self.weights = nn.Parameter(torch.zeros(len(members)))

    def forward(self, frames: torch.Tensor, *inputs: torch.Tensor | None) -> list[torch.Tensor]:
        """Each member's outputs, as :class:`ASST` gives them."""
        return [member(frames[..., self.columns[name]], *inputs) for name, member in self.members.items()]

    def weigh(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """The weighed mean of what each member says."""
        return torch.einsum("m,m...->...", self.weights.softmax(0), torch.stack(list(parts)))

    def weigh_logarithms(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """The logarithm of the weighed mean of probabilities, given as logarithms."""
        weighed = [w + part for w, part in zip(self.weights.log_softmax(0), parts, strict=True)]
        return torch.stack(weighed).logsumexp(0)


def build(data: DataInfo, config: ASSTConfig, members: Mapping[str, ASSTConfig]) -> nn.Module:
    """One network, or one for each of the members of a late fusion."""
    classes = len(data.spaces["actions"]) if config.head == "events" else 1
    if not members:
        return ASST(data, config, classes)
    columns = {name: columns_of(data, member.streams) for name, member in members.items()}
    parts = {name: ASST(narrowed(data, columns[name]), member, classes) for name, member in members.items()}
    return Fusion(parts, columns)


def columns_of(data: DataInfo, streams: Sequence[str]) -> list[int]:
    """Where some modalities stand in a row of all features."""
    found: list[int] = []
    at = 0
    for name, spec in data.features.items():
        found += range(at, at + spec.dim) if name in streams else []
        at += spec.dim
    return found


def narrowed(data: DataInfo, columns: list[int]) -> DataInfo:
    """The same data with moments of some columns only."""
    moments = {name: values[columns] for name, values in data.assets["moments"].items()}
    return replace(data, assets={**data.assets, "moments": moments})


def shorten(x: torch.Tensor, stride: int) -> torch.Tensor:
    """Means of every ``stride`` rows, the last of fewer: ``(R, T, C)`` to ``(R, ceil(T / stride), C)``."""
    if stride == 1:
        return x
    return functional.avg_pool1d(x.transpose(1, 2), stride, ceil_mode=True).transpose(1, 2)


def expand(x: torch.Tensor, length: int) -> torch.Tensor:
    """Linear interpolation along time to ``length`` rows: ``(R, T, C)`` to ``(R, length, C)``."""
    place = (torch.arange(length, device=x.device) + 0.5) * (x.shape[1] / length) - 0.5
    return linear_weights(place, x.shape[1]) @ x


def pool_clips(x: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
    """RoI-pooling: ``POOLED`` rows of each clip, at the middles of its equal parts, by linear interpolation.

    ``(R, T, C)`` and clips ``(R, K, 2)``, shares of the ``T`` rows, to ``(R, K, POOLED, C)``.
    """
    share = (torch.arange(POOLED, device=x.device) + 0.5) / POOLED
    place = clips[..., :1] + share * (clips[..., 1:] - clips[..., :1])  # (R, K, POOLED)
    weights = linear_weights(place * x.shape[1] - 0.5, x.shape[1])  # (R, K, POOLED, T)
    return (weights.flatten(1, 2) @ x).view(*place.shape, -1)


def linear_weights(place: torch.Tensor, rows: int) -> torch.Tensor:
    """What each row weighs in a value read at ``place`` (in rows, held within them): ``(...)`` to ``(..., rows)``."""
    place = place.clamp(0, rows - 1).unsqueeze(-1)
    return (1 - (place - torch.arange(rows, device=place.device)).abs()).clamp_min(0.0)


def row_times(x: torch.Tensor) -> torch.Tensor:
    """The temporal endpoint feature: when each row is, as a share of the window, ``(R, T, 1)``."""
    length = x.shape[1]
    return (
        ((torch.arange(length, device=x.device) + 0.5) / length).to(x)[None, :, None].expand(len(x), -1, -1)
    )
