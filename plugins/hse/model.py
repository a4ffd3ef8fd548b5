"""The networks of HSE: two towers of two encoders each, their decoders, and what is trained on top of the embeddings.

Equations are those of Zhang, Hu and Sha, "Cross-Modal and Hierarchical Modeling of Video and Text", ECCV 2018. A tower
reads a *whole* (a video, a paragraph) of *parts* (clips, sentences) of *steps* (frames, words): the axes of its input
``(B, N, T, C)``. Its mask ``(B, N, T)`` is ``False`` at missing steps and all over missing parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.layers.packing import unpack_rows
from reelbench.plugins.layers.recurrence import last_step
from reelbench.plugins.layers.recurrent_start import started
from reelbench.plugins.layers.standardise import Standardise
from reelbench.vocabulary import PAD

if TYPE_CHECKING:
    from reelbench.batching import Padded
    from reelbench.method import DataInfo
    from reelbench.plugins.hse.method import HSEConfig


class SequenceEncoder(nn.Module):
    """``ENC`` of Eq. 1 and 3: one layer of GRU, of which the last state is the embedding, or the maximum over time."""

    def __init__(
        self, inputs: int, width: int, readout: Literal["last", "max"], remember: float = 0.0
    ) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, width, batch_first=True)
        self.readout = readout
        with torch.no_grad():  # torch keeps the gates in the order reset, update, new
            cast("torch.Tensor", self.gru.bias_hh_l0)[width : 2 * width] = remember

    def forward(self, x: torch.Tensor, mask: torch.Tensor, start: torch.Tensor | None = None) -> torch.Tensor:
        """``(R, T, C)`` with at least one valid step a row, and a first state ``(R, width)``, to ``(R, width)``."""
        states = self.gru(x, None if start is None else start.unsqueeze(0))[0]  # (R, T, width)
        if self.readout == "max":
            return states.masked_fill(~mask.unsqueeze(-1), float("-inf")).amax(1)
        return last_step(states, mask.sum(1))


class SequenceDecoder(nn.Module):
    """``DEC`` of Eq. 8 and 9: a GRU that is told its vector at every step; steps of data are read off its states."""

    def __init__(self, width: int, outputs: int | None = None) -> None:
        super().__init__()
        self.gru = nn.GRU(width, width, batch_first=True)
        self.read = nn.Identity() if outputs is None else nn.Linear(width, outputs)

    def forward(self, vector: torch.Tensor, steps: int) -> torch.Tensor:
        """``(R, width)`` to ``(R, steps, outputs)``."""
        return self.read(self.gru(vector.unsqueeze(1).expand(-1, steps, -1))[0])


@dataclass(frozen=True)
class Embedding:
    """What a tower makes of a batch. The flat model has neither parts nor context."""

    whole: torch.Tensor
    """``v`` or ``p``: ``(B, width)``."""
    parts: torch.Tensor
    """``c_i`` or ``s_i`` of every part there is: ``(P, width)``."""
    context: torch.Tensor | None
    """The steps of all parts, read in a row: ``(B, width)``."""


class Tower(nn.Module):
    """``ENC^(1)`` on the steps of each part, ``ENC^(2)`` on the parts (Eq. 3); flat: one encoder on all steps (Eq. 1)."""

    def __init__(self, inputs: int, config: HSEConfig) -> None:
        super().__init__()
        shape = (config.width, config.readout, config.remember)
        self.steps = SequenceEncoder(inputs, *shape)
        self.parts = SequenceEncoder(config.width, *shape) if config.hierarchy else None
        self.with_context = config.context

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> Embedding:
        """``(B, N, T, C)`` under ``(B, N, T)``."""
        if self.parts is None:
            whole = self.steps(*in_a_row(x, mask))
            return Embedding(whole, whole[:0], None)
        there = mask.any(-1)  # (B, N)
        context = self.steps(*in_a_row(x, mask)) if self.with_context else None
        parts = self.steps(x[there], mask[there])  # (P, width)
        return Embedding(self.parts(unpack_rows(parts, there), there, context), parts, context)

    def part(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Low-level embeddings of single clips or sentences: ``(R, T, C)`` to ``(R, width)``."""
        return self.steps(x, mask)


