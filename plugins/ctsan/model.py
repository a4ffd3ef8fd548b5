"""CT-SAN (§4.2.3 to §4.2.7): semantic attention to detected concept words, and the four models that use it.

Sizes in comments: ``N`` frames, ``T`` words, ``K`` concepts, ``d`` of a word's vector, ``D`` of a state; ``R`` rows, which
are videos, or pairs of a video and a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from reelbench.plugins.ctsan.detector import ConceptDetector, FrameGrid
from reelbench.plugins.ctsan.recurrence import DeepLSTM, SentenceReader, State
from reelbench.plugins.layers.recurrence import reverse_valid
from reelbench.plugins.layers.recurrent_start import LASTING
from reelbench.plugins.layers.standardise import Standardise
from reelbench.vocabulary import PAD

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import DataInfo
    from reelbench.plugins.ctsan.method import CTSANConfig


RARE = -3.0  # a detector starts from hardly any candidate being said of a video
SHARP = 3.0  # of attention between word vectors of about unit length


@dataclass(frozen=True)
class Seen:
    """What is known of ``R`` videos: the encoder's last states, a layer each; concept words' vectors ``(R, K, d)``."""

    states: list[State]
    concepts: torch.Tensor | None

    @property
    def state(self) -> torch.Tensor:
        """``s_N``, the last layer's: ``(R, D)``."""
        return self.states[-1][0]

    def rows(self, numbers: torch.Tensor) -> Seen:
        """Videos by number ``(R',)``, again and again where a number repeats."""
        states = [(h[numbers], c[numbers]) for h, c in self.states]
        return Seen(states, None if self.concepts is None else self.concepts[numbers])


