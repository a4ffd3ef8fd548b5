"""The network of CiSIN: two embeddings, three graphs between mentions and tracks, and the graph they close to.

Equations are those of J. Kim's thesis, chapter 6. Sizes in comments: ``M`` mentions ([SOMEONE] tokens) and ``K``
tracks of a set of clips, ``R`` rows of all its tracks, ``P`` body points, ``W`` words of its sentences.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.cisin.text import build_text_encoder, states_at
from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.method import DataInfo
    from reelbench.plugins.cisin.method import CiSINConfig, TextSizes

METADATA = 4
SCALE = 10.0
"""Where ``w_scale`` starts: a margin of 2 is then a fifth of a cosine."""
LEVEL = 30.0
"""How many times faster than weights the level of V and lambda are learned, since scores are that much larger."""


def mlp(inputs: int, hidden: int, outputs: int | None = None, dropout: float = 0.0) -> nn.Sequential:
    """Two FC layers, each with a leaky ReLU; with ``outputs`` the second gives that many scores, without one."""
    layers = [nn.Linear(inputs, hidden), nn.LeakyReLU(), nn.Dropout(dropout)]
    if outputs is not None:
        return nn.Sequential(*layers, nn.Linear(hidden, outputs))
    return nn.Sequential(*layers, nn.Linear(hidden, hidden), nn.LeakyReLU())


@dataclass(frozen=True)
class Tracks:
    """Visual track embedding (§6.3.2): what each graph reads of tracks."""

    face: torch.Tensor  # (B, K, F)
    motion: torch.Tensor  # (B, K, I)
    box: torch.Tensor  # (B, K, D), the representative row
    points: torch.Tensor  # (B, K, P, C), the same row's body points
    visible: torch.Tensor  # (B, K, P), 1 where visible
    metadata: torch.Tensor  # (B, K, 4)


class MotionRows(nn.Module):
    """Rows with their neighbours in the same track through an FC layer, in the place of a pretrained I3D's time axis."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.linear = nn.Linear(3 * inputs, width)

    def forward(self, rows: torch.Tensor, owner: torch.Tensor) -> torch.Tensor:
        """``(B, R, D)`` with the track of each ``(B, R)`` to ``(B, R, width)``."""
        around, who = functional.pad(rows, (0, 0, 1, 1)), functional.pad(owner, (1, 1), value=-2)
        before = around[:, :-2] * (who[:, :-2] == owner).unsqueeze(-1)
        after = around[:, 2:] * (who[:, 2:] == owner).unsqueeze(-1)
        return functional.leaky_relu(self.linear(torch.cat([before, rows, after], -1)))


class TrackEmbedding(nn.Module):
    """VTE = {i_m, f_m, p_m} (§6.3.2): means over a track's rows of motion and face, the representative row's body."""

    def __init__(self, data: DataInfo, config: CiSINConfig) -> None:
        super().__init__()
        moments = data.assets["moments"]
        self.face, self.box, self.points = (Standardise(moments[k]) for k in ("face", "box", "points"))
        self.motion = Standardise(moments["motion"])
        inputs = len(moments["motion"]["mean"])
        self.rows = MotionRows(inputs, config.motion_width) if config.motion_width and config.motion else None
        self.motion_dim = self.rows.width if self.rows is not None else inputs
        self.face_dim, self.box_dim = len(moments["face"]["mean"]), len(moments["box"]["mean"])

    def forward(self, batch: Batch) -> Tracks:
        """Of every track of the batch."""
        owner, track = batch["row_track"], torch.arange(batch["box"].data.shape[1])
        mine = owner.data.unsqueeze(1) == track.to(owner.data.device)[:, None]
        mine = (mine & owner.mask.unsqueeze(1)).to(batch["face"].data.dtype)  # (B, K, R)
        mean = mine / mine.sum(-1, keepdim=True).clamp_min(1.0)
        motion = self.motion(batch["motion"].data)
        if self.rows is not None:
            motion = self.rows(motion, owner.data.masked_fill(~owner.mask, -1))
        return Tracks(
            face=mean @ self.face(batch["face"].data),
            motion=mean @ motion,
            box=self.box(batch["box"].data),
            points=self.points(batch["points"].data),
            visible=batch["visible"].data.to(motion.dtype),
            metadata=batch["metadata"].data,
        )


