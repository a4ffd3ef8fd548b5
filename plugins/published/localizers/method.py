"""Registration of the localizers that ASST's tables compare with. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example, Relation
    from reelbench.training.source import TrainingSource

MCN_TINY = {
    "word": 32, "lstm": 64, "hidden": 64, "joint": 32, "margin": 1.0, "rank.steps": 1000, "rank.batch_size": 32, "rank.learning_rate": 3e-3,
    "rank.schedule": "cosine", "rank.validate": None, "rank.select": "last",
}  # fmt: skip
CTRL_TINY = {
    "word": 32, "lstm": 64, "joint": 64, "hidden": 64, "regression": 0.1, "align.steps": 400, "align.batch_size": 64,
    "align.learning_rate": 3e-3, "align.schedule": "cosine", "align.validate": None, "align.select": "last",
}  # fmt: skip


class CCAConfig(Config):
    """How many canonical directions are kept, and what is added to each variance, as a share of the mean variance."""

    directions: int = 100
    ridge: float = 0.1


class MCNConfig(Config):
    """The paper's sizes, margin and weights."""

    word: int = 300
    lstm: int = 1000
    hidden: int = 500
    joint: int = 100
    margin: float = 0.1
    intra: float = 0.8
    """Weight of moments of the same video; the rest is that of other videos."""
    flow: float = 2.33
    """Weight of the distance by motion beside that by appearance."""


class CTRLConfig(Config):
    """The paper's sizes and weights; windows are its 64 to 512 frames at 30 a second."""

    word: int = 300
    lstm: int = 1024
    joint: int = 1024
    hidden: int = 1000
    windows_s: tuple[float, ...] = (64 / 30, 128 / 30, 256 / 30, 512 / 30)
    stride: float = 0.2
    """Distance of neighbouring windows, as a share of their length."""
    regression: float = 0.01


class CTRLSettings(Config):
    """The overlap above which a lesser span is dropped, and how many spans are kept."""

    suppress: float = 0.45
    keep: int = 10


class CCA(Method):
    """Canonical correlation of moments' mean features with words. Source: Klein et al., CVPR 2015; Hendricks et al., ICCV 2017.

    Departures
    ----------
    - A sentence is the share of each training word in it; the paper's word vectors and their Fisher vectors are not
      shipped. Covariances have a ridge.
    - Every annotator's segment is a training pair. Canonical directions are weighed by their correlation.
    - Free spans are ranked as runs of sixths of the video.
    - Sound, which the paper has not, stands beside appearance and motion.
    """

    name = "cca"
    title = "CCA"
    role = "baseline"
    deterministic = True
    modalities = ("appearance", "motion", "audio")
    Config = CCAConfig
    recipes: ClassVar = {"correlate": Recipe(serves=("localization",))}

    def assets(self, source: TrainingSource, config: CCAConfig, recipe: str) -> Mapping[str, Any]:
        """The vocabulary, and both sides' projections."""
        from reelbench.plugins.layers.words import training_vocabulary
        from reelbench.plugins.published.localizers import canonical

        vocabulary = training_vocabulary(source, "segments", "query", 1)
        return {"vocabulary": vocabulary, "projections": canonical.fit(source, vocabulary, config)}

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The ranking, since there is nothing to batch."""
        from reelbench.plugins.published.localizers import canonical

        return canonical.rank(example, ctx)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """The ranking of each example."""
        return {"segments": batch["segments"]}


class LearnedLocalizer(Method):
    """What localizers that learn words share: the assets, and negatives from other videos only."""

    role = "baseline"
    modalities = ("appearance", "motion", "audio")

    def assets(self, source: TrainingSource, config: Config, recipe: str) -> Mapping[str, Any]:
        """The vocabulary and the features' moments."""
        from reelbench.plugins.layers.frames import feature_moments
        from reelbench.plugins.layers.words import training_vocabulary

        vocabulary = training_vocabulary(source, "segments", "query", 1)
        return {"vocabulary": vocabulary, "moments": feature_moments(source, "segments")}

    def sample(self, example: Example, source: Relation, ctx: Context) -> Example:
        """Which video an example is of, so that no two of one video are each other's negatives."""
        return example.with_fields(film=example["video"].video)


