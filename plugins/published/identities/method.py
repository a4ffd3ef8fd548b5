"""Registration of the baselines of identity: distance of features, text alone, verbs with tracks, JSFusion's fusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe
from reelbench.plugins.cisin.method import TextSizes

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example
    from reelbench.training.source import TrainingSource

PEOPLE = ("person_face", "person_body", "person_look")
CLIPS = ("appearance", "motion", "audio")
TINY_TEXT: dict[str, Any] = {
    "hidden": 64, "dropout": 0.1,
    "text_encoder": "blstm", "text_width": 64, "text_layers": 2, "text_heads": 4, "text_dropout": 0.2, "max_words": 128,
}  # fmt: skip
TINY_PHASE: dict[str, Any] = {
    "match.batch_size": 32, "match.learning_rate": 2e-3, "match.weight_decay": 1e-6, "match.schedule": "cosine",
    "match.validate": None, "match.select": "last",
}  # fmt: skip


def _phase(batch_size: int) -> Phase:
    """CiSIN's own training (§6.3.6)."""
    return Phase(
        name="match",
        relation="sets",
        epochs=15,
        batch_size=batch_size,
        learning_rate=1e-5,
        weight_decay=1e-8,
    )


class DistanceConfig(Config):
    """Which features are compared."""

    modalities: tuple[str, ...] = ("person_look",)
    sets: int = 300
    """Of training, from which the threshold is read."""


class FeatureDistance(Method):
    """Two tracks are one person if their mean features are near. Source: thesis Table 6.1, "ResNet-50 (ImageNet pretrained)".

    Departures
    ----------
    The paper does not say how its threshold was chosen: here it is the distance that is right for most pairs of tracks of
    evenly spaced training sets. Features are standardised first. The default compares whole persons, as the paper's row;
    ``face`` compares faces, ``everything`` all there is.
    """

    name = "feature-distance"
    title = "Feature distance"
    role = "baseline"
    deterministic = True
    Config = DistanceConfig
    recipes: ClassVar = {
        "measure": Recipe(serves=("reidentification:video",), summary="a threshold, nothing learned")
    }
    variants: ClassVar = {"face": {"modalities": ("person_face",)}, "everything": {"modalities": PEOPLE}}
    presets: ClassVar = {"tiny": {}, "base": {}, "paper": {}}

    def features(self, config: DistanceConfig, recipe: str) -> tuple[str, ...]:
        """What is compared."""
        return config.modalities

    def assets(self, source: TrainingSource, config: DistanceConfig, recipe: str) -> Mapping[str, Any]:
        """Moments, the threshold, and how far distances spread."""
        from reelbench.plugins.published.identities import distances

        return distances.calibrate(source, config.sets)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Standardised means of tracks."""
        from reelbench.data import Example
        from reelbench.plugins.published.identities import distances

        means = distances.track_means(example["tracks"], tuple(ctx.data.features))
        return Example(example.id, {"tracks": distances.standardised(means, ctx.data.assets["moments"])})

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """A table of tracks, one half at the threshold."""
        from reelbench.plugins.published.identities import distances

        tracks = batch["tracks"]
        rows = [x[:n].numpy() for x, n in zip(tracks.data.cpu(), tracks.lengths.tolist(), strict=True)]
        return {"same": [distances.likeness(row, ctx.data.assets).tolist() for row in rows]}


class TextEncoder(Method):
    """CiSIN's text encoder and text graph alone. Source: thesis Table 6.2, "BERT baseline".

    Departures
    ----------
    As CiSIN's: a pretrained model where one is named, otherwise an encoder trained from scratch. It is CiSIN's variant
    ``text-only``, with training steps of its own.
    """

    name = "text-encoder"
    title = "Text encoder"
    role = "baseline"
    Config = TextSizes
    recipes: ClassVar = {
        "match": Recipe(serves=("reidentification:text", "reidentification:characters"), phases=(_phase(1),))
    }
    presets: ClassVar = {
        "tiny": {**TINY_TEXT, **TINY_PHASE, "match.steps": 400},
        "base": {**TINY_TEXT, **TINY_PHASE, "match.steps": 3000},
        "paper": {"pretrained": "bert-base-uncased"},
    }

    def assets(self, source: TrainingSource, config: TextSizes, recipe: str) -> Mapping[str, Any]:
        """The vocabulary."""
        from reelbench.plugins.cisin.examples import text_assets

        return text_assets(source, config)

    def build(self, data: DataInfo, config: TextSizes) -> torch.nn.Module:
        """The text graph."""
        from reelbench.plugins.published.identities.model import TextMatcher

        return TextMatcher(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Words and places."""
        from reelbench.data import Example
        from reelbench.plugins.cisin.words import text_fields

        return Example(example.id, text_fields(example, ctx), example.targets)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Cross-entropy of pairs of mentions."""
        return module.loss(batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Tables of mentions, or labels made from them."""
        return module.predict(batch, ctx.protocol)


