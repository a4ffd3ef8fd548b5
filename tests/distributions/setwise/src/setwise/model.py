"""Mentions and tracks as vectors, their scores, and what each protocol asks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize

from reelbench import Padded

NOWHERE = -1e4


@dataclass(frozen=True)
class Scores:
    """Logits: ``grounding`` (B, M, K), ``video`` (B, K, K), ``text`` (B, M, M)."""

    grounding: torch.Tensor
    video: torch.Tensor
    text: torch.Tensor


class WhoIsWho(nn.Module):
    """A tower for mentions, one for tracks."""

    def __init__(self, person: int, words: int, width: int) -> None:
        super().__init__()
        self.track = nn.Sequential(nn.LayerNorm(person), nn.Linear(person, width))
        self.words = nn.Embedding(words, width)
        self.ground = nn.Linear(width, width)
        self.scale = nn.Parameter(torch.full((2,), 4.0))
        self.bias = nn.Parameter(torch.full((2,), -2.0))

    def scores(self, windows: Any, tracks: Sequence[Any], mention_clip: Padded, track_clip: Padded) -> Scores:
        """All pairs of each set."""
        mentions = masked_mean(self.words(windows.data), windows.mask)  # (B, M, W)
        people = self.track(torch.cat([masked_mean(t.data, t.mask) for t in tracks], dim=-1))  # (B, K, W)
        together = (mention_clip.data[:, :, None] == track_clip.data[:, None]) & track_clip.mask[
            :, None
        ]  # (B, M, K)
        grounding = (self.ground(mentions) @ people.transpose(1, 2)).masked_fill(~together, NOWHERE)
        return Scores(grounding, self._same(people, 0), self._same(mentions, 1))

    def _same(self, vectors: torch.Tensor, side: int) -> torch.Tensor:
        unit = normalize(vectors, dim=-1)
        return unit @ unit.transpose(1, 2) * self.scale[side] + self.bias[side]

    def losses(self, scores: Scores, targets: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """Grounding of mentions that have a track, and pairs of tracks and of mentions."""
        place = targets["mention_track"]
        grounded = place.mask & (place.data >= 0)
        loss = scores.grounding.sum() * 0
        return {
            "grounding": loss + cross_entropy(scores.grounding[grounded], place.data[grounded])
            if grounded.any()
            else loss,
            "video": pair_loss(scores.video, targets["track_identity"]),
            "text": pair_loss(scores.text, targets["mention_identity"]),
        }


def pair_loss(logits: torch.Tensor, identity: Padded) -> torch.Tensor:
    """Same or different, over valid pairs of two."""
    valid = (identity.mask[:, :, None] & identity.mask[:, None]).triu(diagonal=1)
    same = (identity.data[:, :, None] == identity.data[:, None]).to(logits.dtype)
    return binary_cross_entropy_with_logits(logits[valid], same[valid]) if valid.any() else logits.sum() * 0


def answers(protocol: str | None, scores: Scores, mention_clip: Padded, track_clip: Padded) -> dict[str, Any]:
    """The column of a protocol, a list a set."""
    mentions, tracks = mention_clip.lengths.tolist(), track_clip.lengths.tolist()
    if protocol == "video":
        return {"same": [_square(scores.video[b], k) for b, k in enumerate(tracks)]}
    if protocol == "text":
        return {"same": [_square(scores.text[b], m) for b, m in enumerate(mentions)]}
    links = [
        _links(scores.grounding[b, :m, :k]) for b, (m, k) in enumerate(zip(mentions, tracks, strict=True))
    ]
    if protocol == "grounding":
        return {"links": links}
    return {"labels": [_labels(link, scores.video[b]) for b, link in enumerate(links)]}


def _square(logits: torch.Tensor, size: int) -> list[list[float]]:
    both = (logits[:size, :size] + logits[:size, :size].T) / 2
    return both.sigmoid().tolist()


def _links(logits: torch.Tensor) -> list[int]:
    """The best track of each mention in its clip, -1 where its clip has none."""
    if not logits.shape[1]:
        return [-1] * logits.shape[0]
    best = logits.max(dim=1)
    return [
        int(k) if value > NOWHERE / 2 else -1
        for value, k in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


def _labels(links: Sequence[int], video: torch.Tensor) -> list[int]:
    """Mentions whose tracks are one person share a label; mentions without a track are alone."""
    labels: list[int] = []
    for mention, link in enumerate(links):
        earlier = [
            m
            for m in range(mention)
            if link >= 0 and links[m] >= 0 and (links[m] == link or float(video[links[m], link]) >= 0)
        ]
        labels.append(labels[earlier[0]] if earlier else mention)
    return labels


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of ``(..., T, D)`` over valid steps."""
    weights = mask.unsqueeze(-1).to(values.dtype)
    return (values * weights).sum(dim=-2) / weights.sum(dim=-2).clamp(min=1)
