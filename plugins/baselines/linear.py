"""Linear classifiers of mean features: tags, actions, and the classes of windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource

SPACE = {"tags": "tags", "actions": "actions", "events": "actions"}


class LinearConfig(Config):
    """What is classified, and how many experts a class has (0: one linear layer)."""

    head: str = "tags"
    experts: int = 0


class DetectSettings(Config):
    """Windows in tenths of a video, how many of a video's detections are kept, and the overlap that suppresses."""

    windows: tuple[int, ...] = (1, 2, 3)
    keep: int = 20
    suppress: float = 0.3


def _recipe(relation: str, task: str, epochs: int, rate: float = 1e-2, decay: float = 1e-5) -> Recipe:
    phase = Phase(
        name="train", relation=relation, epochs=epochs, batch_size=128, learning_rate=rate, schedule="cosine", weight_decay=decay,
        validate=None, select="last",
    )  # fmt: skip
    return Recipe(serves=(task,), phases=(phase,), config={"head": relation})


class Linear(Method):
    """Logistic and softmax regression on the mean of all frames. Source: google/youtube-8m (LogisticModel).

    Departures
    ----------
    - Events: segments of training, and as many random windows as no class, by softmax; at test every window of one to
      three tenths of the video, then greedy suppression by class.
    - Features are standardised, not L2-normalised. A class without training clips gets what its bias learnt.
    """

    name = "linear"
    title = "Linear on mean features"
    role = "baseline"
    modalities = ("appearance", "motion", "audio")
    Config = LinearConfig
    Predict = DetectSettings
    presets: ClassVar = {"tiny": {}, "base": {"train.epochs": 240}}
    recipes: ClassVar = {
        "tags": _recipe("tags", "tagging", 120, rate=3e-2, decay=1e-4),
        "actions": _recipe("actions", "action_recognition", 20),
        "events": _recipe("events", "detection", 20),
    }

    def assets(self, source: TrainingSource, config: LinearConfig, recipe: str) -> Mapping[str, Any]:
        """Moments of the features."""
        from reelbench.plugins.layers.frames import feature_moments

        return {"moments": feature_moments(source, recipe)}

    def build(self, data: DataInfo, config: LinearConfig) -> torch.nn.Module:
        """Standardising and one layer."""
        from reelbench.plugins.baselines.classifiers import Classifier

        extra = config.head == "events"
        return Classifier(data, len(data.spaces[SPACE[config.head]]) + extra, config.experts)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Mean features of the clip, or of windows of the video."""
        from reelbench.plugins.baselines import windows
        from reelbench.plugins.layers.frames import mean_frame

        if ctx.recipe == "events":
            return (
                windows.for_training(example, ctx) if ctx.training else windows.for_prediction(example, ctx)
            )
        return Example(
            example.id, {"video": mean_frame(example["video"], tuple(ctx.data.features))}, example.targets
        )

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Binary cross-entropy of tags, cross-entropy of classes."""
        from reelbench.plugins.baselines import classifiers

        return {
            "tags": classifiers.tag_loss,
            "actions": classifiers.class_loss,
            "events": classifiers.window_loss,
        }[ctx.recipe](module, batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Probabilities of tags, logits of classes (a certain sigmoid is 1 for several of them), or detections."""
        from reelbench.plugins.baselines import windows

        if ctx.recipe == "events":
            return {"detections": windows.detect(module, batch, ctx.settings)}
        logits = module(batch["video"].data)
        return {"scores": logits if ctx.recipe == "actions" else logits.sigmoid()}


class MixtureOfExperts(Linear):
    """Two gated logistic experts a tag on mean features. Source: google/youtube-8m (MoeModel), the BN-LSTM paper's baseline.

    Departures
    ----------
    As :class:`Linear`'s.
    """

    name = "moe"
    title = "Mixture of experts"
    recipes: ClassVar = {"tags": _recipe("tags", "tagging", 48, rate=3e-3, decay=2e-3)}
    presets: ClassVar = {"tiny": {"experts": 2}, "base": {"experts": 2, "train.epochs": 120}}
