"""The two encoders of VSE, their losses, and what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from reelbench.data import Example
from reelbench.plugins.baselines.losses import vote_loss
from reelbench.plugins.baselines.moments import candidates_of, located_means, votes
from reelbench.plugins.baselines.networks import one_hidden
from reelbench.plugins.layers.frames import mean_frame, segment_means
from reelbench.plugins.layers.packing import unpack_rows
from reelbench.plugins.layers.pooling import masked_mean
from reelbench.plugins.layers.ranking import different_contents, ranking_hinges
from reelbench.plugins.layers.recurrence import PaddedLSTM
from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.method import Context, DataInfo
    from reelbench.plugins.baselines.vse import VSEConfig

PLACE = 2  # a located window also has its start and end as shares of the video


class Embedding(nn.Module):
    """Unit vectors of videos and of texts."""

    def __init__(self, data: DataInfo, config: VSEConfig) -> None:
        super().__init__()
        vocabulary = data.assets["vocabulary"]
        self.head, self.seen = config.head, data.assets["seen"]
        self.margin, self.temperature = config.margin, config.temperature
        self.standardise = Standardise(data.assets["moments"])
        located = config.head == "segments"
        self.see = one_hidden(data.dim() * (1 + located) + PLACE * located, config.width, config.width)
        self.embed = nn.Embedding(len(vocabulary), config.word)
        self.lstm = PaddedLSTM(config.word, config.width // 2, both_ways=True)
        self.read = nn.Linear(self.lstm.width, config.width)
        names = (
            [vocabulary.encode(name.split()) for name in data.spaces["actions"]]
            if config.head == "actions"
            else []
        )
        self.names = [torch.from_numpy(ids) for ids in names]

    def videos(self, means: torch.Tensor) -> torch.Tensor:
        """``(..., D)`` to ``(..., width)``."""
        return functional.normalize(self.see(self.standardise(means)), dim=-1)

    def texts(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``(..., M)`` to ``(..., width)``; zero for texts without a word."""
        real = mask.any(-1)
        states = self.lstm(self.embed(ids[real]), mask[real])  # (R, M, width)
        return unpack_rows(functional.normalize(self.read(masked_mean(states, mask[real])), dim=-1), real)

    def paragraphs(self, sentences: Padded) -> torch.Tensor:
        """``(B, N, M)`` to ``(B, width)``."""
        return functional.normalize(self.texts(sentences.data, sentences.mask).sum(1), dim=-1)

    def clips(self, means: Padded) -> torch.Tensor:
        """``(B, N, D)`` to ``(B, width)``."""
        return functional.normalize(masked_mean(self.videos(means.data), means.mask), dim=-1)

    def loss(self, batch: Batch) -> torch.Tensor:
        """The loss of the fit's head."""
        return {"captions": self.match_loss, "segments": self.moment_loss, "actions": self.class_loss}[
            self.head
        ](batch)

    def match_loss(self, batch: Batch) -> torch.Tensor:
        """Hinges of a batch's pairs, in both directions; pairs of equal content are no negatives."""
        texts = self.texts(batch["sentence"].data, batch["sentence"].mask)
        scores = texts @ self.videos(batch["video"].data).T  # (B, B)
        answers = torch.arange(len(scores), device=scores.device)
        hinges = ranking_hinges(scores, answers, self.margin) + ranking_hinges(scores.T, answers, self.margin)
        different = different_contents(batch.fields.get("content", batch.ids), scores.device)
        return (hinges * different).sum(1).mean()

    def moment_loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy of candidates against the annotators' votes."""
        assert batch.targets is not None
        return vote_loss(self.moment_scores(batch), batch.targets["votes"].data)

    def class_loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy over the classes that training has."""
        assert batch.targets is not None
        unseen = torch.ones(len(self.names), dtype=torch.bool, device=batch.targets["label"].device)
        unseen[self.seen] = False
        scores = self.class_scores(batch).masked_fill(unseen, float("-inf"))
        return functional.cross_entropy(scores, batch.targets["label"])

    def moment_scores(self, batch: Batch) -> torch.Tensor:
        """Cosines of each candidate with the sentence, over the temperature: ``(B, K)``."""
        windows, place = batch["windows"].data.split([batch["windows"].data.shape[-1] - PLACE, PLACE], -1)
        whole = masked_mean(windows, batch["windows"].mask).unsqueeze(1).expand_as(windows)
        seen = torch.cat([self.standardise(windows), self.standardise(whole), place], -1)
        videos = functional.normalize(self.see(seen), dim=-1)  # (B, K, width)
        texts = self.texts(batch["sentence"].data, batch["sentence"].mask)
        return torch.einsum("bkw,bw->bk", videos, texts) / self.temperature

    def choice_scores(self, batch: Batch) -> torch.Tensor:
        """Cosines of the video with each choice: ``(B, C)``."""
        texts = self.texts(batch["choices"].data, batch["choices"].mask)
        return torch.einsum("bw,bcw->bc", self.videos(batch["video"].data), texts)

    def class_scores(self, batch: Batch) -> torch.Tensor:
        """Cosines with every class's name, over the temperature: ``(B, L)``."""
        videos = self.videos(batch["video"].data)
        ids = nn.utils.rnn.pad_sequence(self.names, batch_first=True).to(videos.device)
        lengths = torch.tensor([len(name) for name in self.names], device=videos.device)
        names = self.texts(ids, torch.arange(ids.shape[1], device=videos.device) < lengths[:, None])
        return videos @ names.T / self.temperature


def prepare(example: Example, ctx: Context) -> Example:
    """An example as the encoders read it: mean features, word numbers, located candidates."""
    if ctx.recipe == "segments":
        fields = {
            "sentence": _encode(example["query"], ctx),
            "windows": located_means(example, ctx.data.features),
            "candidates": candidates_of(example),
        }
        return Example(example.id, fields, example.targets and {"votes": votes(example)})
    fields = {name: example.fields[name] for name in ("content",) if name in example.fields}
    for name in ("sentence", "sentences", "choices"):
        if name in example.fields:
            fields[name] = _encode(example[name], ctx)
    return Example(example.id, fields | _seen(example, ctx), example.targets)


def _seen(example: Example, ctx: Context) -> dict[str, Any]:
    """A clip's mean, or the means of a gallery video's clips ``(n, D)``."""
    if "segments" in example.fields:
        return {"clips": segment_means(example["video"], np.asarray(example["segments"]), ctx.data.features)}
    return (
        {"video": mean_frame(example["video"], tuple(ctx.data.features))} if "video" in example.fields else {}
    )


def _encode(text: Any, ctx: Context) -> Any:
    vocabulary = ctx.data.assets["vocabulary"]
    return [vocabulary.encode(t) for t in text] if isinstance(text, list) else vocabulary.encode(text)
