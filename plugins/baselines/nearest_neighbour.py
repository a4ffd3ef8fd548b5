"""Nearest neighbours: the answers of the training clips that look most alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.method import Config, Context, Method, Recipe

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource


class NearestNeighbourConfig(Config):
    """How many clips vote; captions are quoted from the nearest alone."""

    neighbours: int = 10


class NearestNeighbour(Method):
    """Mean features, Euclidean distance after standardising, ten neighbours: quoted, counted or averaged.

    Departures
    ----------
    A neighbour is a clip, however many captions it has; the first of them is quoted. A sentence is matched to a video
    by its tf-idf product with the mean of the neighbours' captions; a paragraph or a story by its sentences and clips.
    A map is the mean of the neighbours' maps over all their frames.
    """

    name = "nearest-neighbour"
    title = "Nearest neighbour"
    role = "baseline"
    deterministic = True
    modalities = ("appearance", "motion", "audio")
    Config = NearestNeighbourConfig
    recipes: ClassVar = {
        "captions": Recipe(serves=("captioning", "storytelling", "retrieval", "multiple_choice")),
        "tags": Recipe(serves=("tagging",)),
        "actions": Recipe(serves=("action_recognition",)),
        "gaze": Recipe(serves=("gaze",)),
    }

    def assets(
        self, source: TrainingSource, config: NearestNeighbourConfig, recipe: str
    ) -> Mapping[str, Any]:
        """The training clips' standardised means ``(n, D)``, and what they vote with."""
        import numpy as np

        from reelbench.plugins.baselines import votes
        from reelbench.plugins.layers.frames import mean_frame, moments_of

        clips = votes.by_clip(source.relation(recipe))
        means = np.stack([mean_frame(source.read(clip), tuple(source.features)) for clip in clips])
        moments = moments_of(means)
        return {
            "moments": moments,
            "means": (means - moments["mean"]) / moments["scale"],
            **votes.COLLECT[recipe](source, list(clips.values())),
        }

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Standardised mean features of each clip, and sentences as tf-idf vectors."""
        from reelbench.plugins.baselines import votes

        fields: dict[str, Any] = (
            {"clips": votes.clip_means(example, ctx)} if {"video", "videos"} & set(example.fields) else {}
        )
        if texts := example.fields.get("choices", example.fields.get("sentences")):
            fields["texts"] = votes.tf_idf(texts, ctx.data.assets)
        if "frames" in example.fields:
            fields["frames"] = int(example["frames"])
        return Example(example.id, fields, example.targets)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """The neighbours' votes in the task's column."""
        from reelbench.plugins.baselines import votes

        return votes.ANSWER[ctx.task or ""](batch, ctx)

    def encode_query(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """The mean tf-idf vector of a query's sentences: ``(B, V)``."""
        from reelbench.plugins.layers.pooling import masked_mean

        return masked_mean(batch["texts"].data, batch["texts"].mask)

    def encode_gallery(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """The mean tf-idf vector of the captions that a video's clips' neighbours have: ``(B, V)``."""
        from reelbench.plugins.baselines import votes
        from reelbench.plugins.layers.pooling import masked_mean

        return masked_mean(votes.neighbours_mean(batch["clips"], "captions", ctx), batch["clips"].mask)

    def score(self, module: Any, query: Any, gallery: Any, ctx: Context) -> Any:
        """Cosines ``(Q, G)``."""
        from torch.nn.functional import normalize

        return normalize(query, dim=1) @ normalize(gallery, dim=1).T
