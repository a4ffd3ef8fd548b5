"""The heads of the mean-pool baseline; each has its loss and its predictions beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.baselines.identities import as_tables
from reelbench.plugins.baselines.losses import link_loss
from reelbench.plugins.baselines.networks import BlankContext, PairScorer, one_hidden
from reelbench.plugins.layers.decoding import search
from reelbench.plugins.layers.sentences import word_loss
from reelbench.plugins.layers.standardise import Standardise
from reelbench.vocabulary import END, PAD, START

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import Context, DataInfo
    from reelbench.plugins.baselines.mean_pool import MeanPoolConfig
    from reelbench.plugins.layers.sentence_search import SentenceSearch


class BlankFiller(nn.Module):
    """The missing word from the clip's mean and the words round the blank."""

    def __init__(self, data: DataInfo, config: MeanPoolConfig) -> None:
        super().__init__()
        self.standardise = Standardise(data.assets["moments"])
        self.see = nn.Linear(data.dim(), config.width)
        self.context = BlankContext(len(data.assets["vocabulary"]), config.word)
        self.head = one_hidden(config.width + self.context.width, config.width, len(data.spaces["answers"]))

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, V)``."""
        video = self.see(self.standardise(batch["video"].data)).relu()
        return self.head(
            torch.cat([video, self.context(batch["words"].data, batch["words"].mask, batch["blank"])], 1)
        )

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy over the answers' vocabulary."""
        return functional.cross_entropy(self(batch), _targets(batch)["answer"])

    def predict(self, batch: Batch, ctx: Context) -> dict[str, Any]:
        """A score an answer."""
        return {"scores": self(batch)}


class Captioner(nn.Module):
    """An LSTM that is shown the clip's mean at every word."""

    def __init__(self, data: DataInfo, config: MeanPoolConfig) -> None:
        super().__init__()
        self.vocabulary = data.assets["vocabulary"]
        self.standardise = Standardise(data.assets["moments"])
        self.see = nn.Linear(data.dim(), config.width)
        self.embed = nn.Embedding(len(self.vocabulary), config.word)
        self.lstm = nn.LSTM(config.word + config.width, config.width, batch_first=True)
        self.head = nn.Linear(config.width, len(self.vocabulary))

    def forward(
        self, video: torch.Tensor, words: torch.Tensor, state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        """Videos as :meth:`watch` sees them ``(B, width)`` and words ``(B, T)`` to logits of the next ``(B, T, V)``."""
        shown = video.unsqueeze(1).expand(-1, words.shape[1], -1)
        states, state = self.lstm(torch.cat([self.embed(words), shown], -1), state)
        return self.head(states), state

    def watch(self, means: torch.Tensor) -> torch.Tensor:
        """Means ``(B, D)`` as the LSTM is shown them, ``(B, width)``."""
        return self.see(self.standardise(means)).relu()

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean cross-entropy of words; padding is none."""
        words = batch["words"].data
        logits, _ = self(self.watch(batch["clips"].data[:, 0]), words[:, :-1])
        return word_loss(logits, words, self.vocabulary.index[PAD])

    def predict(self, batch: Batch, ctx: Context) -> dict[str, Any]:
        """A caption, or one for each clip."""
        clips = batch["clips"]
        spoken = iter(self.speak(clips.data[clips.mask], ctx.settings))
        rows = [[next(spoken) for _ in range(n)] for n in clips.lengths.tolist()]
        return {"captions": rows} if ctx.task == "storytelling" else {"caption": [row[0] for row in rows]}

    def speak(self, means: torch.Tensor, settings: SentenceSearch) -> list[str]:
        """Captions of ``(B, D)``."""
        first = torch.full((len(means),), self.vocabulary.index[START], device=means.device)
        video = self.watch(means)
        memory = video.new_zeros(len(means), self.lstm.hidden_size)
        said = search(self._say, (video, memory, memory), first, self.vocabulary.index[END], settings)
        return [" ".join(self.vocabulary.decode(row)) for row in said]

    def _say(self, words: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        video, hidden, cell = state
        logits, (hidden, cell) = self(video, words.unsqueeze(1), (hidden.unsqueeze(0), cell.unsqueeze(0)))
        return logits[:, 0], (video, hidden[0], cell[0])


class PeopleMatcher(nn.Module):
    """Which tracks are one person, and which track of its clip a mention means."""

    def __init__(self, data: DataInfo, config: MeanPoolConfig) -> None:
        super().__init__()
        self.standardise = Standardise(data.assets["moments"])
        self.pairs = PairScorer(data.dim(), config.word)
        self.see = one_hidden(data.dim(), config.width, config.width)
        self.embed = nn.Embedding(len(data.assets["vocabulary"]), config.word, padding_idx=0)
        self.read = nn.Linear(2 * config.word, config.width)

    def same(self, batch: Batch) -> torch.Tensor:
        """Logits of pairs of tracks: ``(B, K, K)``."""
        return self.pairs(self.standardise(batch["tracks"].data))

    def links(self, batch: Batch) -> torch.Tensor:
        """Scores of each mention's tracks, minus infinity for tracks of other clips: ``(B, M, K)``."""
        words = self.embed(batch["windows"].data)  # (B, M, 2 REACH, word)
        before, after = words.chunk(2, dim=2)
        mentions = self.read(torch.cat([before.mean(2), after.mean(2)], -1))
        scores = mentions @ self.see(self.standardise(batch["tracks"].data)).transpose(1, 2)
        near = batch["mention_clip"].data.unsqueeze(2) == batch["track_clip"].data.unsqueeze(1)
        return scores.masked_fill(~(near & batch["tracks"].mask.unsqueeze(1)), float("-inf"))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy of pairs, and of the tracks of mentions that have one."""
        identities, tracks = _targets(batch)["track_identity"], _targets(batch)["mention_track"]
        shown = tracks.mask & (tracks.data >= 0)
        linking = functional.cross_entropy(self.links(batch)[shown], tracks.data[shown], reduction="sum")
        return link_loss(
            self.same(batch), identities.data, batch["tracks"].mask
        ) + linking / shown.sum().clamp_min(1)

    def predict(self, batch: Batch, ctx: Context) -> dict[str, Any]:
        """A track for each mention, or a table of tracks."""
        if ctx.protocol == "video":
            return {"same": as_tables(torch.sigmoid(self.same(batch)), batch["tracks"].lengths)}
        scores = self.links(batch)
        best = torch.where(scores.amax(-1).isinf(), -1, scores.argmax(-1))  # (B, M)
        return {
            "links": [
                row[:n].tolist() for row, n in zip(best, batch["windows"].lengths.tolist(), strict=True)
            ]
        }


def build(data: DataInfo, config: MeanPoolConfig) -> nn.Module:
    """The network of a head."""
    return {"blanks": BlankFiller, "captions": Captioner, "sets": PeopleMatcher}[config.head](data, config)


def _targets(batch: Batch) -> Any:
    assert batch.targets is not None
    return batch.targets
