"""The captioner of GEAN: feature pools under gaze, attention over time, an attention GRU and a multimodal GRU.

Equations are those of thesis §3.3.3 and §3.3.4. Sizes in comments: ``B`` clips, ``T`` map rows of a clip, ``N`` frames of
a pool, ``M`` words, ``D`` channels of a pool, ``H`` units of a GRU. The attention GRU reads words only, so that in
training the attention of every word, the aggregation layer and the words' scores are made for all words at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from reelbench.plugins.gean.fixed_gaze import FixedGaze
from reelbench.plugins.gean.gaze_model import GazePredictor, gaze_predictor
from reelbench.plugins.layers.gaze_pooling import gaze_attention, spatial_pool
from reelbench.plugins.layers.standardise import Standardise
from reelbench.vocabulary import END, PAD, START

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.method import DataInfo
    from reelbench.plugins.gean.method import GEANConfig

Pools = dict[str, torch.Tensor]


def scaled_tanh(x: torch.Tensor) -> torch.Tensor:
    """``1.7159 tanh(2x / 3)``."""
    return 1.7159 * torch.tanh(2.0 * x / 3.0)


class TemporalAttention(nn.Module):
    """Eq. 3.5 and 3.6: which frames of one pool matter for the next word."""

    def __init__(self, inputs: int, state: int, width: int) -> None:
        super().__init__()
        self.frames = nn.Linear(inputs, width)  # W_q and b_q
        self.words = nn.Linear(state, width, bias=False)  # U_q
        self.score = nn.Linear(width, 1, bias=False)  # w

    def forward(self, pool: torch.Tensor, keys: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """Pool ``(B, N, D)``, its ``frames`` ``(B, N, A)`` and states before each word ``(B, M, H)`` to ``(B, M, D)``."""
        scores = self.score(scaled_tanh(keys.unsqueeze(1) + self.words(last).unsqueeze(2)))  # (B, M, N, 1)
        return scores.squeeze(-1).softmax(-1) @ pool


class GRU(nn.Module):
    """Eq. 3.7 to 3.10: the reset gate is on the state before its product with ``U_h``, where torch has it after."""

    def __init__(self, inputs: int, state: int) -> None:
        super().__init__()
        self.state = state
        self.w = nn.Linear(inputs, 3 * state)  # W_z, W_r, W_h and their biases
        self.u_gates = nn.Linear(state, 2 * state, bias=False)  # U_z, U_r
        self.u = nn.Linear(state, state, bias=False)  # U_h
        for gate in (*self.u_gates.weight.chunk(2), self.u.weight):
            nn.init.orthogonal_(gate.data)

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """Inputs ``(B, M, C)`` and a first state ``(B, H)`` to the states after each input ``(B, M, H)``."""
        states = []
        for step in self.w(x).unbind(1):
            h = self.step(step, h)
            states.append(h)
        return torch.stack(states, 1)

    def step(self, driven: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """``W x + b`` of one word ``(B, 3H)`` and the last state ``(B, H)``."""
        gates, candidate = torch.split(driven, [2 * self.state, self.state], -1)
        z, r = torch.sigmoid(gates + self.u_gates(h)).chunk(2, -1)
        candidate = torch.tanh(candidate + self.u(r * h))
        return (1 - z) * h + z * candidate


class Aggregation(nn.Module):
    """Eq. 3.11: attended features side by side, gated by the attention GRU's state."""

    def __init__(self, inputs: dict[str, int], outputs: dict[str, int], state: int, dropout: float) -> None:
        super().__init__()
        self.pools = nn.ModuleDict(
            {name: nn.Linear(inputs[name], outputs[name]) for name in inputs}
        )  # W_g, b_g
        self.width = sum(outputs[name] for name in inputs)
        self.state = nn.Linear(state, self.width, bias=False)  # U_g
        self.dropout = nn.Dropout(dropout)

    def forward(self, attended: Pools, state: torch.Tensor) -> torch.Tensor:
        """``u_t`` of each pool ``(B, M, D)`` and ``h_att`` ``(B, M, H)`` to ``q_t`` ``(B, M, width)``."""
        features = torch.cat([self.pools[name](attended[name]) for name in self.pools], -1)
        return self.dropout(scaled_tanh(features * self.state(state)))


