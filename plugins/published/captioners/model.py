"""Networks of four captioners, each top to bottom: mean-pool LSTM, soft attention, S2VT and LSTM-E.

Frames come as ``(B, F, D)``, the same number of every clip, so nothing of them is padding. Words come as numbers
``(B, T + 1)`` from the start mark to the end mark; those before the last are read, those after the first are predicted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from reelbench.plugins.gean.gaze_model import gaze_predictor
from reelbench.plugins.layers.decoding import search
from reelbench.plugins.layers.gaze_pooling import gaze_attention, spatial_pool
from reelbench.plugins.layers.recurrent_start import started
from reelbench.plugins.layers.sentences import word_loss
from reelbench.plugins.layers.standardise import Standardise
from reelbench.vocabulary import END, PAD, START

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import DataInfo
    from reelbench.plugins.layers.sentence_search import SentenceSearch
    from reelbench.plugins.published.captioners.method import (
        CaptionerConfig,
        LSTMEConfig,
        SoftAttentionConfig,
    )


class Captioner(nn.Module):
    """What every captioner has: standardised frames, words' vectors, and sentences from scores of the next word."""

    def __init__(self, data: DataInfo, config: CaptionerConfig) -> None:
        super().__init__()
        self.vocabulary = data.assets["vocabulary"]
        self.pad = self.vocabulary.index[PAD]
        self.standardise = Standardise(data.assets["moments"])
        self.embed = nn.Embedding(len(self.vocabulary), config.word)
        self.dropout = nn.Dropout(config.dropout)
        self.gaze = gaze_predictor(data.upstream["gaze"]) if config.gaze else None

    def frames(self, batch: Batch) -> torch.Tensor:
        """Frames of clips ``(B, N, F, D)``; where gaze is learnt, maps pooled by it stand at their end."""
        frames = batch["frames"].data
        if self.gaze is None:
            return frames
        maps, rows = batch["maps"].data.flatten(0, 1), batch["map_rows"].data  # (B N, T, 7, 7, C), (B, N, F)
        pooled = spatial_pool(maps, gaze_attention(self.gaze.gaze_maps(maps)))  # (B N, T, C)
        places = rows.flatten(0, 1).unsqueeze(-1).expand(-1, -1, pooled.shape[-1])
        return torch.cat([frames, pooled.gather(1, places).view(*rows.shape, -1)], -1)

    def forward(self, frames: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Scores of the word after each of ``words`` ``(B, T)``: ``(B, T, V)``."""
        raise NotImplementedError

    def watch(self, frames: torch.Tensor) -> Any:
        """What is remembered before the first word: a nest of tensors, rows first."""
        raise NotImplementedError

    def say(self, words: torch.Tensor, memory: Any) -> tuple[torch.Tensor, Any]:
        """The last words ``(R,)`` to scores of the next ``(R, V)``, and the new memory."""
        raise NotImplementedError

    def loss(self, frames: torch.Tensor, words: torch.Tensor) -> dict[str, torch.Tensor]:
        """The mean over words of the negative log-probability."""
        return {"loss": word_loss(self(frames, words[:, :-1]), words, self.pad)}

    def caption(self, frames: torch.Tensor, settings: SentenceSearch) -> list[str]:
        """A sentence for each clip."""
        return self.spell(self.search(self.watch(frames), len(frames), settings))

    def search(self, memory: Any, rows: int, settings: SentenceSearch) -> list[list[int]]:
        """The words that the search finds from a memory."""
        first = torch.full((rows,), self.vocabulary.index[START], device=self.embed.weight.device)
        return search(self.say, memory, first, self.vocabulary.index[END], settings)

    def spell(self, sentences: list[list[int]]) -> list[str]:
        """Words' numbers as sentences."""
        return [" ".join(self.vocabulary.decode(words)) for words in sentences]


class MeanPoolLSTM(Captioner):
    """Two layers of LSTM that are shown the clip's mean frame with every word (Venugopalan et al., 2015a, §3)."""

    def __init__(self, data: DataInfo, config: CaptionerConfig) -> None:
        super().__init__(data, config)
        self.see = nn.Linear(data.dim(), config.word)
        self.lstm = started(nn.LSTM(2 * config.word, config.hidden, num_layers=2, batch_first=True))
        self.head = nn.Linear(config.hidden, len(self.vocabulary))

    def forward(self, frames: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """``(B, F, D)`` and ``(B, T)`` to ``(B, T, V)``."""
        video = self._mean(frames).unsqueeze(1).expand(-1, words.shape[1], -1)  # (B, T, word)
        states, _ = self.lstm(torch.cat([video, self.embed(words)], -1))
        return self.head(self.dropout(states))

    def watch(self, frames: torch.Tensor) -> Any:
        """The mean frame, and two empty layers."""
        return self._mean(frames), empty(self.lstm, len(frames))

    def say(self, words: torch.Tensor, memory: Any) -> tuple[torch.Tensor, Any]:
        """One more word."""
        video, layers = memory
        state, layers = advance(self.lstm, torch.cat([video, self.embed(words)], -1), layers)
        return self.head(state), (video, layers)

    def _mean(self, frames: torch.Tensor) -> torch.Tensor:
        return self.see(self.standardise(frames).mean(1))  # (B, word)


class TemporalAttention(nn.Module):
    """Weights of frames by what was said so far: ``e_i = w' tanh(W h + U v_i + b)``, softmax over i (Yao et al., §3.2)."""

    def __init__(self, frame: int, state: int, width: int) -> None:
        super().__init__()
        self.of_frame = nn.Linear(frame, width)
        self.of_state = nn.Linear(state, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, frames: torch.Tensor, keys: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """The weighted mean of frames ``(B, F, D)``, whose keys are ``of_frame`` of them: ``(B, D)``."""
        scores = self.score(torch.tanh(keys + self.of_state(state).unsqueeze(1)))  # (B, F, 1)
        return (scores.softmax(1).transpose(1, 2) @ frames).squeeze(1)


class SoftAttention(Captioner):
    """An LSTM that weighs the frames anew for every word (Yao et al., 2015, §2.2 and §3.2)."""

    def __init__(self, data: DataInfo, config: SoftAttentionConfig) -> None:
        super().__init__(data, config)
        frame = data.dim()
        self.attend = TemporalAttention(frame, config.hidden, config.attention)
        self.begin = nn.Linear(frame, 2 * config.hidden)
        self.cell = started(nn.LSTMCell(config.word + frame, config.hidden))
        self.deep = nn.Linear(config.hidden + frame + config.word, config.word)
        self.head = nn.Linear(config.word, len(self.vocabulary))

    def forward(self, frames: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """``(B, F, D)`` and ``(B, T)`` to ``(B, T, V)``."""
        frames, keys, hidden, cell = self.watch(frames)
        spoken = self.embed(words)  # (B, T, word)
        states, contexts = [], []
        for word in spoken.unbind(1):
            context, hidden, cell = self._read(word, frames, keys, hidden, cell)
            states.append(hidden)
            contexts.append(context)
        return self._next(torch.stack(states, 1), torch.stack(contexts, 1), spoken)

    def watch(self, frames: torch.Tensor) -> Any:
        """Frames, their keys, and a state made from the mean frame."""
        frames = self.standardise(frames)
        hidden, cell = torch.tanh(self.begin(frames.mean(1))).chunk(2, 1)
        return frames, self.attend.of_frame(frames), hidden, cell

    def say(self, words: torch.Tensor, memory: Any) -> tuple[torch.Tensor, Any]:
        """One more word."""
        frames, keys, hidden, cell = memory
        word = self.embed(words)
        context, hidden, cell = self._read(word, frames, keys, hidden, cell)
        return self._next(hidden, context, word), (frames, keys, hidden, cell)

    def _read(
        self,
        word: torch.Tensor,
        frames: torch.Tensor,
        keys: torch.Tensor,
        hidden: torch.Tensor,
        cell: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        context = self.attend(frames, keys, hidden)
        hidden, cell = self.cell(torch.cat([word, context], -1), (hidden, cell))
        return context, hidden, cell

    def _next(self, hidden: torch.Tensor, context: torch.Tensor, word: torch.Tensor) -> torch.Tensor:
        """``U tanh(W [h, context, word] + b) + d``."""
        deep = torch.tanh(self.deep(torch.cat([self.dropout(hidden), context, word], -1)))
        return self.head(self.dropout(deep))


class S2VT(Captioner):
    """Two stacked LSTMs that first read all frames, then say all words (Venugopalan et al., 2015b, §3.2).

    The lower layer reads frames, the upper one the lower's states beside words. While frames are read there are no words,
    while words are said there are no frames: zeros stand for both.
    """

    def __init__(self, data: DataInfo, config: CaptionerConfig) -> None:
        super().__init__(data, config)
        self.see = nn.Linear(data.dim(), config.word)
        self.lower = started(nn.LSTM(config.word, config.hidden, batch_first=True))
        self.upper = started(nn.LSTM(config.hidden + config.word, config.hidden, batch_first=True))
        self.head = nn.Linear(config.hidden, len(self.vocabulary))

    def forward(self, frames: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """``(B, F, D)`` and ``(B, T)`` to ``(B, T, V)``."""
        seen, said = self._see(frames), self.embed(words)
        lower, _ = self.lower(torch.cat([seen, torch.zeros_like(said)], 1))  # (B, F + T, hidden)
        beside = torch.cat([torch.zeros_like(seen), said], 1)
        upper, _ = self.upper(torch.cat([lower, beside], -1))
        return self.head(self.dropout(upper[:, frames.shape[1] :]))

    def watch(self, frames: torch.Tensor) -> Any:
        """Both layers after the last frame."""
        seen = self._see(frames)
        states, (hidden, cell) = self.lower(seen)
        _, (upper, upper_cell) = self.upper(torch.cat([states, torch.zeros_like(seen)], -1))
        return tuple(m.transpose(0, 1) for m in (hidden, cell)), tuple(
            m.transpose(0, 1) for m in (upper, upper_cell)
        )

    def say(self, words: torch.Tensor, memory: Any) -> tuple[torch.Tensor, Any]:
        """One more word."""
        lower, upper = memory
        word = self.embed(words)
        state, lower = advance(self.lower, torch.zeros_like(word), lower)
        state, upper = advance(self.upper, torch.cat([state, word], -1), upper)
        return self.head(state), (lower, upper)

    def _see(self, frames: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.see(self.standardise(frames)))  # (B, F, word)


class LSTME(Captioner):
    """An LSTM begun by the video in a space where it lies near its sentence (Pan et al., 2016, §3).

    The space is that of words: ``embed`` maps a word to the LSTM's input, and a sentence, the sum of its words, beside
    its video.
    """

    def __init__(self, data: DataInfo, config: LSTMEConfig) -> None:
        super().__init__(data, config)
        self.coherence = config.coherence
        nn.init.uniform_(
            self.embed.weight, -0.1, 0.1
        )  # a sum of words starts near the video, not far beyond it
        self.see = nn.Linear(data.dim(), config.word)
        self.lstm = started(nn.LSTM(config.word, config.hidden, batch_first=True))
        self.head = nn.Linear(config.hidden, len(self.vocabulary))

    def forward(self, frames: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """``(B, F, D)`` and ``(B, T)`` to ``(B, T, V)``."""
        read = torch.cat([self.project(frames).unsqueeze(1), self.embed(words)], 1)  # (B, 1 + T, word)
        states, _ = self.lstm(read)
        return self.head(self.dropout(states[:, 1:]))

    def loss(self, frames: torch.Tensor, words: torch.Tensor) -> dict[str, torch.Tensor]:
        """``(1 - lambda) relevance + lambda coherence``, both of a sentence, averaged over the batch."""
        sentences = len(words)
        coherence = super().loss(frames, words)["loss"] * (words[:, 1:] != self.pad).sum() / sentences
        relevance = self.relevance(frames, words)
        total = (1 - self.coherence) * relevance + self.coherence * coherence
        return {"loss": total, "relevance": relevance, "coherence": coherence}

    def relevance(self, frames: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """The squared distance of video and sentence, ``|T_v v - T_s s|^2``, where s counts words without marks."""
        marks = torch.tensor([self.vocabulary.index[m] for m in (PAD, START, END)], device=words.device)
        said = (~torch.isin(words, marks)).unsqueeze(-1)
        sentence = (self.embed(words) * said).sum(1)  # (B, word)
        return (self.project(frames) - sentence).square().sum(1).mean()

    def project(self, frames: torch.Tensor) -> torch.Tensor:
        """The mean frame in the space of words, ``T_v v``: ``(B, word)``."""
        return self.see(self.standardise(frames).mean(1))

    def watch(self, frames: torch.Tensor) -> Any:
        """The LSTM after the video."""
        return advance(self.lstm, self.project(frames), empty(self.lstm, len(frames)))[1]

    def say(self, words: torch.Tensor, memory: Any) -> tuple[torch.Tensor, Any]:
        """One more word."""
        state, memory = advance(self.lstm, self.embed(words), memory)
        return self.head(state), memory


Memory = tuple[torch.Tensor, ...]
"""States and cells of an LSTM's layers, rows first: ``(R, layers, hidden)`` each."""


def empty(lstm: nn.LSTM, rows: int) -> Memory:
    """The memory of an LSTM that has read nothing."""
    zeros = next(lstm.parameters()).new_zeros(rows, lstm.num_layers, lstm.hidden_size)
    return zeros, zeros


def advance(lstm: nn.LSTM, inputs: torch.Tensor, memory: Memory) -> tuple[torch.Tensor, Memory]:
    """One step of an LSTM over ``(R, C)``: the top layer's states ``(R, hidden)``, and the memory after it."""
    hidden, cell = (m.transpose(0, 1).contiguous() for m in memory)
    states, memory = lstm(inputs.unsqueeze(1), (hidden, cell))
    return states[:, 0], tuple(m.transpose(0, 1) for m in memory)
