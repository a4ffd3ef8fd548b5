"""Networks of two storytellers without a pretrained language model, each top to bottom.

Clips come as segments ``(B, C, M, D)`` of ``valid`` clips ``(B, C)``, words as ``(B, C, T + 1)`` between marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.decoding import search
from reelbench.plugins.layers.embedding import word_embedding
from reelbench.plugins.layers.recurrence import reverse_valid
from reelbench.plugins.layers.sentences import word_loss
from reelbench.plugins.layers.standardise import Standardise
from reelbench.vocabulary import END, PAD, START, Vocabulary

if TYPE_CHECKING:
    from reelbench.method import DataInfo
    from reelbench.plugins.layers.sentence_search import SentenceSearch
    from reelbench.plugins.published.storytellers.method import StorytellerConfig


class Storyteller(nn.Module):
    """Standardised segments, words' vectors, and a head of word scores."""

    def __init__(self, data: DataInfo, config: StorytellerConfig) -> None:
        super().__init__()
        self.vocabulary: Vocabulary = data.assets["vocabulary"]
        self.pad, self.start, self.end = (self.vocabulary.index[m] for m in (PAD, START, END))
        self.standardise = Standardise(data.assets["moments"])
        self.embed = word_embedding(data, config.word)
        self.head = nn.Linear(config.hidden, len(self.vocabulary))
        self.dropout = nn.Dropout(config.dropout)

    def search(self, step: Any, memory: Any, rows: int, settings: SentenceSearch) -> list[list[int]]:
        """The words that the search finds for each row."""
        first = torch.full((rows,), self.start, device=self.head.weight.device)
        return search(step, memory, first, self.end, settings)

    def spell(self, words: list[int]) -> str:
        """Words' numbers as a sentence."""
        return " ".join(self.vocabulary.decode(words))