class CharacterEmbedding(nn.Module):
    """TCE, ``s_n = [b_n; a_n]`` (Eq. 6.2): the encoder's states at [SOMEONE] and at its verb."""

    def __init__(self, data: DataInfo, config: TextSizes) -> None:
        super().__init__()
        self.encoder = build_text_encoder(data, config)
        self.width = self.encoder.width

    def forward(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """``b`` and ``a``, ``(B, M, width)`` each."""
        words = batch["words"]
        states = self.encoder(words.data, words.mask, batch["sentence_of"].data)
        return states_at(states, batch["mention_place"].data), states_at(states, batch["verb_place"].data)


class GroundingGraph(nn.Module):
    """``g(s_n, t_m)``: text fused with face and with motion, beside the metadata (Eq. 6.3 to 6.5)."""

    def __init__(self, text: int, tracks: TrackEmbedding, config: CiSINConfig) -> None:
        super().__init__()
        seen = {"face": tracks.face_dim} | ({"motion": tracks.motion_dim} if config.motion else {})
        hidden, dropout = config.hidden, config.dropout
        self.said = nn.ModuleDict({name: mlp(2 * text, hidden, dropout=dropout) for name in seen})
        self.seen = nn.ModuleDict({name: mlp(dim, hidden, dropout=dropout) for name, dim in seen.items()})
        self.metadata = mlp(METADATA, hidden, dropout=dropout)
        self.score = mlp((1 + len(seen)) * hidden, hidden, 1)

    def forward(self, someone: torch.Tensor, action: torch.Tensor, tracks: Tracks) -> torch.Tensor:
        """``G`` of every mention ``(B, M, C)`` with every track: ``(B, M, K)``."""
        s, count = torch.cat([someone, action], -1), someone.shape[1]
        parts = [self.metadata(tracks.metadata).unsqueeze(1).expand(-1, count, -1, -1)]
        for name, read in self.said.items():
            parts.append(read(s).unsqueeze(2) * self.seen[name](vars(tracks)[name]).unsqueeze(1))
        return self.score(torch.cat(parts, -1)).squeeze(-1)


class ScaledDot(nn.Module):
    """``w_scale x_i . x_j`` of vectors that are given at unit length (Eq. 6.7)."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(SCALE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, K, C)`` to ``(B, K, K)``."""
        return self.scale * (x @ x.transpose(1, 2))


class BodyParts(nn.Module):
    """``p_{m,k}`` and their matching score ``q`` where both are visible (Eq. 6.1 and 6.8).

    A point is read in the context of the whole representative image, as from the last layer of a convolutional network.
    """

    def __init__(self, points: int, dim: int, box: int, width: int, dropout: float) -> None:
        super().__init__()
        self.of_point, self.of_box = nn.Linear(dim, width), nn.Linear(box, width)
        self.place = nn.Parameter(torch.randn(points, width) / width**0.5)
        self.last, self.dropout = nn.Linear(width, width), nn.Dropout(dropout)
        self.dot = ScaledDot()

    def forward(self, tracks: Tracks) -> torch.Tensor:
        """``(B, K, K)`` without the bias; 0 for tracks that share no visible point."""
        parts = self.embed(tracks.points, tracks.box) * tracks.visible.unsqueeze(-1)  # (B, K, P, C)
        shared = tracks.visible @ tracks.visible.transpose(1, 2)  # Z, (B, K, K)
        return self.dot(parts.flatten(2)) / shared.clamp_min(1.0)

    def embed(self, points: torch.Tensor, box: torch.Tensor) -> torch.Tensor:
        """``(B, K, P, D)`` and ``(B, K, D')`` to ``(B, K, P, width)``."""
        hidden = self.of_point(points) + self.of_box(box).unsqueeze(2) + self.place
        parts = self.last(self.dropout(functional.leaky_relu(hidden)))
        return functional.normalize(functional.leaky_relu(parts), dim=-1)


class WholeBox(nn.Module):
    """The ablation "+ Human bbox": one vector of the representative image instead of body parts."""

    def __init__(self, box: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.embed, self.dot = mlp(box, hidden, dropout=dropout), ScaledDot()

    def forward(self, tracks: Tracks) -> torch.Tensor:
        """``(B, K, K)``."""
        return self.dot(functional.normalize(self.embed(tracks.box), dim=-1))


class VideoGraph(nn.Module):
    """``V = f + q`` without its biases: face matching and body-part matching (Eq. 6.7 to 6.9)."""

    def __init__(self, data: DataInfo, tracks: TrackEmbedding, config: CiSINConfig) -> None:
        super().__init__()
        self.embed, self.dot = mlp(tracks.face_dim, config.hidden, dropout=config.dropout), ScaledDot()
        self.body: nn.Module | None = None
        if config.body == "parts":
            points, dim = data.assets["points"]
            self.body = BodyParts(points, dim, tracks.box_dim, config.part_width, config.dropout)
        elif config.body == "box":
            self.body = WholeBox(tracks.box_dim, config.hidden, config.dropout)
        self.level = nn.Parameter(torch.tensor(-SCALE / LEVEL))

    @property
    def bias(self) -> torch.Tensor:
        """``b_scale`` of the face and of the body, which only add."""
        return LEVEL * self.level

    def forward(self, tracks: Tracks) -> torch.Tensor:
        """``(B, K, K)``; ``V`` is this plus ``bias``."""
        scores = self.dot(functional.normalize(self.embed(tracks.face), dim=-1))
        return scores if self.body is None else scores + self.body(tracks)


class TextGraph(nn.Module):
    """Logits of ``L``, two FC layers over ``b_i * b_j`` (Eq. 6.10)."""

    def __init__(self, text: int, config: TextSizes) -> None:
        super().__init__()
        self.score = mlp(text, config.hidden, 1, config.dropout)

    def forward(self, someone: torch.Tensor) -> torch.Tensor:
        """``(B, M, C)`` to ``(B, M, M)``."""
        return self.score(someone.unsqueeze(2) * someone.unsqueeze(1)).squeeze(-1)


@dataclass(frozen=True)
class Graphs:
    """The graphs of a batch of sets; ``None`` where the model has not that part."""

    near: torch.Tensor  # (B, M, K), the tracks of a mention's own clip
    grounding: torch.Tensor | None  # G, (B, M, K)
    picks: torch.Tensor | None  # G's rows by softmax or argmax over the clip, (B, M, K)
    video: torch.Tensor | None  # V without its bias, (B, K, K)
    text: torch.Tensor | None  # logits of L, (B, M, M)
    told: torch.Tensor | None  # G^T L G, (B, K, K)
    gender: torch.Tensor | None  # logits, (B, M)


class CiSIN(nn.Module):
    """All parts of Figure 6.2."""

    def __init__(self, data: DataInfo, config: CiSINConfig) -> None:
        super().__init__()
        self.config = config
        self.characters = CharacterEmbedding(data, config)
        text = self.characters.width
        visual = config.grounding or config.video
        self.tracks = TrackEmbedding(data, config) if visual else None
        self.grounding: GroundingGraph | None = None
        self.video: VideoGraph | None = None
        if self.tracks is not None and config.grounding:
            self.grounding = GroundingGraph(text, self.tracks, config)
        if self.tracks is not None and config.video:
            self.video = VideoGraph(data, self.tracks, config)
        self.text = TextGraph(text, config) if config.text else None
        own = config.grounding and config.text and not config.joint
        self.own_characters = CharacterEmbedding(data, config) if own else None  # of G, trained separately
        self.gender = mlp(text, config.hidden, 1, config.dropout) if config.attributes else None  # Eq. 6.6
        self.refine = nn.Parameter(torch.zeros(())) if config.refines else None  # lambda over LEVEL

    def forward(self, batch: Batch) -> Graphs:
        """Every graph of a batch of sets."""
        someone, action = self.characters(batch)
        near = tracks_near(batch["mention_clip"], batch["track_clip"])
        tracks = self.tracks(batch) if self.tracks is not None else None
        grounding = picks = video = told = None
        if self.grounding is not None and tracks is not None:
            s = self.own_characters(batch) if self.own_characters is not None else (someone, action)
            grounding = self.grounding(*s, tracks)
            picks = self._picks(grounding, near)
        if self.video is not None and tracks is not None:
            video = self.video(tracks)
        text = self.text(someone) if self.text is not None else None
        if self.refine is not None and picks is not None and text is not None:
            said = torch.sigmoid(text) * _pairs(batch["mention_place"])
            told = picks.transpose(1, 2) @ said @ picks
        gender = self.gender(someone).squeeze(-1) if self.gender is not None else None
        return Graphs(near, grounding, picks, video, text, told, gender)

    def _picks(self, grounding: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
        """Softmax over the tracks of the clip in training, the best of them in test (Eq. 6.11); zero where none is."""
        if grounding.shape[2] == 0:
            return grounding
        scores = grounding.masked_fill(~near, -1e4)
        if self.training or self.config.soft_picks:
            return torch.softmax(self.config.sharpness * scores, -1) * near
        best = functional.one_hot(scores.argmax(-1), scores.shape[-1])
        return best.to(grounding.dtype) * near

    def seen_together(self, graphs: Graphs) -> torch.Tensor | None:
        """Logits of ``R``, that is ``G V G^T`` (Eq. 6.11): ``(B, M, M)``."""
        if self.video is None or graphs.video is None or graphs.picks is None:
            return None
        v = graphs.video + self.video.bias
        return graphs.picks @ v @ graphs.picks.transpose(1, 2)

    def same_tracks(self, graphs: Graphs) -> torch.Tensor | None:
        """``V + lambda G^T L G``, positive for tracks of one person: ``(B, K, K)``."""
        if self.video is None or graphs.video is None:
            return None
        v = graphs.video + self.video.bias
        return v if self.refine is None or graphs.told is None else v + LEVEL * self.refine * graphs.told


def tracks_near(mention_clip: Padded, track_clip: Padded) -> torch.Tensor:
    """Which tracks are in each mention's own clip: ``(B, M, K)``."""
    valid = mention_clip.mask.unsqueeze(2) & track_clip.mask.unsqueeze(1)
    return valid & (mention_clip.data.unsqueeze(2) == track_clip.data.unsqueeze(1))


def identity(logits: list[torch.Tensor]) -> torch.Tensor:
    """``C = avg(L, R)`` (Eq. 6.11) of the graphs there are, from their logits: ``(B, M, M)``."""
    return torch.stack([torch.sigmoid(x) for x in logits]).mean(0)


def log_identity(logits: list[torch.Tensor]) -> torch.Tensor:
    """``log C`` without underflow; of negated logits it is ``log(1 - C)``."""
    both = torch.stack([functional.logsigmoid(x) for x in logits])
    return both.logsumexp(0) - math.log(len(logits))


def _pairs(rows: Padded) -> torch.Tensor:
    """Which pairs of rows are no padding: ``(B, M, M)``."""
    return rows.mask.unsqueeze(2) & rows.mask.unsqueeze(1)
