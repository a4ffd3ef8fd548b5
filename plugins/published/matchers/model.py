"""The network of VSE-LSTM, its loss, and what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from reelbench.data import Example
from reelbench.plugins.layers.frames import sample_frames
from reelbench.plugins.layers.ranking import different_contents, ranking_hinges
from reelbench.plugins.layers.recurrence import PaddedLSTM, last_step
from reelbench.plugins.layers.standardise import Standardise
from reelbench.plugins.layers.words import known_words
from reelbench.vocabulary import PAD

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.method import Context, DataInfo
    from reelbench.plugins.published.matchers.method import VSELSTMConfig


class LastState(nn.Module):
    """The last state of an LSTM as a unit vector of the common space."""

    def __init__(self, inputs: int, config: VSELSTMConfig) -> None:
        super().__init__()
        self.lstm = PaddedLSTM(inputs, config.lstm, both_ways=False)
        self.project = nn.Linear(config.lstm, config.space)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(B, T, C)`` under a mask to ``(B, space)``."""
        states = self.lstm(x, mask)  # (B, T, lstm)
        return functional.normalize(self.project(last_step(states, mask.sum(1))), dim=-1)


class TwoLSTMs(nn.Module):
    """Unit vectors of videos and of sentences."""

    def __init__(self, data: DataInfo, config: VSELSTMConfig) -> None:
        super().__init__()
        vocabulary = data.assets["vocabulary"]
        self.margin = config.margin
        self.standardise = Standardise(data.assets["moments"])
        self.embed = nn.Embedding(len(vocabulary), config.word, padding_idx=vocabulary.index[PAD])
        self.see, self.read = LastState(data.dim(), config), LastState(config.word, config)

    def videos(self, frames: Padded) -> torch.Tensor:
        """``(B, N, D)`` to ``(B, space)``."""
        return self.see(self.standardise(frames.data), frames.mask)

    def sentences(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(B, M)`` to ``(B, space)``."""
        return self.read(self.embed(ids), mask)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Hinges of a batch's pairs both ways, the mean over pairs that match."""
        words = batch["sentence"]
        scores = self.sentences(words.data, words.mask) @ self.videos(batch["frames"]).T  # (B, B)
        answers = torch.arange(len(scores), device=scores.device)
        hinges = sum(ranking_hinges(table, answers, self.margin) for table in (scores, scores.T))
        different = different_contents(batch.fields.get("content", batch.ids), scores.device)
        return (hinges * different).sum(1).mean()

    def choice_scores(self, batch: Batch) -> torch.Tensor:
        """Cosines of each video with its choices: ``(B, C)``."""
        choices = batch["choices"]
        texts = self.sentences(choices.data.flatten(0, 1), choices.mask.flatten(0, 1))
        texts = texts.view(*choices.data.shape[:2], -1)  # (B, C, space)
        return torch.einsum("bw,bcw->bc", self.videos(batch["frames"]), texts)


def prepare(example: Example, ctx: Context) -> Example:
    """An example as the network reads it: equidistant frames, numbers of known words."""
    vocabulary, longest = ctx.data.assets["vocabulary"], ctx.config.max_words
    fields: dict[str, Any] = {name: example[name] for name in ("content",) if name in example.fields}
    if "video" in example.fields:
        fields["frames"] = sample_frames(example["video"], tuple(ctx.data.features), ctx.config.max_frames)
    for name in ("sentence", "query"):
        if name in example.fields:
            fields[name] = known_words(vocabulary, example[name], longest)
    if "choices" in example.fields:
        fields["choices"] = [known_words(vocabulary, choice, longest) for choice in example["choices"]]
    return Example(example.id, fields, example.targets)
