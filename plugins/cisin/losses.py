"""The losses of §6.3.6, and what the graphs predict for each protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from reelbench.plugins.cisin.model import CiSIN, Graphs, identity, log_identity

if TYPE_CHECKING:
    from reelbench.batching import Batch, Padded
    from reelbench.plugins.cisin.method import CiSINConfig


def losses(model: CiSIN, batch: Batch, config: CiSINConfig) -> dict[str, torch.Tensor]:
    """Every loss that the model's parts have, and their weighted sum ``loss``."""
    graphs, targets = model(batch), _targets(batch)
    people, tracks = targets["mention_identity"], targets["track_identity"]
    terms: dict[str, torch.Tensor] = {}
    if graphs.grounding is not None:
        terms["grounding"] = grounding_loss(
            graphs.grounding, targets["mention_track"], people, graphs.near, config
        )
    if graphs.video is not None:
        terms |= video_losses(model, graphs, tracks, config)
    logits = identity_logits(model, graphs) if config.joint else _own(graphs)
    if logits and config.identity:
        terms["identity"] = identity_loss(logits, people)
    if graphs.gender is not None and "genders" in batch:
        terms["gender"] = gender_loss(graphs.gender, batch["genders"])
    weights = config.loss_weights
    total = torch.stack([getattr(weights, name) * term for name, term in terms.items()]).sum()
    return {**terms, "loss": total}


# --- grounding ------------------------------------------------------------------------------------------------------


def grounding_loss(
    scores: torch.Tensor, track: Padded, people: Padded, near: torch.Tensor, config: CiSINConfig
) -> torch.Tensor:
    """Eq. 6.12 and 6.13: another track of the clip, and a mention of somebody else, below the positive pair.

    ``scores`` is G ``(B, M, K)``. Mentions without a track teach nothing.
    """
    shown = track.mask & (track.data >= 0)  # (B, M)
    index = track.data.clamp_min(0)
    right = scores.gather(2, index.unsqueeze(2))  # g(s, t), (B, M, 1)
    place = torch.arange(scores.shape[2], device=scores.device)
    other_tracks = near & shown.unsqueeze(2) & (place != index.unsqueeze(2))  # (B, M, K)
    of_track = scores.gather(2, index.unsqueeze(1).expand(-1, scores.shape[1], -1)).transpose(1, 2)
    others = different(people) & shown.unsqueeze(2)  # (B, M, M): g(s-, t) of the first mention's track
    return hinge(right - scores, other_tracks, config.grounding_margin, config.negatives) + hinge(
        right - of_track, others, config.grounding_margin, config.negatives
    )


def hinge(lead: torch.Tensor, valid: torch.Tensor, margin: float, negatives: str) -> torch.Tensor:
    """The mean of ``max(0, margin - lead)`` over valid entries, or over the hardest of each row that has any."""
    hinges = (margin - lead).clamp_min(0.0) * valid
    if negatives == "hardest":
        hinges, valid = hinges.amax(-1), valid.any(-1)
    return hinges.sum() / valid.sum().clamp_min(1)


def different(people: Padded) -> torch.Tensor:
    """Pairs of rows of two persons: ``(B, M, M)``."""
    return _valid(people) & (people.data.unsqueeze(2) != people.data.unsqueeze(1))


def alike(people: Padded) -> torch.Tensor:
    """Pairs of two rows of one person: ``(B, M, M)``."""
    self_pairs = torch.eye(people.data.shape[1], dtype=torch.bool, device=people.data.device)
    return _valid(people) & (people.data.unsqueeze(2) == people.data.unsqueeze(1)) & ~self_pairs


def _valid(rows: Padded) -> torch.Tensor:
    return rows.mask.unsqueeze(2) & rows.mask.unsqueeze(1)


# --- video re-identification ----------------------------------------------------------------------------------------


def video_losses(
    model: CiSIN, graphs: Graphs, people: Padded, config: CiSINConfig
) -> dict[str, torch.Tensor]:
    """Eq. 6.14 with cross-entropy of its threshold alone, or cross-entropy of the scores themselves."""
    scores = model.same_tracks(graphs)
    assert scores is not None
    if config.video_loss == "cross-entropy":
        return {"video": pair_cross_entropy(scores, people)}
    level = model.same_tracks(detached(graphs))  # what is left to learn are the bias and lambda
    assert level is not None
    return {
        "video": triplet_loss(scores, people, config.video_margin),
        "threshold": pair_cross_entropy(level, people),
    }


