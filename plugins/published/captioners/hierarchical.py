"""h-RNN: a sentence generator whose first state is set by a paragraph generator (Yu et al., 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from reelbench.plugins.layers.recurrent_start import started
from reelbench.plugins.layers.sentences import word_loss
from reelbench.plugins.published.captioners.model import Captioner
from reelbench.vocabulary import END, START

if TYPE_CHECKING:
    from reelbench.method import DataInfo
    from reelbench.plugins.layers.sentence_search import SentenceSearch
    from reelbench.plugins.published.captioners.method import HRNNConfig


def scaled_tanh(x: torch.Tensor) -> torch.Tensor:
    """``1.7159 tanh(2x / 3)``, the paper's activation."""
    return 1.7159 * torch.tanh(x * (2 / 3))


class ChannelAttention(nn.Module):
    """Weights of one channel's frames by the sentence so far (§3.1): ``softmax_i(w' stanh(W v_i + U h + b))``."""

    def __init__(self, frame: int, state: int, width: int) -> None:
        super().__init__()
        self.of_frame = nn.Linear(frame, width)
        self.of_state = nn.Linear(state, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, frames: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """Frames ``(B, F, C)`` and states ``(B, T, H)`` to a mean of frames at every step ``(B, T, C)``."""
        keys = self.of_frame(frames).unsqueeze(1) + self.of_state(states).unsqueeze(2)  # (B, T, F, width)
        weights = self.score(scaled_tanh(keys)).squeeze(-1).softmax(-1)  # (B, T, F)
        return weights @ frames


class SentenceGenerator(nn.Module):
    """A GRU over words, attention to each channel of features, a multimodal and a hidden layer (§3.1)."""

    def __init__(self, channels: Sequence[int], vocabulary: int, config: HRNNConfig) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.gru = started(nn.GRU(config.word, config.hidden, batch_first=True))
        self.attend = nn.ModuleList(
            ChannelAttention(c, config.hidden, config.attention) for c in self.channels
        )
        self.multimodal = nn.Linear(config.hidden + sum(self.channels), config.multimodal)
        self.hidden = nn.Linear(config.multimodal, config.word)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.word, vocabulary)

    def forward(
        self, frames: torch.Tensor, words: torch.Tensor, begin: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores of next words and the GRU's states.

        Parameters
        ----------
        frames
            ``(B, F, D)``, channels side by side.
        words
            Vectors of words ``(B, T, word)``.
        begin
            The GRU's first state ``(B, H)``.

        Returns
        -------
        (Tensor, Tensor)
            ``(B, T, V)`` and ``(B, T, H)``.
        """
        states, _ = self.gru(words, begin.unsqueeze(0).contiguous())
        before = torch.cat([begin.unsqueeze(1), states[:, :-1]], 1)  # attention is by the state before a word
        seen = [
            attend(channel, before)
            for attend, channel in zip(self.attend, frames.split_with_sizes(self.channels, -1), strict=True)
        ]
        mixed = self.dropout(scaled_tanh(self.multimodal(torch.cat([states, *seen], -1))))
        return self.head(self.dropout(scaled_tanh(self.hidden(mixed)))), states


class ParagraphGenerator(nn.Module):
    """A GRU over sentences, which sets the first state of the next sentence (§3.2)."""

    def __init__(self, config: HRNNConfig) -> None:
        super().__init__()
        self.sentence = nn.Linear(config.word + config.hidden, config.paragraph)
        self.gru = started(nn.GRUCell(config.paragraph, config.paragraph))
        self.next = nn.Linear(2 * config.paragraph, config.hidden)

    def forward(
        self, mean_word: torch.Tensor, last: torch.Tensor, history: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A said sentence to the next one's first state ``(B, H)``, and the paragraph's state ``(B, P)``.

        ``mean_word`` is the mean of its words' vectors, ``last`` the sentence generator's state after its last word.
        """
        sentence = scaled_tanh(self.sentence(torch.cat([mean_word, last], -1)))
        history = self.gru(sentence, history)
        return scaled_tanh(self.next(torch.cat([history, sentence], -1))), history


class HierarchicalRNN(Captioner):
    """Sentences one after the other, each begun from what the paragraph has said; a caption is a paragraph of one."""

    def __init__(self, data: DataInfo, config: HRNNConfig) -> None:
        super().__init__(data, config)
        channels = [data.dim(name) for name in data.features]
        self.sentence = SentenceGenerator(channels, len(self.vocabulary), config)
        self.paragraph = ParagraphGenerator(config)

    def loss(self, frames: torch.Tensor, words: torch.Tensor) -> dict[str, torch.Tensor]:
        """Mean cross-entropy over all words of paragraphs ``(B, N, T + 1)`` of clips ``(B, N, F, D)``."""
        seen = self.standardise(frames)
        begin, history = self.first(len(frames))
        scores = []
        for clip, sentence in zip(seen.unbind(1), words.unbind(1), strict=True):
            logits, states = self.sentence(clip, self.embed(sentence[:, :-1]), begin)
            scores.append(logits)
            begin, history = self.paragraph(*self.said(sentence[:, :-1], states), history)
        return {"loss": word_loss(torch.cat(scores), torch.cat(words.unbind(1)), self.pad)}

    def first(self, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The states of both generators before anything is said: zeros."""
        weight = self.embed.weight
        return weight.new_zeros(rows, self.sentence.gru.hidden_size), weight.new_zeros(
            rows, self.paragraph.gru.hidden_size
        )

    def said(self, read: torch.Tensor, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of sentences read ``(B, T)`` with their states: the mean word ``(B, word)``, the state at the last ``(B, H)``."""
        marks = torch.tensor(
            [self.pad, *(self.vocabulary.index[m] for m in (START, END))], device=read.device
        )
        words = ~torch.isin(read, marks)  # (B, T)
        count = words.sum(1, keepdim=True)
        mean = (self.embed(read) * words.unsqueeze(-1)).sum(1) / count.clamp_min(1)
        last = states.gather(
            1, count.unsqueeze(-1).expand(-1, -1, states.shape[-1])
        )  # the start mark is at 0
        return mean, last.squeeze(1)

    def write(self, frames: torch.Tensor, settings: SentenceSearch) -> list[list[str]]:
        """A sentence for each clip of stories ``(B, N, F, D)``, said one after the other."""
        seen = self.standardise(frames)
        begin, history = self.first(len(frames))
        stories = []
        for clip in seen.unbind(1):
            sentences = self.search((clip, begin), len(clip), settings)
            stories.append(self.spell(sentences))
            read = self._as_rows(sentences)
            _, states = self.sentence(clip, self.embed(read), begin)
            begin, history = self.paragraph(*self.said(read, states), history)
        return [list(story) for story in zip(*stories, strict=True)]

    def say(self, words: torch.Tensor, memory: Any) -> tuple[torch.Tensor, Any]:
        """One more word."""
        clip, state = memory
        logits, states = self.sentence(clip, self.embed(words).unsqueeze(1), state)
        return logits[:, 0], (clip, states[:, 0])

    def _as_rows(self, sentences: list[list[int]]) -> torch.Tensor:
        """Sentences after their start mark, padded: ``(B, 1 + T)``."""
        start, longest = self.vocabulary.index[START], max(map(len, sentences))
        rows = [[start, *words, *[self.pad] * (longest - len(words))] for words in sentences]
        return torch.tensor(rows, device=self.embed.weight.device)