class InputAttention(nn.Module):
    """``phi`` (Eq. 4.9 and 4.10): each word with what it attends to among the concepts; without concepts ``W_x`` alone."""

    def __init__(self, word: int, outputs: int, *, attends: bool) -> None:
        super().__init__()
        self.w_x = nn.Linear(word, outputs, bias=False)
        self.w_gamma = nn.Linear(word, word, bias=False) if attends else None
        self.scale = nn.Parameter(torch.ones(word)) if attends else None

    @torch.no_grad()
    def start_from_equal_words(self, scale: float) -> None:
        """Let a word attend to itself where it is among the concepts; at a scale of -1 it is then taken from itself."""
        if self.w_gamma is not None and self.scale is not None:
            nn.init.eye_(self.w_gamma.weight).mul_(SHARP)
            self.scale.fill_(scale)

    def forward(
        self, words: torch.Tensor, concepts: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Word vectors ``(R, T, d)`` and concepts ``(R, K, d)`` to ``x`` ``(R, T, D)`` and ``gamma`` ``(R, T, K)``."""
        if self.w_gamma is None or self.scale is None or concepts is None:
            return self.w_x(words), None
        gamma = (words @ self.w_gamma(concepts).transpose(1, 2)).softmax(-1)
        return self.w_x(words + self.scale * (gamma @ concepts)), gamma


class OutputAttention(nn.Module):
    """``varphi`` (Eq. 4.11 and 4.12): a state with what it attends to among the concepts; without them the state alone."""

    def __init__(self, word: int, width: int, *, attends: bool) -> None:
        super().__init__()
        self.w_beta = nn.Linear(word, width, bias=False) if attends else None
        self.scale = nn.Parameter(torch.ones(width)) if attends else None

    def forward(
        self, h: torch.Tensor, concepts: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """States ``(R, T, D)`` and concepts ``(R, K, d)`` to ``p`` ``(R, T, D)`` and ``beta`` ``(R, T, K)``."""
        if self.w_beta is None or self.scale is None or concepts is None:
            return h, None
        values = self.w_beta(concepts.tanh())  # (R, K, D)
        beta = (h @ values.transpose(1, 2)).softmax(-1)
        return h + self.scale * (beta @ values), beta


class Watcher(nn.Module):
    """What the four models share: word vectors, the grid, the concept detector and the video encoder (Eq. 4.7)."""

    candidates: torch.Tensor
    found_word: ClassVar[float | None] = None
    """The scale from which input attention starts on equal words; ``None``: it starts as drawn."""

    def __init__(self, data: DataInfo, config: CTSANConfig) -> None:
        super().__init__()
        vocabulary, concepts = data.assets["vocabulary"], data.assets["concepts"]
        self.count = min(config.concept_words, len(concepts))
        self.embed = nn.Embedding(len(vocabulary), config.word, padding_idx=vocabulary.index[PAD])
        self.grid = FrameGrid(data, config)
        self.detector = ConceptDetector(config, self.grid.side, len(concepts)) if config.concepts else None
        beside = data.dim(*config.vectors) if config.vectors else 0
        self.standardise = Standardise(data.assets["moments"]) if beside else None
        self.video = _frames_lstm(config, config.grid + beside)
        self.register_buffer("candidates", torch.as_tensor(vocabulary.encode(concepts)), persistent=False)
        self.attend_input = InputAttention(config.word, config.hidden, attends=config.attends_input)

    def watch(self, batch: Batch) -> tuple[Seen, torch.Tensor | None]:
        """The videos of a batch, and the detector's logits ``(B, V)``."""
        maps, mask = batch["maps"].data, batch["maps"].mask
        vectors = None if self.standardise is None else self.standardise(batch["vectors"].data)
        grid = self.grid(maps, vectors)
        frames = grid.mean(2) if vectors is None else torch.cat([grid.mean(2), vectors], -1)
        logits = None if self.detector is None else self.detector(grid, mask)
        return Seen(self.video(frames, mask)[1], self.best_concepts(logits)), logits

    def keep(self, batch: Batch) -> dict[str, torch.Tensor]:
        """What of a gallery's videos is kept: ``s_N`` ``(B, D)``, and the concepts' vectors ``(B, K, d)``."""
        seen, _ = self.watch(batch)
        return {"state": seen.state} | ({} if seen.concepts is None else {"concepts": seen.concepts})

    def best_concepts(self, logits: torch.Tensor | None) -> torch.Tensor | None:
        """Vectors of the ``K`` words of the highest probability: ``(B, K, d)``."""
        if logits is None:
            return None
        return self.embed(self.candidates[logits.topk(self.count, 1).indices])


def _frames_lstm(config: CTSANConfig, inputs: int) -> DeepLSTM:
    """The video encoder of a fit's width and kind."""
    return DeepLSTM(inputs, config.hidden, config.layers, config.dropout, normalise=config.layer_norm)


def _words_lstm(config: CTSANConfig, layers: int) -> DeepLSTM:
    """An LSTM of words that starts from a video."""
    return DeepLSTM(
        config.hidden, config.hidden, layers, config.dropout, normalise=config.layer_norm, forget=LASTING
    )


class Describer(Watcher):
    """The model for description (§4.2.4)."""

    def __init__(self, data: DataInfo, config: CTSANConfig) -> None:
        super().__init__(data, config)
        self.decoder = _words_lstm(config, config.layers)
        self.attend_output = OutputAttention(config.word, config.hidden, attends=config.attends_output)
        self.w_y = nn.Linear(config.hidden, len(data.assets["vocabulary"]))

    def forward(
        self, words: torch.Tensor, mask: torch.Tensor, seen: Seen
    ) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        """Logits of the words after ``words`` ``(R, T)``: ``(R, T, |V|)`` (Eq. 4.13), and both attentions' weights."""
        logits, weights, _ = self.advance(words, mask, seen)
        return logits, weights

    def advance(
        self, words: torch.Tensor, mask: torch.Tensor, seen: Seen
    ) -> tuple[torch.Tensor, list[torch.Tensor | None], Seen]:
        """The same, and what is known after the last word: the decoder's states stand where the encoder's were."""
        x, gamma = self.attend_input(self.embed(words), seen.concepts)
        h, states = self.decoder(x, mask, seen.states)
        p, beta = self.attend_output(h, seen.concepts)
        return self.w_y(p), [gamma, beta], Seen(states, seen.concepts)


class Filler(Watcher):
    """The model for a blank (§4.2.5): both directions start from the video."""

    found_word = 1.0

    def __init__(self, data: DataInfo, config: CTSANConfig) -> None:
        super().__init__(data, config)
        self.onward, self.back = _words_lstm(config, 1), _words_lstm(config, 1)
        self.w_o = nn.Linear(2 * config.hidden, config.hidden)
        self.attend_output = OutputAttention(config.word, config.hidden, attends=config.attends_output)
        self.w_y = nn.Linear(config.hidden, len(data.spaces["answers"]))

    def forward(
        self, words: torch.Tensor, mask: torch.Tensor, blank: torch.Tensor, seen: Seen
    ) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        """Logits of the answers for the word at ``blank`` ``(R,)`` of ``(R, T)``: ``(R, A)`` (Eq. 4.16 to 4.19)."""
        x, gamma = self.attend_input(self.embed(words), seen.concepts)
        forward, _ = self.onward(x, mask, seen.states[-1:])
        backward, _ = self.back(reverse_valid(x, mask), mask, seen.states[-1:])
        at = (torch.arange(len(x), device=x.device), blank)
        both = torch.cat([forward[at], reverse_valid(backward, mask)[at]], -1)
        p, beta = self.attend_output(torch.tanh(self.w_o(both)).unsqueeze(1), seen.concepts)
        return self.w_y(p.squeeze(1)), [gamma, beta]


class Chooser(Watcher):
    """The model for multiple choice (§4.2.6): the sentence's LSTM starts from the video."""

    found_word = -1.0

    def __init__(self, data: DataInfo, config: CTSANConfig) -> None:
        super().__init__(data, config)
        self.read = SentenceReader(config.hidden, config.dropout)
        self.w_a = nn.Linear(config.hidden, config.hidden)
        self.w_s = nn.Linear(config.hidden, 1, bias=False)

    def forward(
        self, words: torch.Tensor, mask: torch.Tensor, seen: Seen
    ) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        """Scores of pairs of a sentence ``(R, T)`` and a video: ``(R,)`` (Eq. 4.21 and 4.22)."""
        x, gamma = self.attend_input(self.embed(words), seen.concepts)
        joint = self.read(x, mask, seen.states[-1])
        return self.w_s(self.w_a(joint).relu()).squeeze(-1), [gamma]


class CompactBilinear(nn.Module):
    """``nu`` (Eq. 4.25): a count sketch of the outer product of two vectors. Source: Fukui et al., EMNLP 2016, Algorithm 1."""

    places: torch.Tensor
    signs: torch.Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs
        self.register_buffer("places", torch.randint(outputs, (2, inputs)))
        self.register_buffer("signs", torch.randint(2, (2, inputs)) * 2.0 - 1.0)

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """``(R, D)`` twice to ``(R, outputs)``."""
        product = torch.fft.rfft(self.sketch(left, 0)) * torch.fft.rfft(self.sketch(right, 1))
        return torch.fft.irfft(product, n=self.outputs)

    def sketch(self, x: torch.Tensor, side: int) -> torch.Tensor:
        """Each entry, with its sign, added to its place: ``(R, D)`` to ``(R, outputs)``."""
        empty = x.new_zeros(len(x), self.outputs)
        return empty.index_add(1, self.places[side], x * self.signs[side])


class Retriever(Watcher):
    """The model for retrieval (§4.2.7): the query, read with the video's concepts, pooled with the video's state."""

    found_word = -1.0

    def __init__(self, data: DataInfo, config: CTSANConfig) -> None:
        super().__init__(data, config)
        self.read = SentenceReader(config.hidden, config.dropout)
        self.pool = CompactBilinear(config.hidden, config.sketch)
        self.w_p = nn.Linear(config.sketch, config.maxout * config.pieces)
        self.w_s = nn.Linear(config.maxout, 1, bias=False)

    def forward(
        self, words: torch.Tensor, mask: torch.Tensor, seen: Seen
    ) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        """Scores of pairs of a query ``(R, T)`` and a video: ``(R,)`` (Eq. 4.24 and 4.25)."""
        x, gamma = self.attend_input(self.embed(words), seen.concepts)
        joint = self.w_p(self.pool(seen.state, self.read(x, mask)))
        return self.w_s(joint.view(len(joint), self.w_s.in_features, -1).amax(-1)).squeeze(-1), [gamma]


MODELS: dict[str, type[Watcher]] = {
    "captions": Describer,
    "blanks": Filler,
    "choices": Chooser,
    "retrieval": Retriever,
}


def build(data: DataInfo, config: CTSANConfig) -> Watcher:
    """The model of a recipe, with the first weights that the authors' code draws (Glorot's), recurrences orthogonal."""
    model = MODELS[config.head](data, config)
    for part in model.modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            nn.init.xavier_normal_(part.weight)
    for name, weight in model.named_parameters():
        if name.endswith(".u.weight"):
            nn.init.orthogonal_(weight)
    with torch.no_grad():
        model.embed.weight *= config.word**-0.5  # attention starts even
        if model.detector is not None:
            model.detector.read.bias.fill_(RARE)
        if model.found_word is not None:
            model.attend_input.start_from_equal_words(model.found_word)
    return model
