"""Contextual text encoders: a pretrained one, or a small transformer or BLSTM trained from scratch.

All have one face: ``encoder(words, mask, sentence_of)`` with ``(B, W)`` each gives states ``(B, W, encoder.width)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import nn

from reelbench.plugins.layers.pretrained import require_transformers
from reelbench.plugins.layers.recurrence import PaddedLSTM
from reelbench.vocabulary import PAD

if TYPE_CHECKING:
    from reelbench.method import DataInfo
    from reelbench.plugins.cisin.method import TextSizes

MOST_SENTENCES = 16


class WordEmbedding(nn.Module):
    """BERT's input: a vector of the word, one of its position, one of its sentence; layer norm, dropout.

    Word vectors start from the asset ``word_vectors`` where there is one.
    """

    def __init__(self, data: DataInfo, config: TextSizes) -> None:
        super().__init__()
        vocabulary = data.assets["vocabulary"]
        self.word = nn.Embedding(len(vocabulary), config.text_width, padding_idx=vocabulary.index[PAD])
        self.position = nn.Embedding(config.max_words, config.text_width)
        self.sentence = nn.Embedding(MOST_SENTENCES, config.text_width)
        self.norm, self.dropout = nn.LayerNorm(config.text_width), nn.Dropout(config.text_dropout)
        for table in (self.word, self.position, self.sentence):
            nn.init.normal_(table.weight, std=0.02)
        if "word_vectors" in data.assets:
            vectors = torch.as_tensor(data.assets["word_vectors"])
            self.word.weight.data.copy_(0.02 * vectors)

    def forward(self, words: torch.Tensor, sentence_of: torch.Tensor) -> torch.Tensor:
        """``(B, W)`` each to ``(B, W, width)``."""
        position = torch.arange(words.shape[1], device=words.device)
        sentence = sentence_of.clamp_max(MOST_SENTENCES - 1)
        return self.dropout(
            self.norm(self.word(words) + self.position(position) + self.sentence(sentence))
        )  # (B, W, width)


class TransformerText(nn.Module):
    """A transformer of BERT's kind, trained from scratch; layers are normalised first, so that no warm-up is needed."""

    def __init__(self, data: DataInfo, config: TextSizes) -> None:
        super().__init__()
        self.width = config.text_width
        self.embed = WordEmbedding(data, config)
        layer = nn.TransformerEncoderLayer(
            config.text_width, config.text_heads, 4 * config.text_width, config.text_dropout, "gelu",
            batch_first=True, norm_first=True,
        )  # fmt: skip
        self.layers = nn.TransformerEncoder(
            layer, config.text_layers, nn.LayerNorm(config.text_width), enable_nested_tensor=False
        )

    def forward(self, words: torch.Tensor, mask: torch.Tensor, sentence_of: torch.Tensor) -> torch.Tensor:
        """States ``(B, W, width)``."""
        return self.layers(self.embed(words, sentence_of), src_key_padding_mask=~mask)


class RecurrentText(nn.Module):
    """A stack of BLSTMs with residual connections, trained from scratch."""

    def __init__(self, data: DataInfo, config: TextSizes) -> None:
        super().__init__()
        self.width = config.text_width
        self.embed = WordEmbedding(data, config)
        half = config.text_width // 2
        self.layers = nn.ModuleList(
            PaddedLSTM(config.text_width, half, both_ways=True) for _ in range(config.text_layers)
        )
        self.dropout = nn.Dropout(config.text_dropout)

    def forward(self, words: torch.Tensor, mask: torch.Tensor, sentence_of: torch.Tensor) -> torch.Tensor:
        """States ``(B, W, width)``."""
        states = self.embed(words, sentence_of)
        for layer in self.layers:
            states = states + self.dropout(layer(states, mask))
        return states


class PretrainedText(nn.Module):
    """A pretrained model of ``transformers`` by local path or hub name, fine-tuned (the paper: BERT-Base-Uncased)."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.model: Any = require_transformers().AutoModel.from_pretrained(name)
        self.width: int = self.model.config.hidden_size
        if getattr(self.model, "pooler", None) is not None:
            self.model.pooler = None  # of [CLS] only, which no loss reads

    def forward(self, words: torch.Tensor, mask: torch.Tensor, sentence_of: torch.Tensor) -> torch.Tensor:
        """States ``(B, W, width)``; segment numbers are all zero."""
        return self.model(input_ids=words, attention_mask=mask.to(words.dtype)).last_hidden_state


TextEncoder: TypeAlias = TransformerText | RecurrentText | PretrainedText


def build_text_encoder(data: DataInfo, config: TextSizes) -> TextEncoder:
    """The encoder that the configuration asks for."""
    if config.pretrained:
        return PretrainedText(config.pretrained)
    kind: type[TransformerText | RecurrentText] = (
        TransformerText if config.text_encoder == "transformer" else RecurrentText
    )
    return kind(data, config)


def states_at(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """States ``(B, W, C)`` at places ``(B, M)``: ``(B, M, C)``."""
    return states.gather(1, places.unsqueeze(-1).expand(-1, -1, states.shape[-1]))
