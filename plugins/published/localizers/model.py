"""The networks of MCN and CTRL. Sizes in comments: ``K`` candidates, ``W`` windows, ``M`` words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.baselines.networks import one_hidden
from reelbench.plugins.layers.pooling import masked_mean
from reelbench.plugins.layers.ranking import different_contents
from reelbench.plugins.layers.recurrence import PaddedLSTM, last_step
from reelbench.plugins.layers.segments import suppress
from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.method import DataInfo
    from reelbench.plugins.published.localizers.method import CTRLConfig, CTRLSettings, MCNConfig

PLACE = 2  # a candidate's start and end as shares of the video
SHORTEST_S = 0.05


class SentenceEncoder(nn.Module):
    """The last state of an LSTM over learned word vectors, and a linear map."""

    def __init__(self, words: int, word: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, word)
        self.lstm = PaddedLSTM(word, hidden, both_ways=False)
        self.read = nn.Linear(hidden, outputs)

    def forward(self, sentence: Padded) -> torch.Tensor:
        """``(B, M)`` to ``(B, outputs)``."""
        states = self.lstm(self.embed(sentence.data), sentence.mask)  # (B, M, hidden)
        return self.read(last_step(states, sentence.lengths))


class StreamRanker(nn.Module):
    """MCN of one modality: a moment beside its video and its place, and a sentence, in one space."""

    def __init__(self, features: int, words: int, config: MCNConfig) -> None:
        super().__init__()
        self.see = one_hidden(2 * features + PLACE, config.hidden, config.joint)
        self.say = SentenceEncoder(words, config.word, config.lstm, config.joint)

    def moments(self, means: torch.Tensor, mask: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        """Means of candidates ``(B, K, D)`` and their places ``(B, K, 2)`` to ``(B, K, joint)``."""
        whole = masked_mean(means, mask).unsqueeze(1).expand_as(means)
        return self.see(torch.cat([means, whole, place], dim=-1))


class MomentContext(nn.Module):
    """A ranker of appearance and one of motion with sound, and the weighed sum of their distances."""

    def __init__(self, data: DataInfo, config: MCNConfig) -> None:
        super().__init__()
        self.standardise = Standardise(data.assets["moments"])
        appearance = data.dim("appearance")
        self.widths = [appearance, data.dim() - appearance]
        self.streams = nn.ModuleList(
            StreamRanker(width, len(data.assets["vocabulary"]), config) for width in self.widths
        )
        self.margin, self.intra = config.margin, config.intra
        self.weights = [1.0, config.flow]

    def distances(self, batch: Batch) -> torch.Tensor:
        """Squared distances of each candidate from its sentence: ``(B, K)``."""
        parts = [
            (moments - said.unsqueeze(1)).square().sum(-1) * weight
            for (moments, said), weight in zip(self._embedded(batch), self.weights, strict=True)
        ]
        return torch.stack(parts).sum(0)

    def loss(self, batch: Batch) -> torch.Tensor:
        """The sum of the streams' ranking losses."""
        assert batch.targets is not None
        chosen, mask = batch.targets["chosen"], batch["windows"].mask
        different = different_contents(batch["film"], chosen.device)
        parts = [self._ranking(m, s, chosen, mask, different) for m, s in self._embedded(batch)]
        return torch.stack(parts).sum()

    def _ranking(
        self,
        moments: torch.Tensor,
        said: torch.Tensor,
        chosen: torch.Tensor,
        mask: torch.Tensor,
        different: torch.Tensor,
    ) -> torch.Tensor:
        """Hinges against other moments of the video, and against the same moment of other videos."""
        own = (moments - said.unsqueeze(1)).square().sum(-1)  # (B, K)
        right = own.gather(1, chosen[:, None])  # (B, 1)
        others = mask & (torch.arange(own.shape[1], device=own.device) != chosen[:, None])
        there = mask[:, chosen].T & different  # (B sentences, B videos): videos that have such a moment
        distance = (moments[:, chosen].transpose(0, 1) - said.unsqueeze(1)).square().sum(-1)  # (B, B)
        inside = _mean_hinge(right - own + self.margin, others)
        return self.intra * inside + (1 - self.intra) * _mean_hinge(right - distance + self.margin, there)

    def _embedded(self, batch: Batch) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Each stream's moments ``(B, K, joint)`` and sentences ``(B, joint)``."""
        windows = batch["windows"]
        means, place = windows.data.split([sum(self.widths), PLACE], dim=-1)
        parts = self.standardise(means).split(self.widths, dim=-1)
        return [
            (stream.moments(part, windows.mask, place), stream.say(batch["words"]))
            for stream, part in zip(cast("Iterable[StreamRanker]", self.streams), parts, strict=True)
        ]


