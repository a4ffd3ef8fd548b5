"""Mean pooling: the mean of all frames beside the words, for blanks, captions and people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.data import Example
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe
from reelbench.plugins.layers.sentence_search import SentenceSearch

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource

SIGHT, PEOPLE = ("appearance", "motion", "audio"), ("person_face", "person_body", "person_look")
TEXT_FIELD = {"blanks": "sentence", "captions": "sentence", "sets": "sentences"}


class MeanPoolConfig(Config):
    """Widths."""

    head: Literal["blanks", "captions", "sets"] = "blanks"
    width: int = 128
    word: int = 64


def _recipe(relation: str, *serves: str, steps: int, batch_size: int) -> Recipe:
    phase = Phase(
        name="train",
        relation=relation,
        steps=steps,
        batch_size=batch_size,
        learning_rate=3e-3,
        schedule="cosine",
        validate=None,
        select="last",
    )
    return Recipe(serves=serves, phases=(phase,), config={"head": relation})


class MeanPool(Method):
    """One mean vector a clip or a person, and a small network on it. Source: Venugopalan et al., NAACL 2015 (captions).

    Departures
    ----------
    - Captions: one LSTM layer that sees the mean vector at every step; stories clip by clip.
    - Blanks: the mean vector beside the text-only baseline's context.
    - People: two tracks by their mean features; a mention's track by the product of the words round it with the tracks
      of its clip.
    """

    name = "mean-pool"
    title = "Mean pooling"
    role = "baseline"
    modalities = SIGHT
    Config = MeanPoolConfig
    Predict = SentenceSearch
    presets: ClassVar = {"tiny": {}, "base": {"train.steps": 8000}}
    recipes: ClassVar = {
        "blanks": _recipe("blanks", "fill_in_blank", steps=500, batch_size=64),
        "captions": _recipe("captions", "captioning", "storytelling", steps=400, batch_size=64),
        "sets": _recipe(
            "sets", "reidentification:grounding", "reidentification:video", steps=300, batch_size=32
        ),
    }

    def features(self, config: MeanPoolConfig, recipe: str) -> tuple[str, ...]:
        """People's features for sets, frames' for the rest."""
        return PEOPLE if recipe == "sets" else SIGHT

    def assets(self, source: TrainingSource, config: MeanPoolConfig, recipe: str) -> Mapping[str, Any]:
        """Vocabulary and moments."""
        from reelbench.plugins.layers.frames import feature_moments
        from reelbench.plugins.layers.words import training_vocabulary

        tracks = recipe == "sets"
        moments = feature_moments(source, recipe, "tracks" if tracks else "video", track=tracks)
        return {"vocabulary": training_vocabulary(source, recipe, TEXT_FIELD[recipe], 1), "moments": moments}

    def build(self, data: DataInfo, config: MeanPoolConfig) -> torch.nn.Module:
        """The head's network."""
        from reelbench.plugins.baselines import pooled_networks

        return pooled_networks.build(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Mean vectors, and words as numbers."""
        from reelbench.plugins.baselines import pooled_examples

        return pooled_examples.PREPARE[ctx.recipe](example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """The head's loss."""
        return module.loss(batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """The head's answers as the task wants them."""
        return module.predict(batch, ctx)