class StoryXE(Storyteller):
    """A bidirectional GRU over the clips of a story, added to each clip's own vector; a GRU decoder that sees the sum at every word."""

    def __init__(self, data: DataInfo, config: StorytellerConfig) -> None:
        super().__init__(data, config)
        self.see = nn.Linear(data.dim(), config.hidden)
        self.onward = nn.GRU(config.hidden, config.hidden // 2, batch_first=True)
        self.back = nn.GRU(config.hidden, config.hidden // 2, batch_first=True)
        self.decode = nn.GRU(config.word + config.hidden, config.hidden, batch_first=True)

    def encode(self, segments: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """A context for each clip: ``(B, C, H)``."""
        clips = self.see(self.standardise(segments).mean(2))  # (B, C, H)
        backward = reverse_valid(self.back(reverse_valid(clips, valid))[0], valid)
        return functional.relu(clips + torch.cat([self.onward(clips)[0], backward], -1))

    def say(self, words: torch.Tensor, memory: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, Any]:
        """The last words ``(R,)`` to scores of the next ``(R, V)``; memory is a clip's context and the decoder's state."""
        context, state = memory
        states, _ = self.decode(self._input(words[:, None], context), state[None])
        return self.head(states[:, 0]), (context, states[:, 0])

    def loss(self, segments: torch.Tensor, valid: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """The mean over words of the negative log-probability."""
        context, said = self.encode(segments, valid)[valid], words[valid]  # (R, H), (R, T + 1)
        states, _ = self.decode(self._input(said[:, :-1], context))
        return word_loss(self.head(self.dropout(states)), said, self.pad)

    def tell(self, segments: torch.Tensor, valid: torch.Tensor, settings: SentenceSearch) -> list[list[str]]:
        """Sentences of every clip, padded ones too."""
        context = self.encode(segments, valid).flatten(0, 1)  # (B C, H)
        said = self.search(self.say, (context, torch.zeros_like(context)), len(context), settings)
        sentences, clips = [self.spell(words) for words in said], valid.shape[1]
        return [sentences[i : i + clips] for i in range(0, len(sentences), clips)]

    def _input(self, words: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        shown = context.unsqueeze(1).expand(-1, words.shape[1], -1)
        return self.dropout(torch.cat([self.embed(words), shown], -1))


class MultiSentence(Storyteller):
    """An LSTM fed with a word, the segments it attends to, and the last state of the story's sentence before."""

    def __init__(self, data: DataInfo, config: StorytellerConfig) -> None:
        super().__init__(data, config)
        hidden = config.hidden
        self.see = nn.Linear(data.dim(), hidden)
        self.key, self.query, self.weigh = (
            nn.Linear(hidden, hidden),
            nn.Linear(hidden, hidden, bias=False),
            nn.Linear(hidden, 1, bias=False),
        )
        self.cell = nn.LSTMCell(config.word + 2 * hidden, hidden)

    def say(self, words: torch.Tensor, memory: dict[str, torch.Tensor]) -> tuple[torch.Tensor, Any]:
        """The last words ``(R,)`` to scores of the next ``(R, V)``."""
        state = self._step(self.embed(words), memory)
        return self.head(self.dropout(state["hidden"])), state

    def loss(self, segments: torch.Tensor, valid: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """The mean over words of the negative log-probability; each sentence begins from the true one before."""
        before, scores = None, []
        for clip in range(words.shape[1]):
            memory, states, said = self._watch(segments[:, clip], before), [], words[:, clip]
            for vector in self.embed(said[:, :-1]).unbind(1):
                memory = self._step(vector, memory)
                states.append(memory["hidden"])
            told = torch.stack(states, 1)  # (B, T, H)
            scores.append(self.head(self.dropout(told)))
            last = (said[:, 1:] != self.pad).sum(1).sub(1).clamp_min(0)  # where the end mark is predicted
            before = told[torch.arange(len(told), device=told.device), last]
        return word_loss(torch.stack(scores, 1).flatten(0, 1), words.flatten(0, 1), self.pad)

    def tell(self, segments: torch.Tensor, valid: torch.Tensor, settings: SentenceSearch) -> list[list[str]]:
        """Sentences of every clip, padded ones too; each begins from what was said before."""
        before, stories = None, [list[str]() for _ in valid]
        for clip in range(valid.shape[1]):
            memory = self._watch(segments[:, clip], before)
            said = self.search(self.say, memory, len(valid), settings)
            before = self._reread(said, memory)
            for story, words in zip(stories, said, strict=True):
                story.append(self.spell(words))
        return stories

    def _watch(self, segments: torch.Tensor, before: torch.Tensor | None) -> dict[str, torch.Tensor]:
        """Memory before a sentence: the clip's segments, the last state of the sentence before (zero at first), an empty state."""
        seen = functional.relu(self.see(self.standardise(segments)))  # (B, M, H)
        nothing = seen.new_zeros(len(seen), seen.shape[-1])
        return {
            "seen": seen,
            "keys": self.key(seen),
            "before": nothing if before is None else before,
            "hidden": nothing,
            "cell": nothing,
        }

    def _step(self, vectors: torch.Tensor, memory: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """One word further: words' vectors ``(R, W)``."""
        asked = self.query(memory["hidden"]).unsqueeze(1)
        weights = self.weigh(torch.tanh(memory["keys"] + asked)).softmax(1)  # (R, M, 1)
        read = (weights * memory["seen"]).sum(1)
        x = self.dropout(torch.cat([vectors, read, memory["before"]], -1))
        hidden, cell = self.cell(x, (memory["hidden"], memory["cell"]))
        return {**memory, "hidden": hidden, "cell": cell}

    def _reread(self, said: list[list[int]], memory: dict[str, torch.Tensor]) -> torch.Tensor:
        """The state in which each sentence ended: ``(B, H)``."""
        lengths = torch.tensor([len(words) for words in said], device=self.head.weight.device)
        padded = torch.full((len(said), int(lengths.max()) + 1), self.pad, device=lengths.device)
        padded[:, 0] = self.start
        for row, words in zip(padded, said, strict=True):
            row[1 : len(words) + 1] = torch.tensor(words, device=lengths.device, dtype=row.dtype)
        states = []
        for vector in self.embed(padded).unbind(1):
            memory = self._step(vector, memory)
            states.append(memory["hidden"])
        return torch.stack(states, 1)[torch.arange(len(said), device=lengths.device), lengths]