def in_a_row(x: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The valid steps of all parts as one sequence: ``(B, N, T, C)`` to ``(B, L, C)`` and a mask ``(B, L)``."""
    flat = mask.flatten(1)  # (B, N T)
    longest = int(flat.sum(1).max())
    order = (~flat).int().argsort(dim=1, stable=True)[:, :longest]
    steps = x.flatten(1, 2).gather(1, order.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
    return steps, flat.gather(1, order)


class TowerDecoder(nn.Module):
    """``DEC^(2)`` from the whole to its parts (Eq. 8), ``DEC^(1)`` from each generated part to its steps (Eq. 9)."""

    def __init__(self, outputs: int, config: HSEConfig) -> None:
        super().__init__()
        self.parts = SequenceDecoder(config.width)
        self.steps = SequenceDecoder(config.width, outputs)

    def forward(self, whole: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``(B, width)`` to generated parts ``(P, width)`` and their steps ``(P, T, C)``."""
        parts = self.parts(whole, mask.shape[1])[mask.any(-1)]
        return parts, self.steps(parts, mask.shape[2])


class Matcher(nn.Module):
    """The two towers that training brings together, and the decoders that keep them informed."""

    def __init__(self, data: DataInfo, config: HSEConfig) -> None:
        super().__init__()
        vectors = torch.as_tensor(data.assets["vectors"])  # (V, word)
        self.standardise = Standardise(data.assets["moments"])
        words, width = vectors.shape
        self.embed = nn.Embedding(
            words, width, padding_idx=data.assets["vocabulary"].index[PAD], _weight=vectors.clone()
        )
        self.embed.weight.requires_grad_(config.train_words)
        self.video, self.text = Tower(data.dim(), config), Tower(width, config)
        decoders = config.hierarchy and config.tau > 0
        self.video_decoder = TowerDecoder(data.dim(), config) if decoders else None
        self.text_decoder = TowerDecoder(width, config) if decoders else None
        labels = [torch.from_numpy(ids) for ids in data.assets["labels"]]
        self.labels = nn.utils.rnn.pad_sequence(labels, batch_first=True) if labels else torch.zeros(0, 1)

    def videos(self, frames: Padded) -> Embedding:
        """Frames ``(B, N, T, D)``."""
        return self.video(self.standardise(frames.data), frames.mask)

    def texts(self, words: Padded) -> Embedding:
        """Words ``(B, N, M)``."""
        return self.text(self.embed(words.data), words.mask)

    def label_scores(self, frames: Padded) -> torch.Tensor:
        """Cosines of clips ``(B, 1, T, D)`` with the names of actions, low level against low level: ``(B, L)``."""
        ids = self.labels.to(frames.data.device)
        names = self.text.part(self.embed(ids), ids != 0)
        clips = self.video.part(self.standardise(frames.data[:, 0]), frames.mask[:, 0])
        return cosines(clips, names)


def cosines(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """``MATCH`` (Eq. 2) of every row ``(Q, width)`` with every other ``(G, width)``: ``(Q, G)``."""
    return functional.normalize(left, dim=-1) @ functional.normalize(right, dim=-1).T


class ClipReader(nn.Module):
    """The video tower alone, for what is trained on top of it."""

    def __init__(self, data: DataInfo, config: HSEConfig) -> None:
        super().__init__()
        self.standardise = Standardise(data.assets["moments"])
        self.video = Tower(data.dim(), config)


class Captioner(ClipReader):
    """§4.3: a clip's embedding beside that of its video, told first to a two-layer LSTM that then writes (Vinyals et al.)."""

    def __init__(self, data: DataInfo, config: HSEConfig) -> None:
        super().__init__(data, config)
        words = len(data.assets["caption_words"])
        self.tell = nn.Linear(config.width * (2 if config.hierarchy else 1), config.caption_word)
        self.embed = nn.Embedding(words, config.caption_word, padding_idx=0)
        self.lstm = started(nn.LSTM(config.caption_word, config.caption_lstm, num_layers=2, batch_first=True))
        self.say = nn.Linear(config.caption_lstm, words)

    def read(self, frames: Padded) -> torch.Tensor:
        """``[c ; v]`` of videos of one clip ``(B, 1, T, D)``; the flat model has one vector: ``(B, features)``."""
        seen = self.video(self.standardise(frames.data), frames.mask)
        return seen.whole if self.video.parts is None else torch.cat([seen.parts, seen.whole], -1)

    def forward(self, frames: Padded, words: torch.Tensor) -> torch.Tensor:
        """Logits ``(B, T, V)`` of the word after each of ``words`` ``(B, T)``."""
        told = torch.cat([self.tell(self.read(frames)).unsqueeze(1), self.embed(words)], 1)
        return self.say(self.lstm(told)[0][:, 1:])

    def begin(self, frames: Padded) -> dict[str, torch.Tensor]:
        """What the LSTM remembers before the first word; rows are the first axis."""
        hidden, cell = self.lstm(self.tell(self.read(frames)).unsqueeze(1))[1]
        return {"hidden": hidden.transpose(0, 1), "cell": cell.transpose(0, 1)}  # (B, 2, lstm)

    def step(self, words: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """One word ``(R,)`` on: logits ``(R, V)`` of the next, and the memory."""
        memory = tuple(state[name].transpose(0, 1).contiguous() for name in ("hidden", "cell"))
        out, (hidden, cell) = self.lstm(self.embed(words).unsqueeze(1), memory)
        return self.say(out[:, 0]), {"hidden": hidden.transpose(0, 1), "cell": cell.transpose(0, 1)}


class Classifier(ClipReader):
    """§4.4: a perceptron of one hidden layer on the clip-level embedding."""

    def __init__(self, data: DataInfo, config: HSEConfig) -> None:
        super().__init__(data, config)
        self.hidden = nn.Linear(config.width, config.classifier_hidden)
        self.choose = nn.Linear(config.classifier_hidden, len(data.spaces["actions"]))

    def forward(self, frames: Padded) -> torch.Tensor:
        """Logits ``(B, L)`` of clips ``(B, 1, T, D)``."""
        clips = self.video.part(self.standardise(frames.data[:, 0]), frames.mask[:, 0])
        return self.choose(torch.relu(self.hidden(clips)))


def build(data: DataInfo, config: HSEConfig) -> nn.Module:
    """The network of a recipe."""
    return {"match": Matcher, "caption": Captioner, "classify": Classifier}[config.head](data, config)
