"""Visual-semantic embedding: one vector a video, one a sentence, and their cosine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.data import Example
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource

TEXT_FIELD = {"captions": "sentence", "segments": "query", "actions": "sentence"}


class VSEConfig(Config):
    """Widths, the hinge's margin, and the temperature of cosines where one of many is chosen."""

    head: Literal["captions", "segments", "actions"] = "captions"
    width: int = 128
    word: int = 64
    margin: float = 0.2
    temperature: float = 0.1


def _recipe(relation: str, *serves: str, steps: int) -> Recipe:
    phase = Phase(
        name="embed",
        relation=relation,
        steps=steps,
        batch_size=64,
        learning_rate=2e-3,
        schedule="cosine",
        validate=None,
        select="last",
    )
    return Recipe(serves=serves, phases=(phase,), config={"head": relation})


class VSE(Method):
    """Mean features and a bidirectional LSTM's mean state in one space. Source: Kiros et al., arXiv 1411.2539.

    Departures
    ----------
    - Both sides are means over time; a video of several clips, and a paragraph, are the mean of its embeddings.
    - Moments: a candidate is its mean features, the whole video's, and where it lies, as in Hendricks et al. 2017.
    - Actions: class names are the sentences, so that unseen classes have a place.
    """

    name = "vse"
    title = "VSE"
    role = "baseline"
    modalities = ("appearance", "motion", "audio")
    Config = VSEConfig
    presets: ClassVar = {"tiny": {}, "base": {"embed.steps": 4000}}
    recipes: ClassVar = {
        "captions": _recipe("captions", "retrieval", "multiple_choice", steps=400),
        "segments": _recipe("segments", "localization", steps=300),
        "actions": _recipe("actions", "action_recognition", steps=600),
    }

    def assets(self, source: TrainingSource, config: VSEConfig, recipe: str) -> Mapping[str, Any]:
        """Vocabulary, moments, and which classes training has."""
        from reelbench.plugins.layers.frames import feature_moments
        from reelbench.plugins.layers.words import training_vocabulary

        vocabulary = training_vocabulary(source, recipe, TEXT_FIELD[recipe], 1)
        seen = (
            sorted({int((e.targets or {})["label"]) for e in source.relation(recipe)})
            if recipe == "actions"
            else []
        )
        return {"vocabulary": vocabulary, "moments": feature_moments(source, recipe), "seen": seen}

    def build(self, data: DataInfo, config: VSEConfig) -> torch.nn.Module:
        """Two encoders."""
        from reelbench.plugins.baselines.embedding import Embedding

        return Embedding(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Mean features, and words as numbers."""
        from reelbench.plugins.baselines.embedding import prepare

        return prepare(example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Hinges over the batch, or cross-entropy of candidates or classes."""
        return module.loss(batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Cosines with choices or class names, or ranked candidates."""
        from reelbench.plugins.baselines.moments import rank_batch

        if ctx.recipe == "segments":
            return {"segments": rank_batch(batch["candidates"], module.moment_scores(batch))}
        return {
            "scores": module.class_scores(batch) if ctx.recipe == "actions" else module.choice_scores(batch)
        }

    def encode_query(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """The mean of a query's sentences: ``(B, width)``."""
        return module.paragraphs(batch["sentences"])

    def encode_gallery(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """The mean of a video's clips: ``(B, width)``."""
        return module.clips(batch["clips"])

    def score(self, module: Any, query: Any, gallery: Any, ctx: Context) -> Any:
        """Cosines ``(Q, G)``."""
        return query @ gallery.T
