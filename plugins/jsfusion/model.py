"""The network of JSFusion: two encoders, the joint semantic tensor, the convolutional hierarchical decoder, a head.

Equations and layer names (``D1`` to ``D8``, ``Conv``, ``ConvG``) are those of J. Kim's thesis, chapter 5, which
follows the ECCV 2018 paper. A *pair* is one video beside one sentence; pairs are the batch axis ``P`` of everything
after the encoders. Sizes in comments: ``N`` frames, ``M`` words.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias, cast

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.embedding import word_embedding
from reelbench.plugins.layers.normalisation import RowNorm
from reelbench.plugins.layers.packing import pack_rows, unpack_rows
from reelbench.plugins.layers.recurrence import PaddedLSTM, last_step
from reelbench.plugins.layers.standardise import Standardise
from reelbench.vocabulary import BLANK, PAD

if TYPE_CHECKING:
    from reelbench.method import DataInfo
    from reelbench.plugins.jsfusion.method import JSFusionConfig, LayerSizes

KERNEL, STRIDES = 3, (1, 1, 2)
SHORTEST = 7  # the smallest grid of which three unpadded stages leave a cell


class Dense(nn.Module):
    """A layer ``D_k`` on rows ``(R, C)``: linear, batch norm, tanh (or another activation), dropout."""

    def __init__(
        self, inputs: int, outputs: int, dropout: float = 0.0, activation: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.norm = RowNorm(outputs)
        self.activation = activation or nn.Tanh()
        self.dropout = nn.Dropout(dropout)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows ``(R, outputs)``."""
        return self.finish(self.linear(rows))

    def finish(self, rows: torch.Tensor) -> torch.Tensor:
        """What follows the linear map."""
        return self.dropout(self.activation(self.norm(rows)))


class StepwiseDense(nn.Module):
    """The ablation without recurrence: each step through a dense layer by itself, ``(B, T, C)``."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.dense, self.width = Dense(inputs, hidden), hidden

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(B, T, width)``, zero at padding."""
        return unpack_rows(self.dense(pack_rows(x, mask)), mask)


class GatedTemporalConvolution(nn.Module):
    """The released code's video encoder: three convolutions over time, then half of the channels gates the other."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        channels = [inputs, 2 * hidden, 2 * hidden, 2 * hidden]
        self.layers = nn.ModuleList(nn.Conv1d(a, b, 3, padding=1) for a, b in itertools.pairwise(channels))
        self.width = hidden

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(B, T, width)``, zero at padding."""
        valid = mask.unsqueeze(1)
        x = (x * mask.unsqueeze(-1)).transpose(1, 2)  # (B, C, T)
        for layer in self.layers:
            x = layer(x).relu() * valid
        return (functional.glu(x, dim=1) * valid).transpose(1, 2)


ContextEncoder: TypeAlias = StepwiseDense | GatedTemporalConvolution | PaddedLSTM


def build_context(kind: str, inputs: int, hidden: int, *, of_video: bool) -> ContextEncoder:
    """What stands where the paper has a BLSTM (Eq. 5.1); ``released`` differs for videos only."""
    if kind == "dense":
        return StepwiseDense(inputs, 2 * hidden)
    if kind == "released" and of_video:
        return GatedTemporalConvolution(inputs, 2 * hidden)
    return PaddedLSTM(inputs, hidden, both_ways=kind != "lstm")