class Captioner(nn.Module):
    """GEAN (Figure 3.1a and c)."""

    def __init__(self, data: DataInfo, config: GEANConfig) -> None:
        super().__init__()
        self.vocabulary = data.assets["vocabulary"]
        self.names, self.uniform, hidden = config.pools, config.uniform, config.hidden
        if config.gaze == "learned":
            self.gaze: GazePredictor | FixedGaze = gaze_predictor(data.upstream["gaze"])
        else:
            self.gaze = FixedGaze(config.gaze)
        moments = data.assets["moments"]
        widths: dict[str, int] = {n: len(moments[n]["mean"]) for n in self.names}
        self.standardise = nn.ModuleDict({n: Standardise(moments[n]) for n in self.names})
        self.attention = nn.ModuleDict(
            {n: TemporalAttention(widths[n], hidden, config.attention) for n in self.names}
        )
        self.embed = nn.Embedding(len(self.vocabulary), config.word)
        self.attention_gru = GRU(config.word, hidden)
        self.aggregate = Aggregation(widths, config.aggregation.model_dump(), hidden, config.dropout)
        self.multimodal_gru = GRU(self.aggregate.width + config.word, hidden)
        self.out = nn.Linear(hidden, len(self.vocabulary))
        self._initialise(config.word_deviation)

    def _initialise(self, word_deviation: float | None) -> None:
        """Xavier for embedding and linear layers; the GRUs' recurrent matrices stay orthogonal (§3.3.5)."""
        layers = [self.embed, self.out, *self.attention.modules(), *self.aggregate.modules()]
        for layer in (*layers, self.attention_gru.w, self.multimodal_gru.w):
            if isinstance(layer, nn.Linear | nn.Embedding):
                nn.init.xavier_uniform_(layer.weight)
        if word_deviation is not None:
            nn.init.normal_(self.embed.weight, std=word_deviation)

    # --- encoder (§3.3.3) ---------------------------------------------------------------------------------------

    def spatial_attention(self, batch: Batch) -> torch.Tensor:
        """The weight of every cell of every map row ``(B, T, 7, 7)``, without gradient."""
        seen = (
            self.gaze(batch) if isinstance(self.gaze, FixedGaze) else self.gaze.gaze_maps(batch["maps"].data)
        )
        return gaze_attention(seen, self.uniform)

    def encode(self, batch: Batch) -> Pools:
        """The pools that this model has, standardised: name to ``(B, N, D)``."""
        pools: Pools = {}
        if "scene" in self.names:
            pools["scene"] = batch["scene"].data
        if {"motion", "fovea"} & set(self.names):
            seen = spatial_pool(batch["maps"].data, self.spatial_attention(batch))  # (B, T, C)
            beside = torch.cat([seen, batch["beside"].data], -1)  # motion beyond the maps, (B, T, C + E)
            for name, rows in (("motion", beside), ("fovea", seen)):
                if name in self.names:
                    pools[name] = _at(rows, batch[f"{name}_places"])
        return {name: self.standardise[name](pools[name]) for name in self.names}

    # --- decoder (§3.3.4) ---------------------------------------------------------------------------------------

    def forward(self, batch: Batch) -> torch.Tensor:
        """Scores of the word after each word of ``batch["words"]`` but the last: ``(B, M - 1, V)``."""
        pools = self.encode(batch)
        words = self.embed(batch["words"].data[:, :-1])  # (B, M - 1, W)
        first = words.new_zeros(len(words), self.attention_gru.state)
        h = self.attention_gru(words, first)
        last = torch.cat([first.unsqueeze(1), h[:, :-1]], 1)  # the state before each word
        fused = self.fuse(pools, self.keys(pools), last, h, words)
        return self.out(self.multimodal_gru(fused, first))

    def keys(self, pools: Pools) -> Pools:
        """``W_q v + b_q`` of each pool, which no word changes."""
        return {
            name: cast(TemporalAttention, self.attention[name]).frames(pool) for name, pool in pools.items()
        }

    def fuse(
        self, pools: Pools, keys: Pools, last: torch.Tensor, h: torch.Tensor, words: torch.Tensor
    ) -> torch.Tensor:
        """What the multimodal GRU reads, ``[q_t, B w_(t-1)]``: ``(B, M, Q + W)``."""
        attended = {name: self.attention[name](pools[name], keys[name], last) for name in self.names}
        return torch.cat([self.aggregate(attended, h), words], -1)

    def step(self, words: torch.Tensor, state: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        """One word of every row ``(B,)``, for decoding."""
        embedded = self.embed(words).unsqueeze(1)  # (B, 1, W)
        h = self.attention_gru(embedded, state["attention"])
        fused = self.fuse(state["pools"], state["keys"], state["attention"].unsqueeze(1), h, embedded)
        said = self.multimodal_gru(fused, state["multimodal"]).squeeze(1)
        return self.out(said), state | {"attention": h.squeeze(1), "multimodal": said}

    def start(self, batch: Batch) -> tuple[torch.Tensor, dict[str, Any]]:
        """Start marks and the state before the first word."""
        pools = self.encode(batch)
        zero = self.embed.weight.new_zeros(len(batch), self.attention_gru.state)
        first = torch.full((len(batch),), self.vocabulary.index[START], device=zero.device)
        return first, {"pools": pools, "keys": self.keys(pools), "attention": zero, "multimodal": zero}

    @property
    def marks(self) -> tuple[int, int]:
        """Padding and end."""
        return self.vocabulary.index[PAD], self.vocabulary.index[END]


def _at(rows: torch.Tensor, places: Padded) -> torch.Tensor:
    """Rows ``(B, T, D)`` at places ``(B, N)``: ``(B, N, D)``."""
    return rows.gather(1, places.data.unsqueeze(-1).expand(-1, -1, rows.shape[-1]))