class TemporalRegression(nn.Module):
    """CTRL: a clip with its context and a sentence, fused by sum, product and a layer; a score and two offsets."""

    def __init__(self, data: DataInfo, config: CTRLConfig) -> None:
        super().__init__()
        moments = {name: np.tile(value, 3) for name, value in data.assets["moments"].items()}
        self.standardise, self.regression = Standardise(moments), config.regression
        self.see = nn.Linear(3 * data.dim(), config.joint)
        self.say = SentenceEncoder(len(data.assets["vocabulary"]), config.word, config.lstm, config.joint)
        self.mix = nn.Linear(2 * config.joint, config.joint)
        self.read = one_hidden(3 * config.joint, config.hidden, 3)

    def forward(self, clips: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
        """Clips and sentences ``(..., joint)`` to a score and offsets of start and end, ``(..., 3)``."""
        mixed = self.mix(torch.cat([clips, said], dim=-1))
        return self.read(torch.cat([clips * said, clips + said, mixed], dim=-1))

    def loss(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Alignment over all pairs of the batch, and smooth L1 of the right pairs' offsets in seconds."""
        assert batch.targets is not None
        clips, said = self._encoded(batch)
        clips = clips.squeeze(1)  # (B, joint)
        count = len(clips)
        pairs = self(
            clips.expand(count, -1, -1), said.unsqueeze(1).expand(-1, count, -1)
        )  # (B sentences, B clips, 3)
        right = torch.eye(count, dtype=torch.bool, device=clips.device)
        wrong = different_contents(batch["film"], clips.device)
        scores = pairs[..., 0]
        aligned = (
            functional.softplus(-scores[right]).mean() + functional.softplus(scores[wrong]).sum() / count**2
        )
        offset = functional.smooth_l1_loss(pairs[right][:, 1:], batch.targets["offset"].data)
        return {"loss": aligned + self.regression * offset, "alignment": aligned, "offset": offset}

    def spans(self, batch: Batch, settings: CTRLSettings) -> list[list[list[float]]]:
        """Windows moved by their offsets, best first, after suppression."""
        clips, said = self._encoded(batch)
        found = self(clips, said.unsqueeze(1).expand_as(clips)).numpy(force=True)  # (B, W, 3)
        spans = batch["spans"]
        rows = zip(spans.data.numpy(force=True), spans.lengths.tolist(), found, strict=True)
        return [_ranked(s[:n] + f[:n, 1:], f[:n, 0], settings) for s, n, f in rows]

    def _encoded(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        return self.see(self.standardise(batch["windows"].data)), self.say(batch["words"])


def _mean_hinge(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    return (values.clamp_min(0.0) * valid).sum() / valid.sum().clamp_min(1)


def _ranked(spans: np.ndarray, scores: np.ndarray, settings: CTRLSettings) -> list[list[float]]:
    start = spans[:, 0].clip(0.0)
    held = np.stack([start, np.maximum(spans[:, 1], start + SHORTEST_S)], axis=1)
    order = np.argsort(-scores, kind="stable")
    kept = order[suppress(held[order], settings.suppress, settings.keep)]
    return [[*held[i].tolist(), float(scores[i])] for i in kept]
