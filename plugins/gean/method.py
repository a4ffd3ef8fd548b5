"""Registration of GEAN: its choices, its two recipes, the rows of its tables as variants. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream
from reelbench.plugins.gean.upstream import gaze_upstream
from reelbench.plugins.layers.sentence_search import SentenceSearch

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example
    from reelbench.training.source import TrainingSource


class PoolSizes(Config):
    """A number for each feature pool."""

    scene: int
    motion: int
    fovea: int


class GEANConfig(Config):
    """The paper's numbers; ``maps``, ``mirrored``, ``scene`` and ``beside`` name the modalities in the place of its networks."""

    part: Literal["gaze", "captions"] = "gaze"
    maps: str = "spatial"
    """Feature maps: of motion for gaze, and of both the motion and the fovea pool."""
    mirrored: str | None = "spatial_mirrored"
    """The same maps of mirrored pixels, for half of the visits when gaze is trained."""
    scene: str = "appearance"
    beside: tuple[str, ...] = ("motion", "audio")
    """What joins the maps in the motion pool, without places."""
    projection: int = 512
    state: int = 128
    upsampler: tuple[int, int, int] = (64, 32, 12)
    gaze: Literal["learned", "uniform", "random", "central", "peripheral"] = "learned"
    uniform: float = 0.6
    """lambda, the uniform part of spatial attention."""
    pools: tuple[Literal["scene", "motion", "fovea"], ...] = ("scene", "motion", "fovea")
    pool_lengths: PoolSizes = PoolSizes(scene=20, motion=35, fovea=35)
    attention: int = 64
    word: int = 512
    word_deviation: float | None = None
    """Of the words' first vectors; ``None`` is Xavier's."""
    hidden: int = 512
    aggregation: PoolSizes = PoolSizes(scene=256, motion=256, fovea=512)
    dropout: float = 0.5
    max_words: int = 80


class GEANSettings(SentenceSearch):
    """How predictions are made: whether maps of gaze are blurred by two cells, and how captions are searched for."""

    smooth: bool = True


TINY: dict[str, Any] = {
    "projection": 32, "state": 16, "upsampler": (8, 4, 2),
    "gaze.steps": 250, "gaze.batch_size": 16, "gaze.learning_rate": 5e-3, "gaze.schedule": "cosine", "gaze.validate": None,
    "pool_lengths": {"scene": 8, "motion": 16, "fovea": 16}, "attention": 32, "word": 64, "word_deviation": 1.0, "hidden": 128,
    "aggregation": {"scene": 64, "motion": 64, "fovea": 128}, "dropout": 0.0, "max_words": 24,
    "captions.steps": 250, "captions.batch_size": 64, "captions.learning_rate": 5e-3, "captions.schedule": "cosine",
    "captions.validate": None,
}  # fmt: skip


