"""Networks of the baselines of identity, made of CiSIN's text encoder and JSFusion's fusion."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from reelbench.plugins.baselines.identities import as_tables
from reelbench.plugins.baselines.losses import link_loss
from reelbench.plugins.cisin.losses import best_tracks, cut_rows, hinge
from reelbench.plugins.cisin.model import CharacterEmbedding, TextGraph, mlp, tracks_near
from reelbench.plugins.cisin.text import states_at
from reelbench.plugins.jsfusion.method import JSFusionConfig, LayerSizes
from reelbench.plugins.jsfusion.model import Dense, SequenceEncoder, TensorFusion, build_context
from reelbench.plugins.layers.clusters import agglomerate
from reelbench.plugins.layers.packing import pack_rows, unpack_rows
from reelbench.plugins.layers.standardise import Standardise

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.method import DataInfo
    from reelbench.plugins.cisin.method import TextSizes
    from reelbench.plugins.published.identities.method import FusionConfig, VerbConfig


class MentionMatcher(nn.Module):
    """The loss and the answers of whatever gives logits of pairs of mentions ``(B, M, M)``."""

    def loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy of pairs."""
        assert batch.targets is not None
        return link_loss(self(batch), batch.targets["mention_identity"].data, batch["mention_place"].mask)

    def predict(self, batch: Batch, protocol: str) -> dict[str, Any]:
        """Tables of pairs, or labels made from them."""
        tables = as_tables(torch.sigmoid(self(batch)), batch["mention_place"].lengths)
        return {"labels": [agglomerate(t) for t in tables]} if protocol == "characters" else {"same": tables}


class TextMatcher(MentionMatcher):
    """Eq. 6.2 and 6.10."""

    def __init__(self, data: DataInfo, config: TextSizes) -> None:
        super().__init__()
        self.characters = CharacterEmbedding(data, config)
        self.text = TextGraph(self.characters.width, config)

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, M, M)``."""
        return self.text(self.characters(batch)[0])


class FusedMatcher(MentionMatcher):
    """The clip and its sentence fused (Eq. 5.2 to 5.4), the mention's word added, then compared by Eq. 6.10."""

    def __init__(self, data: DataInfo, config: FusionConfig) -> None:
        super().__init__()
        sizes = LayerSizes(
            joint=config.joint, attention=config.attention, fusion=config.fusion, conv=config.conv, decision=config.decision
        )  # fmt: skip
        fusing = JSFusionConfig(head="word", blank_sizes=sizes, blank_dropout=config.fusion_dropout)
        self.standardise = Standardise(data.assets["moments"])
        self.encoder = CharacterEmbedding(data, config).encoder
        context = build_context("blstm", data.dim(), config.lstm, of_video=True)
        self.video = SequenceEncoder(
            data.dim(), context, config.joint, config.fusion_dropout, keep_input=True
        )
        self.words = Dense(self.encoder.width, config.joint, config.fusion_dropout)
        self.fusion = TensorFusion(sizes, fusing)
        widths = [self.fusion.width, *config.decision[:2], config.joint]
        self.decision = nn.Sequential(*(Dense(a, b) for a, b in itertools.pairwise(widths)))
        self.text = TextGraph(config.joint, config)

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, M, M)``."""
        words, frames, places = batch["words"], batch["frames"], batch["places"]
        states = self.encoder(words.data, words.mask, batch["sentence_of"].data)
        read = unpack_rows(self.words(pack_rows(states, words.mask)), words.mask)  # D1w, (B, W, joint)
        sets, clips = places.data.shape[:2]
        said = states_at(read, places.data.flatten(1)).view(sets * clips, -1, read.shape[-1])
        shown = places.mask.any(-1)  # (B, C), clips that are no padding
        fused = unpack_rows(
            self._fuse(frames.data[shown], frames.mask[shown], said[shown.flatten()], places.mask[shown]),
            shown,
        )  # (B, C, joint)
        of_clip = states_at(fused, batch["mention_clip"].data)  # (B, M, joint)
        return self.text(of_clip + states_at(read, batch["mention_place"].data))

    def _fuse(
        self, frames: torch.Tensor, seen: torch.Tensor, said: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Clips ``(P, N, D)`` with their words ``(P, W, joint)``: ``(P, joint)``."""
        video = self.video(self.standardise(frames), seen)
        return self.decision(self.fusion(video, seen, said, mask))


class VerbMatcher(nn.Module):
    """Cosines of verbs and tracks in a common space."""

    def __init__(self, data: DataInfo, config: VerbConfig) -> None:
        super().__init__()
        self.margin = config.margin
        self.embed = nn.Embedding(len(data.assets["vocabulary"]), config.word)
        self.said = mlp(config.word, config.width, config.width)
        self.seen = mlp(data.dim(), config.width, config.width)

    def forward(self, batch: Batch) -> torch.Tensor:
        """``(B, M, K)``."""
        verbs = functional.normalize(self.said(self.embed(batch["verb"].data)), dim=-1)
        return verbs @ functional.normalize(self.seen(batch["tracks"].data), dim=-1).transpose(1, 2)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Eq. 6.12 over mentions that have a track."""
        assert batch.targets is not None
        scores, track = self(batch), batch.targets["mention_track"]
        index = track.data.clamp_min(0).unsqueeze(2)
        others = tracks_near(batch["mention_clip"], batch["track_clip"]) & (track.data >= 0).unsqueeze(2)
        others = others.scatter(2, index, False)
        return hinge(scores.gather(2, index) - scores, others, self.margin, "all")

    def predict(self, batch: Batch) -> dict[str, Any]:
        """Links."""
        near = tracks_near(batch["mention_clip"], batch["track_clip"])
        return {"links": cut_rows(best_tracks(self(batch), near), batch["mention_clip"])}