class FusionConfig(TextSizes):
    """Sizes of the fusion: thesis §5.3.6, its fill-in-the-blank model."""

    joint: int = 1024
    attention: int = 2048
    fusion: int = 2048
    conv: int = 1024
    decision: tuple[int, int, int] = (1024, 1024, 1024)
    lstm: int = 512
    fusion_dropout: float = 0.2
    max_frames: int = 40


class FusedMatcher(TextEncoder):
    """JSFusion made to fill in characters: text and video, no tracks. Source: thesis Table 6.2, "JSFusion with BERT".

    Departures
    ----------
    The paper only says that the fill-in-the-blank model was "modified": here the clip and its sentence are fused to one
    vector as there, the mention's word is added to it as the skip connection of the blank, and two mentions are compared as in
    CiSIN's Eq. 6.10.
    """

    name = "jsfusion-people"
    title = "JSFusion (people)"
    modalities = CLIPS
    Config = FusionConfig
    presets: ClassVar = {
        "tiny": {
            **TINY_TEXT, **TINY_PHASE, "match.batch_size": 16, "match.steps": 400,
            "joint": 64, "attention": 8, "fusion": 8, "conv": 8, "decision": (64, 64, 64), "lstm": 32,
            "fusion_dropout": 0.3, "max_frames": 7,
        },
        "base": {
            **TINY_TEXT, **TINY_PHASE, "match.batch_size": 16, "match.steps": 2000,
            "joint": 64, "attention": 8, "fusion": 8, "conv": 8, "decision": (64, 64, 64), "lstm": 32,
            "fusion_dropout": 0.3, "max_frames": 7,
        },
        "paper": {"pretrained": "bert-base-uncased"},
    }  # fmt: skip

    def assets(self, source: TrainingSource, config: TextSizes, recipe: str) -> Mapping[str, Any]:
        """The vocabulary, and moments of clips."""
        from reelbench.plugins.layers.frames import feature_moments

        return {
            **super().assets(source, config, recipe),
            "moments": feature_moments(source, "sets", "videos"),
        }

    def build(self, data: DataInfo, config: Any) -> torch.nn.Module:
        """JSFusion's parts round CiSIN's text encoder."""
        from reelbench.plugins.published.identities.model import FusedMatcher as Network

        return Network(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Words and places, those of each clip's sentence, and each clip's frames."""
        from reelbench.plugins.layers.frames import sample_frames
        from reelbench.plugins.published.identities.sentences import sentence_places

        modalities, limit = tuple(ctx.data.features), ctx.config.max_frames
        prepared = super().prepare(example, ctx)
        return prepared.with_fields(
            frames=[sample_frames(video, modalities, limit) for video in example["videos"]],
            places=sentence_places(prepared["sentence_of"], len(example["videos"])),
        )


class VerbConfig(Config):
    """Widths of the common space and of word vectors, and the margin between cosines."""

    width: int = 1024
    word: int = 300
    margin: float = 0.2


class VerbEmbedding(Method):
    """A mention's verb and a track embedded side by side. Source: Pini et al., M-VAD Names, 2019; thesis Table 6.2.

    Departures
    ----------
    Table 6.2 has its number only. Here a word vector of the verb and the mean features of a track are embedded by two
    layers each, compared by their cosine, and trained by the margin of Eq. 6.12.
    """

    name = "verb-embedding"
    title = "Verb embedding"
    role = "baseline"
    modalities = PEOPLE
    Config = VerbConfig
    recipes: ClassVar = {"match": Recipe(serves=("reidentification:grounding",), phases=(_phase(32),))}
    presets: ClassVar = {
        "tiny": {**TINY_PHASE, "width": 64, "word": 32, "match.steps": 300},
        "base": {**TINY_PHASE, "width": 64, "word": 32, "match.steps": 3000},
        "paper": {},
    }

    def assets(self, source: TrainingSource, config: VerbConfig, recipe: str) -> Mapping[str, Any]:
        """The vocabulary and moments of tracks."""
        from reelbench.plugins.layers.frames import feature_moments
        from reelbench.plugins.layers.words import training_vocabulary

        return {
            "vocabulary": training_vocabulary(source, "sets", "sentences", 1),
            "moments": feature_moments(source, "sets", "tracks", track=True),
        }

    def build(self, data: DataInfo, config: VerbConfig) -> torch.nn.Module:
        """The two embeddings."""
        from reelbench.plugins.published.identities.model import VerbMatcher

        return VerbMatcher(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The verb of each mention, standardised means of tracks, and the clips of both."""
        from reelbench.data import Example
        from reelbench.plugins.published.identities import distances, sentences

        means = distances.track_means(example["tracks"], tuple(ctx.data.features))
        fields = {
            "tracks": distances.standardised(means, ctx.data.assets["moments"]),
            **sentences.verb_fields(example, ctx.data.assets["vocabulary"]),
        }
        return Example(example.id, fields, example.targets)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Hinges of other tracks of the clip."""
        return module.loss(batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """The nearest track of the clip."""
        return module.predict(batch)


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """The baselines of identity."""
    return [FeatureDistance, TextEncoder, VerbEmbedding, FusedMatcher]