class MCN(LearnedLocalizer):
    """Moments and sentences in one space, local and global context and endpoints. Source: Hendricks et al., ICCV 2017.

    Departures
    ----------
    - Appearance and motion are trained in one fit, with nothing in common but the batch; their distances are added
      with the paper's weight. Sound, which the paper has not, stands beside motion.
    - Negatives are all other candidates of the video and the same candidate of all other videos of the batch, where the
      paper draws one of each. The positive candidate is that of an annotator drawn at random.
    - Word vectors are learned. Features are standardised, not L2-normalised. Adam instead of SGD.
    - Free spans are ranked as runs of sixths of the video.
    - ``tiny`` widens the margin to 1: at 0.1 distances shrink to the margin before they are told apart.
    """

    name = "mcn"
    title = "MCN"
    Config = MCNConfig
    presets: ClassVar = {"tiny": MCN_TINY, "base": {**MCN_TINY, "rank.steps": 8000}, "paper": {}}
    recipes: ClassVar = {
        "rank": Recipe(
            serves=("localization",),
            phases=(Phase(name="rank", relation="segments", epochs=30, batch_size=120, learning_rate=1e-3),),
        )
    }

    def build(self, data: DataInfo, config: MCNConfig) -> torch.nn.Module:
        """A network a stream."""
        from reelbench.plugins.published.localizers.model import MomentContext

        return MomentContext(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Means of candidates with their place, words as numbers; in training one annotator's candidate."""
        from reelbench.plugins.published.localizers import examples

        return examples.moments(example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Both ranking losses, of both streams."""
        return module.loss(batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Candidates, the nearest first."""
        from reelbench.plugins.baselines.moments import rank_batch

        return {"segments": rank_batch(batch["candidates"], -module.distances(batch))}


class CTRL(LearnedLocalizer):
    """Sliding windows that a fused vector scores and moves. Source: Gao et al., ICCV 2017 (TALL).

    Departures
    ----------
    - A sentence is the last state of an LSTM over learned word vectors (the paper's variant beside skip-thoughts).
    - Windows are those of the paper's frame counts in seconds; training draws one of those that overlap the span by more
      than half and lie outside it by less than 0.15 of their length (its nIoL), or the one that overlaps most.
    - Clips of the same video are no negatives of each other.
    - Offsets are regressed in seconds (the paper's "non-parameterised" regression, in frames of which 16 make a unit).
    - Features are standardised; sound, which the paper has not, stands beside them.
    - Suppression at 0.45, which is TALL's for an overlap of 0.5; ``spans-tall`` suppresses for each threshold itself.
    """

    name = "ctrl"
    title = "CTRL"
    Config = CTRLConfig
    Predict = CTRLSettings
    presets: ClassVar = {"tiny": CTRL_TINY, "base": {**CTRL_TINY, "align.steps": 3200}, "paper": {}}
    recipes: ClassVar = {
        "align": Recipe(
            serves=("localization:spans", "localization:spans-tall"),
            phases=(Phase(name="align", relation="segments", epochs=50, batch_size=64, learning_rate=1e-3),),
        )
    }

    def build(self, data: DataInfo, config: CTRLConfig) -> torch.nn.Module:
        """The network of the paper's Figure 2."""
        from reelbench.plugins.published.localizers.model import TemporalRegression

        return TemporalRegression(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Windows with their context, words as numbers; in training one window and how far its ends are off."""
        from reelbench.plugins.published.localizers import examples

        return examples.windows(example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, torch.Tensor]:
        """Alignment of every sentence with every clip of the batch, and regression of its own."""
        return module.loss(batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Moved windows, best first, after suppression."""
        return {"segments": module.spans(batch, ctx.settings)}


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """Every localizer."""
    return [CCA, MCN, CTRL]