def triplet_loss(scores: torch.Tensor, people: Padded, margin: float) -> torch.Tensor:
    """Eq. 6.14, the mean over all triplets of V ``(B, K, K)``."""
    positive, negative = alike(people), different(people)
    triplets = positive.unsqueeze(3) & negative.unsqueeze(2)  # (B, K, K+, K-)
    return hinge(scores.unsqueeze(3) - scores.unsqueeze(2), triplets, margin, "all")


def pair_cross_entropy(logits: torch.Tensor, people: Padded) -> torch.Tensor:
    """Mean cross-entropy of pairs of rows being one person."""
    same, valid = alike(people), alike(people) | different(people)
    each = functional.binary_cross_entropy_with_logits(logits, same.to(logits.dtype), reduction="none")
    return (each * valid).sum() / valid.sum().clamp_min(1)


def detached(graphs: Graphs) -> Graphs:
    """The same graphs without gradients."""
    return Graphs(*(None if x is None else x.detach() for x in vars(graphs).values()))  # type: ignore[arg-type]


# --- text, and the graph that all close to --------------------------------------------------------------------------


def identity_logits(model: CiSIN, graphs: Graphs) -> list[torch.Tensor]:
    """Logits of those of L and R that the model has."""
    return [x for x in (graphs.text, model.seen_together(graphs)) if x is not None]


def _own(graphs: Graphs) -> list[torch.Tensor]:
    return [] if graphs.text is None else [graphs.text]


def identity_loss(logits: list[torch.Tensor], people: Padded) -> torch.Tensor:
    """Binary cross-entropy of C against who is who, over pairs of two mentions."""
    same, other = alike(people), different(people)
    each = log_identity(logits) * same + log_identity([-x for x in logits]) * other
    return -each.sum() / (same | other).sum().clamp_min(1)


def gender_loss(logits: torch.Tensor, genders: Padded) -> torch.Tensor:
    """Binary cross-entropy of Eq. 6.6."""
    each = functional.binary_cross_entropy_with_logits(
        logits, genders.data.to(logits.dtype), reduction="none"
    )
    return (each * genders.mask).sum() / genders.mask.sum().clamp_min(1)


# --- predictions ----------------------------------------------------------------------------------------------------


def predict(model: CiSIN, batch: Batch, protocol: str) -> dict[str, Any]:
    """The protocol's column; a model without the graph that answers it links nobody with anybody."""
    graphs = model(batch)
    mentions, tracks = batch["mention_clip"], batch["track_clip"]
    if protocol == "grounding":
        return {"links": cut_rows(best_tracks(graphs.grounding, graphs.near), mentions)}
    if protocol == "video":
        logits = model.same_tracks(graphs)
        return {
            "same": _cut_tables(_or_nobody(logits if logits is None else logits.sigmoid(), tracks), tracks)
        }
    both = identity_logits(model, graphs)
    tables = _cut_tables(_or_nobody(identity(both) if both else None, mentions), mentions)
    if protocol == "text":
        return {"same": tables}
    from reelbench.plugins.layers.clusters import agglomerate

    return {"labels": [agglomerate(table) for table in tables]}


def best_tracks(scores: torch.Tensor | None, near: torch.Tensor) -> torch.Tensor:
    """Each mention's best track ``(B, M)`` by scores ``(B, M, K)``, of the ``near`` ones; -1 where there is none."""
    if scores is None or near.shape[2] == 0:
        return torch.full(near.shape[:2], -1, device=near.device)
    return torch.where(near.any(-1), scores.masked_fill(~near, float("-inf")).argmax(-1), -1)


def _or_nobody(probabilities: torch.Tensor | None, rows: Padded) -> torch.Tensor:
    return torch.zeros(_valid(rows).shape) if probabilities is None else probabilities


def cut_rows(values: torch.Tensor, rows: Padded) -> list[list[int]]:
    """Rows ``(B, M)`` without padding."""
    return [row[:n].tolist() for row, n in zip(values, rows.lengths.tolist(), strict=True)]


def _cut_tables(values: torch.Tensor, rows: Padded) -> list[list[list[float]]]:
    return [table[:n, :n].tolist() for table, n in zip(values, rows.lengths.tolist(), strict=True)]


def _targets(batch: Batch) -> Any:
    assert batch.targets is not None
    return batch.targets