class GEAN(Method):
    """Gaze that was learnt weighs the features a captioner attends to. Source: Yu et al., CVPR 2017; thesis ch. 3.

    Departures
    ----------
    - Maps in the place of C3D's and GoogLeNet's are one modality, ``spatial``, for gaze, motion and fovea alike. What is
      known of motion without places (``motion``, and sound, which the paper has not) joins the motion pool, as every
      other method has it; pools therefore have widths of their own.
    - Sizes of the upsampler are the released code's, without non-linearities or biases, as there. That code's dropout
      and batch norm, which are not connected or not in the paper, are left out, and so is its decay of the learning rate.
    - Gaze is predicted at every row of the maps (the paper: one frame in five), from the whole clip up to it; frames asked
      for are the rows in the middle of equal parts. Truth is the sum of the viewers' binary maps. Half of the visits in
      training are mirrored, drawn one by one (the released code: half of each batch).
    - Predicted maps are blurred by two cells, as in the paper's evaluation (setting ``smooth``).
    - "A uniform distribution with a strength of lambda" is added to the pooled map as a distribution: (g + lambda u) / (1 +
      lambda). Taken as an average, a pooled map sums to 1/49, and next to nothing of gaze would be left.
    - Table 3.5's fixed weights stand in the place of the pooled map and get the uniform part too; random cells are drawn for
      each row; the "inverse" of central gaze is its maximum less itself. Its uniform row is ``no-gaze``.
    - Attention's parameters are each pool's own ("independent"), shared over steps. Both GRUs have the printed reset gate, on
      the state before its product. ``b_m`` of the aggregation layer is ``b_g``.
    - Weight of the l2 regularisation, batch, length of training and selection are not given: 1e-5, 32, ten epochs, the best
      by validation. Rare words are kept; sentences have names where the dataset has them.
    - Captions are searched for as everyone's here; the paper's greedy choice is the variant ``greedy``.
    - ``tiny`` has no dropout, and words' vectors start as unit Gaussians: Xavier's start over a vocabulary is near nothing,
      and in so few steps the gates of Eq. 3.11, which multiply by it, would hardly open.
    """

    name = "gean"
    title = "GEAN"
    Config = GEANConfig
    Predict = GEANSettings
    recipes: ClassVar = {
        "gaze": Recipe(
            serves=("gaze",),
            phases=(Phase(name="gaze", relation="gaze", batch_size=28, learning_rate=1e-4, clip_norm=10.0),),
            config={"part": "gaze"},
            summary="the recurrent gaze prediction model",
        ),
        "captions": Recipe(
            serves=("captioning",),
            phases=(
                Phase(
                    name="captions",
                    relation="captions",
                    learning_rate=1e-4,
                    weight_decay=1e-5,
                ),
            ),
            config={"part": "captions"},
            summary="the captioner, with the gaze prediction model frozen",
        ),
    }
    variants: ClassVar = {
        "no-gaze": {"gaze": "uniform"},
        "fovea-motion": {"pools": ("motion", "fovea")},
        "fovea": {"pools": ("fovea",)},
        "fovea-motion-no-gaze": {"gaze": "uniform", "pools": ("motion", "fovea")},
        "fovea-no-gaze": {"gaze": "uniform", "pools": ("fovea",)},
        "random-gaze": {"gaze": "random"},
        "central-gaze": {"gaze": "central"},
        "peripheral-gaze": {"gaze": "peripheral"},
        "greedy": {"predict.beam": 1},
    }
    presets: ClassVar = {
        "tiny": TINY,
        "base": {**TINY, "gaze.steps": 1500, "captions.steps": 2500, "dropout": 0.2},
        "paper": {},
    }

    def features(self, config: GEANConfig, recipe: str) -> tuple[str, ...]:
        """Gaze: maps, and those of mirrored pixels. Captions: maps, scenes and what stands beside the maps."""
        if recipe == "gaze":
            return tuple(m for m in (config.maps, config.mirrored) if m)
        return (config.maps, config.scene, *config.beside)

    def upstream(self, config: GEANConfig, recipe: str) -> Sequence[Upstream]:
        """The one gaze fit, where gaze is learned."""
        return (gaze_upstream(),) if recipe == "captions" and config.gaze == "learned" else ()

    def assets(self, source: TrainingSource, config: GEANConfig, recipe: str) -> Mapping[str, Any]:
        """Gaze: moments of cells, and sizes by which others rebuild the predictor. Captions: vocabulary and moments."""
        from reelbench.plugins.gean.caption_examples import pool_moments
        from reelbench.plugins.layers.maps import map_moments
        from reelbench.plugins.layers.words import training_vocabulary

        if recipe == "captions":
            vocabulary = training_vocabulary(source, "captions", "sentence", 1)
            return {"vocabulary": vocabulary, "moments": pool_moments(source, config)}
        sizes = config.model_dump(mode="json", include={"projection", "state", "upsampler"})
        return {"moments": map_moments(source, "gaze", config.maps), "sizes": sizes}

    def build(self, data: DataInfo, config: GEANConfig) -> torch.nn.Module:
        """The gaze predictor, or the captioner."""
        from reelbench.plugins.gean.gaze_model import gaze_predictor
        from reelbench.plugins.gean.model import Captioner

        return gaze_predictor(data.assets) if config.part == "gaze" else Captioner(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Maps and fixations, or pools and words."""
        from reelbench.plugins.gean.caption_examples import prepare_caption
        from reelbench.plugins.gean.gaze_examples import prepare_gaze

        if ctx.recipe == "captions":
            return prepare_caption(example, ctx)
        config, video = ctx.config, example["video"]
        return prepare_gaze(example, ctx, video[config.maps], video.get(config.mirrored))

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Cross-entropy of maps, or of words."""
        from reelbench.plugins.gean.gaze_model import gaze_loss
        from reelbench.plugins.layers.sentences import word_loss

        if ctx.recipe == "captions":
            return word_loss(module(batch), batch["words"].data, module.marks[0])
        assert batch.targets is not None
        logits = module.rows(batch["maps"].data, batch["rows"].data)
        return gaze_loss(logits, batch.targets["fixations"].data)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Maps, or captions by the shared search."""
        from reelbench.plugins.gean.gaze_model import distributions
        from reelbench.plugins.layers.decoding import search

        if ctx.recipe == "captions":
            first, state = module.start(batch)
            said = search(module.step, state, first, module.marks[1], ctx.settings)
            return {"caption": [" ".join(module.vocabulary.decode(ids)) for ids in said]}
        logits = module.rows(batch["maps"].data, batch["rows"].data)
        return {"maps": distributions(logits, smooth=ctx.settings.smooth)}


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """GEAN."""
    return [GEAN]
