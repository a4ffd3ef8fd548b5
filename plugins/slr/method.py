"""Registration of SLR: its choices, recipes, ablations and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example, Relation
    from reelbench.training.source import TrainingSource

SIGHT, THUMBNAIL = ("appearance", "motion", "audio"), "thumbnail"
MOMENT_CLIPS = 1000
Chances = tuple[float, float, float]
BOTH: Chances = (1.0, 0.0, 0.0)
SOME: Chances = (0.5, 0.25, 0.25)
EITHER: Chances = (0.0, 0.5, 0.5)


class SLRConfig(Config):
    """The paper's numbers. Chances are of seeing both media, the video alone, the sentence alone."""

    hidden: int = 512
    latent_width: int = 512
    word: int = 512
    max_words: int = 35
    share: bool = True
    latent: Literal["variational", "none"] = "variational"
    frames: Literal["drawn", "changed"] = "drawn"
    video_target: Literal["match", "own"] = "match"
    video_weight: float = 1.0
    sentence_weight: float = 1.0
    prior_weight: float = 0.01
    full_inputs: Chances = BOTH
    partial_inputs: Chances = SOME
    tune_inputs: Chances = EITHER

    @property
    def outputs(self) -> tuple[Literal["video", "sentence"], ...]:
        """The media whose loss counts."""
        weights = {"sentence": self.sentence_weight, "video": self.video_weight}
        return tuple(medium for medium in ("sentence", "video") if weights[medium])


class SLRSettings(Config):
    """How sentences are read off: the width of the beam, the longest one."""

    beam: int = 1
    max_words: int = 35


FULL = Phase(
    name="full",
    relation="captions",
    epochs=20,
    batch_size=100,
    learning_rate=1e-4,
    clip_norm=35.0,
    validate=None,
    select="last",
)
PARTIAL = replace(FULL, name="partial", epochs=80, learning_rate=1e-5)
TUNE = replace(FULL, name="tune", epochs=20, learning_rate=1e-5, validate="metric", select="best")

TINY: dict[str, Any] = {
    "hidden": 128, "latent_width": 128, "word": 64, "max_words": 20, "predict.max_words": 20, "frames": "changed",
    "full.steps": 700, "full.batch_size": 64, "full.learning_rate": 3e-3,
    "partial.steps": 1000, "partial.batch_size": 64, "partial.learning_rate": 2e-3, "partial.schedule": "cosine",
    "tune.steps": 500, "tune.batch_size": 64, "tune.learning_rate": 1e-3, "tune.schedule": "cosine",
    "tune.validate": None, "tune.select": "last",
}  # fmt: skip
"""The paper's structure at widths and lengths for two cores."""


