"""Video only: how far pictures alone go, deaf to the sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.data import Example
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource


class VideoOnlyConfig(Config):
    """Width of the hidden layer."""

    head: Literal["blanks", "segments"] = "blanks"
    width: int = 64


def _recipe(relation: str, task: str, steps: int) -> Recipe:
    phase = Phase(
        name="watch",
        relation=relation,
        steps=steps,
        batch_size=64,
        learning_rate=3e-3,
        schedule="cosine",
        validate=None,
        select="last",
    )
    return Recipe(serves=(task,), phases=(phase,), config={"head": relation})


class VideoOnly(Method):
    """Mean features and one hidden layer: the word most likely missing, the moment most likely meant, unasked.

    Departures
    ----------
    A moment is scored from its own mean features, the mean of all candidates, and where it lies.
    """

    name = "video-only"
    title = "Video only"
    role = "baseline"
    modalities = ("appearance", "motion", "audio")
    Config = VideoOnlyConfig
    presets: ClassVar = {"tiny": {}, "base": {"watch.steps": 2000}}
    recipes: ClassVar = {
        "blanks": _recipe("blanks", "fill_in_blank", 400),
        "segments": _recipe("segments", "localization", 200),
    }

    def assets(self, source: TrainingSource, config: VideoOnlyConfig, recipe: str) -> Mapping[str, Any]:
        """Moments of the features."""
        from reelbench.plugins.layers.frames import feature_moments

        return {"moments": feature_moments(source, recipe)}

    def build(self, data: DataInfo, config: VideoOnlyConfig) -> torch.nn.Module:
        """One hidden layer."""
        from reelbench.plugins.baselines.video_networks import MomentWatcher, WordWatcher

        return (MomentWatcher if config.head == "segments" else WordWatcher)(data, config.width)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Mean features of the clip, or of each candidate."""
        from reelbench.plugins.baselines.moments import candidates_of, located_means, votes
        from reelbench.plugins.layers.frames import mean_frame

        if ctx.recipe == "segments":
            fields = {
                "windows": located_means(example, ctx.data.features),
                "candidates": candidates_of(example),
            }
            return Example(example.id, fields, example.targets and {"votes": votes(example)})
        fields = {"video": mean_frame(example["video"], tuple(ctx.data.features))}
        return Example(example.id, fields, answer_number(example.targets, ctx))

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Cross-entropy."""
        return module.loss(batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Scores of words, or ranked candidates."""
        from reelbench.plugins.baselines.moments import rank_batch

        scores = module(batch)
        return (
            {"segments": rank_batch(batch["candidates"], scores)}
            if ctx.recipe == "segments"
            else {"scores": scores}
        )


def answer_number(targets: Mapping[str, Any] | None, ctx: Context) -> Mapping[str, Any] | None:
    """A blank's answer as its number in the answers' vocabulary, −100 (ignored) where it has none."""
    answers = ctx.data.spaces["answers"]
    return targets and {"answer": answers.index(targets["answer"]) if targets["answer"] in answers else -100}