class SequenceEncoder(nn.Module):
    """``D1([h_f, h_b, x])`` of each step (Eq. 5.1 and the inner terms of 5.3)."""

    def __init__(
        self, inputs: int, context: ContextEncoder, joint: int, dropout: float, *, keep_input: bool
    ) -> None:
        super().__init__()
        self.context, self.keep_input = context, keep_input
        self.d1 = Dense(context.width + inputs * keep_input, joint, dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(B, T, C)`` to ``(B, T, joint)``, zero at padding."""
        h = self.context(x, mask)
        steps = torch.cat([h, x], dim=-1) if self.keep_input else h
        return unpack_rows(self.d1(pack_rows(steps, mask)), mask)


def linear_of_products(left: torch.Tensor, right: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """``W (left_n * right_m)`` for every ``n`` and ``m``: ``(N, C)`` and ``(M, C)`` to ``(N M, outputs)``.

    As ``(W diag right_m) left_n``, since the products are the widest tensor of all: with fewer outputs than ``n`` it is
    shorter not to build them.
    """
    if len(left) <= len(weight):
        return functional.linear((left.unsqueeze(1) * right).flatten(0, 1), weight)
    scaled = (right.unsqueeze(1) * weight).flatten(0, 1)  # (M outputs, C)
    return functional.linear(left, scaled).view(-1, len(weight))


class JointSemanticTensor(nn.Module):
    """Every frame with every word (Eq. 5.2, 5.3): ``j = sigmoid(w D2(t)) D4(D3(t))``, ``t = video * words``."""

    def __init__(self, sizes: LayerSizes, dropout: float) -> None:
        super().__init__()
        self.d2 = Dense(sizes.joint, sizes.attention, dropout)
        self.w = nn.Linear(sizes.attention, 1, bias=False)
        self.d3 = Dense(sizes.joint, sizes.fusion, dropout)
        self.d4 = Dense(sizes.fusion, sizes.fusion)

    def forward(self, video: torch.Tensor, words: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """``(P, N, joint)`` and ``(P, M, joint)`` under ``valid`` ``(P, N, M)`` to ``(P, N, M, fusion)``."""
        t = pack_rows(video.unsqueeze(2) * words.unsqueeze(1), valid)  # (V, joint)
        return unpack_rows(self._join(self.d2.linear(t), self.d3.linear(t)), valid)

    def of_all(self, frames: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """``j`` of every frame ``(F, joint)`` with every word ``(W, joint)``: ``(F W, fusion)``."""
        attention = linear_of_products(frames, words, self.d2.linear.weight)
        return self._join(attention, linear_of_products(frames, words, self.d3.linear.weight))

    def _join(self, attention: torch.Tensor, fusion: torch.Tensor) -> torch.Tensor:
        """Eq. 5.2 and 5.3 from the linear maps of ``D2`` and ``D3``: ``(V, fusion)``."""
        alpha = torch.sigmoid(self.w(self.d2.finish(attention)))  # (V, 1)
        return alpha * self.d4(self.d3.finish(fusion))


class GatedStage(nn.Module):
    """``Conv_k(J) * sigmoid(ConvG_k(J))`` (Eq. 5.4); ablations pool instead of ``Conv``, or leave the gate out."""

    def __init__(self, inputs: int, outputs: int, stride: int, config: JSFusionConfig) -> None:
        super().__init__()
        self.stride, self.channels = stride, outputs if config.decoder == "conv" else inputs
        pools = {"max": nn.MaxPool2d(KERNEL, stride), "mean": nn.AvgPool2d(KERNEL, stride)}
        self.conv = pools.get(config.decoder) or nn.Conv2d(inputs, outputs, KERNEL, stride)
        self.gate = nn.Conv2d(inputs, 1, KERNEL, stride) if config.gating else None
        self.activation = nn.LeakyReLU(0.2) if config.leaky else nn.Identity()

    def forward(self, grid: torch.Tensor) -> torch.Tensor:
        """``(P, C, N, M)`` to ``(P, channels, N', M')``."""
        if self.gate is None:
            return self.activation(self.conv(grid))
        if not isinstance(self.conv, nn.Conv2d):
            return self.activation(self.conv(grid)) * torch.sigmoid(self.gate(grid))
        weight = torch.cat([self.conv.weight, self.gate.weight])  # Conv and ConvG in one pass over the grid
        bias = torch.cat([cast("torch.Tensor", self.conv.bias), cast("torch.Tensor", self.gate.bias)])
        both = functional.conv2d(grid, weight, bias, self.stride)  # (P, channels + 1, N', M')
        return self.activation(both[:, :-1]) * torch.sigmoid(both[:, -1:])

    def lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Valid lengths after the stage; never less than one."""
        return (torch.div(lengths - KERNEL, self.stride, rounding_mode="floor") + 1).clamp_min(1)


class HierarchicalDecoder(nn.Module):
    """Three gated stages without padding, then the mean over valid cells (Eq. 5.4 and below)."""

    def __init__(self, sizes: LayerSizes, config: JSFusionConfig) -> None:
        super().__init__()
        self.stages, self.width = nn.ModuleList(), sizes.fusion
        for stride in STRIDES:
            stage = GatedStage(self.width, sizes.conv, stride, config)
            self.stages.append(stage)
            self.width = stage.channels

    def forward(self, joint: torch.Tensor, frames: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """``(P, N, M, C)`` with valid lengths ``(P,)`` along both sides to ``(P, width)``."""
        short_n, short_m = (max(0, SHORTEST - side) for side in joint.shape[1:3])
        grid = functional.pad(joint, (0, 0, 0, short_m, 0, short_n)).permute(0, 3, 1, 2)  # (P, C, N, M)
        for stage in cast("Iterable[GatedStage]", self.stages):
            frames, words = stage.lengths(frames), stage.lengths(words)
            grid = stage(grid)
            grid = grid * _rectangle(frames, words, grid)
        return grid.sum((2, 3)) / (frames * words).unsqueeze(1)


class TensorFusion(nn.Module):
    """The paper's fusion: the joint semantic tensor, then the hierarchical decoder."""

    def __init__(self, sizes: LayerSizes, config: JSFusionConfig) -> None:
        super().__init__()
        self.tensor = JointSemanticTensor(sizes, config.dropout)
        self.decoder = HierarchicalDecoder(sizes, config)
        self.width = self.decoder.width

    def forward(
        self, video: torch.Tensor, frame_mask: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor
    ) -> torch.Tensor:
        """``(P, N, joint)`` and ``(P, M, joint)`` with masks to ``(P, width)``."""
        joint = self.tensor(
            video, words, frame_mask.unsqueeze(2) & word_mask.unsqueeze(1)
        )  # (P, N, M, fusion)
        return self.decoder(joint, frame_mask.sum(1), word_mask.sum(1))

    def of_all(
        self, video: torch.Tensor, frame_mask: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor
    ) -> torch.Tensor:
        """Every sentence ``(S, M, joint)`` with every video ``(V, N, joint)``: ``(S V, width)``.

        All frames of the batch meet all words once; cells are laid out as pairs afterwards.
        """
        cells = self.tensor.of_all(pack_rows(video, frame_mask), pack_rows(words, word_mask))
        valid = frame_mask.flatten().unsqueeze(1) & word_mask.flatten()  # (V N, S M)
        joint = unpack_rows(cells, valid).view(
            *frame_mask.shape, *word_mask.shape, -1
        )  # (V, N, S, M, fusion)
        return self.decoder(
            joint.permute(2, 0, 1, 3, 4).flatten(0, 1),
            frame_mask.sum(1).repeat(len(words)),
            word_mask.sum(1).repeat_interleave(len(video)),
        )


class LastStepFusion(nn.Module):
    """The ablation without tensor and decoder (LSTM-fusion): the product of both sides' last steps."""

    def __init__(self, sizes: LayerSizes) -> None:
        super().__init__()
        self.width = sizes.joint

    def forward(
        self, video: torch.Tensor, frame_mask: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor
    ) -> torch.Tensor:
        """``(P, N, joint)`` and ``(P, M, joint)`` with masks to ``(P, joint)``."""
        return last_step(video, frame_mask.sum(1)) * last_step(words, word_mask.sum(1))

    def of_all(
        self, video: torch.Tensor, frame_mask: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor
    ) -> torch.Tensor:
        """Every sentence ``(S, M, joint)`` with every video ``(V, N, joint)``: ``(S V, joint)``."""
        spoken, seen = last_step(words, word_mask.sum(1)), last_step(video, frame_mask.sum(1))
        return (spoken.unsqueeze(1) * seen).flatten(0, 1)


def _rectangle(frames: torch.Tensor, words: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Which cells of ``(P, C, N, M)`` are valid: ``(P, 1, N, M)``."""
    rows = torch.arange(grid.shape[2], device=grid.device) < frames[:, None]
    columns = torch.arange(grid.shape[3], device=grid.device) < words[:, None]
    return (rows[:, None, :, None] & columns[:, None, None, :]).to(grid.dtype)


class JSFusion(nn.Module):
    """Scores pairs of a video and a sentence (Eq. 5.5), or words for a blank (the green path of Figure 5.2)."""

    def __init__(self, data: DataInfo, config: JSFusionConfig) -> None:
        super().__init__()
        sizes, blank = config.sizes, config.head == "word"
        vocabulary, dim = data.assets["vocabulary"], data.dim()
        self.blank = vocabulary.index[BLANK]
        self.standardise = Standardise(data.assets["moments"])
        self.embed = word_embedding(data, config.word, vocabulary.index[PAD])
        tensor = config.decoder != "none"
        self.video = SequenceEncoder(
            dim,
            build_context(config.encoder, dim, config.lstm, of_video=True),
            sizes.joint,
            config.dropout,
            keep_input=tensor,
        )
        self.words = SequenceEncoder(
            config.word,
            build_context(config.encoder, config.word, config.lstm, of_video=False),
            sizes.joint,
            config.dropout,
            keep_input=tensor and config.encoder != "released",
        )
        self.fusion = TensorFusion(sizes, config) if tensor else LastStepFusion(sizes)
        widths = [self.fusion.width, *sizes.decision]
        leaky = nn.LeakyReLU(0.2) if config.leaky else None
        self.decision = nn.Sequential(*(Dense(a, b, activation=leaky) for a, b in itertools.pairwise(widths)))
        self.d8 = nn.Linear(widths[-1], len(data.spaces["answers"]) if blank else 1)
        self.last = RowNorm(1, affine=False) if config.standardise_score and not blank else nn.Identity()

    def encode_video(self, frames: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``D1v``: ``(B, N, D)`` to ``(B, N, joint)``, zero at padding."""
        return self.video(self.standardise(frames), mask)

    def encode_sentence(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``D1w``: ``(B, M)`` to ``(B, M, joint)``, zero at padding."""
        return self.words(self.embed(ids), mask)

    def score(
        self, video: torch.Tensor, frame_mask: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor
    ) -> torch.Tensor:
        """Eq. 5.5 for pairs: ``(P,)``."""
        return self.judge(self.fusion(video, frame_mask, words, word_mask))

    def judge(self, fused: torch.Tensor) -> torch.Tensor:
        """``D5`` to ``D8``: scores ``(P,)`` of fused pairs ``(P, width)``."""
        return self.last(self.d8(self.decision(fused))).squeeze(1)

    def fill(
        self, frames: torch.Tensor, frame_mask: torch.Tensor, ids: torch.Tensor, word_mask: torch.Tensor
    ) -> torch.Tensor:
        """Logits of each answer for the blank of each sentence: ``(B, V)``."""
        video, words = self.encode_video(frames, frame_mask), self.encode_sentence(ids, word_mask)
        position = (ids == self.blank).int().argmax(1)  # (B,)
        context = words[torch.arange(len(ids), device=ids.device), position]  # t_b = D1w(w_b), (B, joint)
        return self.d8(self.decision(self.fusion(video, frame_mask, words, word_mask)) + context)


def score_all(
    model: JSFusion,
    video: torch.Tensor,
    frame_mask: torch.Tensor,
    words: torch.Tensor,
    word_mask: torch.Tensor,
) -> torch.Tensor:
    """Every sentence with every video: encoded ``(S, M, joint)`` and ``(V, N, joint)`` to ``(S, V)``."""
    fused = model.fusion.of_all(video, frame_mask, words, word_mask)
    return model.judge(fused).view(len(words), len(video))