class SLR(Method):
    """Videos and sentences meet in one latent vector, from which either is told or drawn. Source: Shen et al., AAAI 2018.

    Departures
    ----------
    """

    name = "slr"
    title = "SLR"
    Config = SLRConfig
    Predict = SLRSettings
    recipes: ClassVar = {
        "shared": Recipe(
            serves=("captioning", "reconstruction"),
            phases=(FULL, PARTIAL),
            summary="one model for every pair of an input and an output",
        ),
        "to-sentence": Recipe(
            serves=("captioning", "reconstruction:caption"),
            phases=(TUNE,),
            config={"video_weight": 0.0},
            summary="the shared model, tuned to sentences",
        ),
        "to-video": Recipe(
            serves=("reconstruction:video", "reconstruction:sentence"),
            phases=(TUNE,),
            config={"sentence_weight": 0.0, "video_target": "own"},
            summary="the shared model, tuned to frames",
        ),
    }
    variants: ClassVar = {
        "s2s-vae": {"share": False},
        "lstm": {"share": False, "latent": "none"},
        "no-full-phase": {"full_inputs": SOME},
        "no-partial-phase": {"partial_inputs": BOTH},
    }
    presets: ClassVar = {
        "tiny": TINY,
        "base": TINY,
        "paper": {},
        "paper-msrvtt": {
            "full.epochs": 60,
            "full.learning_rate": 1e-3,
            "partial.epochs": 40,
            "partial.learning_rate": 1e-4,
            "tune.learning_rate": 1e-4,
        },
    }

    def features(self, config: SLRConfig, recipe: str) -> tuple[str, ...]:
        """What is seen and heard, and the frames where they are learnt."""
        return (*SIGHT, THUMBNAIL) if config.video_weight else SIGHT

    def upstream(self, config: SLRConfig, recipe: str) -> Sequence[Upstream]:
        """The tuned recipes start from the shared one."""
        if recipe == "shared":
            return ()
        return (Upstream(name="shared", recipe="shared", assets=("vocabulary", "moments", "matches")),)

    def assets(self, source: TrainingSource, config: SLRConfig, recipe: str) -> Mapping[str, Any]:
        """Vocabulary, moments of mean frames, and the places of each content's examples; of the shared fit where there is one."""
        if recipe != "shared":
            return {}
        import numpy as np

        from reelbench.plugins.layers.frames import mean_frame, moments_of
        from reelbench.plugins.layers.words import training_vocabulary

        captions, clips = source.relation("captions"), source.relation("clips")
        chosen = source.rng.permutation(len(clips))[:MOMENT_CLIPS]
        means = np.stack([mean_frame(source.read(clips[int(i)]["video"]), SIGHT) for i in chosen])
        matches: dict[str, list[int]] = {}
        for place, example in enumerate(captions):
            matches.setdefault(str(example["content"]), []).append(place)
        return {
            "vocabulary": training_vocabulary(source, "captions", "sentence", 1),
            "moments": moments_of(means),
            "matches": matches,
        }

    def build(self, data: DataInfo, config: SLRConfig) -> torch.nn.Module:
        """The network of Figure 2."""
        from reelbench.plugins.slr.model import SLR as Network

        return Network(data, config)

    def sample(self, example: Example, source: Relation, ctx: Context) -> Example:
        """Another sentence, and perhaps another video, of the same content as what is to be told and drawn."""
        places = ctx.data.assets["matches"].get(str(example["content"]), ())
        assert ctx.rng is not None
        others = [source[i] for i in places if source[i].id != example.id]
        match = others[int(ctx.rng.integers(len(others)))] if others else example
        targets = {"said": match["sentence"]}
        if ctx.config.video_target == "match" and ctx.config.video_weight:
            targets["shown"] = match["video"]
        return example.with_fields(**targets)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The mean frame, words as numbers, frames in [0, 1]; what is not to be read stays out."""
        from reelbench.data import Example
        from reelbench.plugins.layers.frames import mean_frame
        from reelbench.plugins.layers.sentences import caption_ids
        from reelbench.plugins.layers.words import known_words

        vocabulary, limit = ctx.data.assets["vocabulary"], ctx.config.max_words
        fields: dict[str, Any] = {}
        if "video" in example.fields:
            fields["video"] = mean_frame(example["video"], SIGHT)
        if "sentence" in example.fields:
            fields["sentence"] = known_words(vocabulary, example["sentence"], limit)
        if "first_frame" in example.fields:
            fields["first_frame"] = example["first_frame"]
        if "said" in example.fields:
            fields["said"] = caption_ids(vocabulary, example["said"], limit)
            if ctx.config.video_weight:
                fields["frames"] = _frames(example.fields.get("shown", example["video"]))
        return Example(example.id, fields, example.targets)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, torch.Tensor]:
        """Eq. 9."""
        from reelbench.plugins.slr import losses

        return losses.total(module, batch, ctx)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Frames or sentences."""
        from reelbench.plugins.slr import losses

        return losses.predicted(module, batch, ctx)


def _frames(video: Mapping[str, Any]) -> Any:
    """The frames of a clip in [0, 1], the first of which is given: ``(F + 1, H, W, 3)``."""
    from reelbench.tasks.reconstruction import LEVELS, frame_places

    rows = video[THUMBNAIL]
    return rows[frame_places(len(rows))] / LEVELS


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """SLR."""
    return [SLR]
