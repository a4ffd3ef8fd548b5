"""Registration of ASST: its models, recipes, ablations and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example
    from reelbench.predictions import Predictions
    from reelbench.training.source import TrainingSource

RELATION = {"candidates": "segments", "spans": "segments", "events": "events"}


class ASSTConfig(Config):
    """The paper's numbers (§4.2)."""

    head: Literal["candidates", "spans", "events"] = "candidates"
    feed: Literal["all", "none", "final", "last-dilation", "first-dilation"] = "all"
    """Where language is fed: Tables 5 and 6."""
    endpoints: bool = False
    """The temporal endpoint feature: Table 7."""
    streams: tuple[str, ...] = ("appearance", "motion", "audio")
    """Modalities, side by side: Tables 3 and 4."""
    fuse: tuple[str, ...] = ()
    """Variants whose fits are fused late."""
    word: int = 300
    vectors: str | None = None
    """A file of published word vectors to start from, as GloVe's; without one they start at random."""
    state: int = 512
    lstm_layers: int = 1
    dilation: int = 1024
    dilation_layers: int = 4
    squeezing: int = 512
    squeezing_layers: int = 6
    attention: int = 512
    """``d_a``."""
    input_dropout: float = 0.5
    dropout: float = 0.2
    min_count: int = 1
    rows: int = 128
    """Rows of a window, and where events are searched for, which are shorter than what is told."""
    event_rows: int = 128
    window_s: float = 30.0
    groups: int = 6
    positives: int = 16
    """At most so many positive clips a window."""
    negatives: int = 1
    """Negative clips for each positive one; ``event_negatives`` where events are searched for."""
    event_negatives: int = 5
    stretch: tuple[float, float] = (0.8, 1.25)

    @property
    def length(self) -> int:
        """The rows of this fit's windows."""
        return self.event_rows if self.head == "events" else self.rows

    @property
    def ratio(self) -> int:
        """The negative clips for each positive one of this fit."""
        return self.event_negatives if self.head == "events" else self.negatives


class Suppression(Config):
    """Overlaps above which a lesser span is dropped, and how many spans a query and events a video keep."""

    span_overlap: float = 0.8
    event_overlap: float = 0.3
    event_score: float = 0.01
    spans: int = 10
    events: int = 60


TINY: dict[str, Any] = {
    "word": 32, "state": 64, "dilation": 48, "squeezing": 32, "attention": 32, "negatives": 3, "positives": 8, "input_dropout": 0.0, "dropout": 0.0,
    "rows": 32, "event_rows": 64,
    "classify.steps": 900, "classify.batch_size": 32, "classify.learning_rate": 3e-3, "classify.warmup_steps": 50, "classify.schedule": "cosine", "classify.validate": None, "classify.keep": 2,
    "locate.steps": 900, "locate.batch_size": 32, "locate.learning_rate": 2e-3, "locate.warmup_steps": 50, "locate.schedule": "cosine", "locate.validate": None, "locate.keep": 2,
    "detect.steps": 400, "detect.batch_size": 32, "detect.learning_rate": 3e-3, "detect.schedule": "cosine", "detect.validate": None,
    "detect.optimizer": "adam",
}  # fmt: skip


def _fuse() -> Phase:
    """Late fusion's weights, of networks that stay as they are; left out where nothing is fused."""
    return Phase(
        name="fuse", relation="segments", split="validation", epochs=0, batch_size=128, learning_rate=0.02, frozen=("members.",),
        validate=None, select="last",
    )  # fmt: skip


def _learn(name: str, **values: Any) -> Phase:
    """Adam of the paper, its rate times 0.9 about every 2,500 steps."""
    return Phase(
        name=name, relation="segments", batch_size=128, learning_rate=5e-4, schedule="step", decay=0.9, select="average", keep=5, **values
    )  # fmt: skip


_FUSED: dict[str, Any] = {
    "classify.steps": 0,
    "classify.epochs": 0,
    "locate.steps": 0,
    "locate.epochs": 0,
    "fuse.epochs": 5,
}


class ASST(Method):
    """Attention from every word to every moment, at every temporal scale. Source: Ning et al., arXiv 1808.08803.

    Departures
    ----------
    - GLU is said of "convolutions for language modeling" (Eq. 3); every convolution here is gated: over time, and those
      of kernel 1 that give the attention its keys and values. Laterals of the expansion are linear.
    - The last dilation layer has 128 rows, and six halvings leave two; the convolution that joins squeezing and expansion
      sees both. Rows between are halved upwards where their number is odd.
    - "The feature map before the last convolution" is twice as long as a squeezing layer's output: the shortcut takes
      means of neighbours, and a linear map where channels differ (as from the features to the first layer).
    - LSTM states have 512 channels in both directions together; a linear map brings word vectors to that size, for the
      shortcut of Eq. 2. GloVe vectors are not shipped: word vectors start from a file where ``vectors`` names one,
      otherwise at random, and are trained.
    - Eq. 4 divides by ``d_a``, not by its root, as printed. Fed to one place only, the other layers normalise their
      convolution without attention; at the final layer attention follows the last expansion, with a shortcut.
    - A clip sampler's two convolutions are unpadded (seven rows, five, three) and a linear map reads the three. RoI-pooling
      reads the middles of seven equal parts.
    - Clips a third of their length apart would be ``3 * 2**i - 2`` in a group, not the ``2**(i + 2) - 3`` that the paper
      counts; a quarter apart gives its count, and is used.
    - The endpoint feature is one number a row: its time as a share of the window.
    - Batch norm counts the rows beyond a video's end, which are empty; every window has the same number of rows.
    - Dropout of "0.8 for the rest" is read as TensorFlow's share kept: 0.2 is dropped, before each convolution, around the
      LSTM and before the sampler, a channel in all rows at once (neighbouring rows say the same, and it costs a tenth). ``dropout-as-printed`` drops 0.8.
    - Rates fall by 0.9 every so many epochs that come nearest to 2,500 steps (1,000 for events) on DiDeMo, Charades-STA
      and THUMOS 14. Length of training, the number of averaged checkpoints (here 5) and the window's seconds where spans
      are free (128 rows at 4 a second) are not given. Events take the best weights on validation.
    - How negative clips are drawn is not said. Half of them are of the positive clips' lengths: all drawn evenly, length
      alone tells nearly all of them, and matching is learnt several times slower. At most 16 positive clips a window.
    - Averaged checkpoints: candidates' probabilities; spans and events that meet by more than suppression's overlap are
      averaged, boundaries by score. Stretching draws the window's seconds log-evenly, at a random time of the video.
    - Where the exact span is known (microworld), the detection model learns it; elsewhere an annotator's, drawn as for
      the classification model.
    - Late fusion's weights are learnt on the validation split by likelihood, of members as they are, where the paper
      cross-validates them; members give their last checkpoint.
    - Features are standardised by training moments, and a row is the mean of its frames. C3D has no variant of its own:
      its rows of Tables 2, 4 and 6 are of another feature set.
    - Sound, which the paper has not, stands beside its two streams, as for every other method; ``two-streams``, ``appearance``,
      ``motion`` and the late fusions are without it.
    - Events are found without language and by one network: variants of feeding and of late fusion change nothing there.
    - Events: classes that training has not are scored by what the softmax leaves them. Adam instead of SGD in ``tiny``.
    - ``tiny`` narrows every layer, takes 32 rows a window (64 for events) and three negatives for each of at most 8 positive
      clips, scales the learning rate and drops nothing out: within its steps dropout costs more than it gains (mIoU 43.0
      after 800, 44.8 after 600 without). ``base`` takes six times
      the steps, with dropout, for ``tiny`` overfits by its end.
    """

    name = "asst"
    title = "ASST"
    modalities = ("appearance", "motion", "audio")
    Config = ASSTConfig
    Predict = Suppression
    recipes: ClassVar = {
        "candidates": Recipe(
            serves=("localization:candidates", "localization@didemo"),
            phases=(_learn("classify", epochs=40, decay_every=10), _fuse()),
            config={"head": "candidates"},
            summary="the classification model: a softmax over the candidates",
        ),
        "spans": Recipe(
            serves=("localization:spans", "localization:spans-tall"),
            phases=(_learn("locate", epochs=100, decay_every=26), _fuse()),
            config={"head": "spans", "window_s": 32.0},
            summary="the detection model: six groups of clips, moved and stretched",
        ),
        "events": Recipe(
            serves=("detection",),
            phases=(
                Phase(
                    name="detect", relation="events", epochs=5000, batch_size=128, optimizer="sgd", learning_rate=1e-2,
                    schedule="step", decay=0.9, decay_every=500, validate_every=100, select="best",
                ),
            ),
            config={"head": "events", "window_s": 32.0},
            summary="the video subnet by itself, for temporal action detection",
        ),
    }  # fmt: skip
    variants: ClassVar = {
        "no-language": {"feed": "none"},
        "final-layer": {"feed": "final"},
        "last-dilation": {"feed": "last-dilation"},
        "first-dilation": {"feed": "first-dilation"},
        "endpoints": {"endpoints": True},
        "appearance": {"streams": ("appearance",)},
        "motion": {"streams": ("motion",)},
        "two-streams": {"streams": ("appearance", "motion")},
        "two-fused": {"fuse": ("appearance", "motion"), **_FUSED},
        "late-fusion": {"fuse": ("appearance", "motion", "two-streams"), **_FUSED},
        "dropout-as-printed": {"dropout": 0.8},
    }
    presets: ClassVar = {
        "tiny": TINY,
        "base": {
            **TINY,
            "input_dropout": 0.3,
            "dropout": 0.2,
            "classify.steps": 5400,
            "locate.steps": 5400,
            "detect.steps": 3000,
        },
        "paper": {},
    }

    def features(self, config: ASSTConfig, recipe: str) -> tuple[str, ...]:
        """The modalities of every stream."""
        read = [_member(config, name).streams for name in _fused(config)] or [config.streams]
        return tuple(dict.fromkeys(modality for streams in read for modality in streams))

    def upstream(self, config: ASSTConfig, recipe: str) -> Sequence[Upstream]:
        """The fits that are fused late."""
        return [
            Upstream(
                name=name,
                recipe=recipe,
                variant=name,
                parameters={"": f"members.{name}."},
                assets=("vocabulary",),
            )
            for name in _fused(config)
        ]

    def assets(self, source: TrainingSource, config: ASSTConfig, recipe: str) -> Mapping[str, Any]:
        """The features' moments, and the queries' vocabulary."""
        from reelbench.plugins.layers.frames import feature_moments
        from reelbench.plugins.layers.word_vectors import published_vectors
        from reelbench.plugins.layers.words import training_vocabulary

        moments = {"moments": feature_moments(source, RELATION[recipe])}
        if recipe == "events":
            return moments
        vocabulary = training_vocabulary(source, "segments", "query", config.min_count)
        published = published_vectors(config.vectors, vocabulary, config.word, self.name)
        return moments | {"vocabulary": vocabulary} | published

    def build(self, data: DataInfo, config: ASSTConfig) -> torch.nn.Module:
        """The network of Figure 2."""
        from reelbench.plugins.asst.model import build

        return build(data, config, {name: _member(config, name) for name in _fused(config)})

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Windows of features, clips of them, words as numbers; in training what the clips should say."""
        from reelbench.plugins.asst import samplers

        if ctx.config.head == "candidates":
            return samplers.for_candidates(example, ctx)
        return samplers.for_detection(example, ctx)

    def training_step(
        self, module: Any, batch: Batch, ctx: Context
    ) -> torch.Tensor | Mapping[str, torch.Tensor]:
        """The classification model's loss, or the detection model's."""
        from reelbench.plugins.asst import losses

        return (
            losses.classify(module, batch, ctx.generator)
            if ctx.config.head == "candidates"
            else losses.detect(module, batch)
        )

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Ranked candidates, spans or events."""
        from reelbench.plugins.asst import losses

        return losses.predict(module, batch, ctx)

    def combine(self, members: Sequence[Predictions], ctx: Context) -> Predictions:
        """Scores of candidates averaged over members; spans and events averaged where they meet."""
        from reelbench.plugins.asst.spans import average

        return average(members, ctx.settings)


def _fused(config: ASSTConfig) -> tuple[str, ...]:
    """Variants that are fused; events are found by one network."""
    return () if config.head == "events" else config.fuse


def _member(config: ASSTConfig, variant: str) -> ASSTConfig:
    """The config of one member of a late fusion: a variant's streams, all else alike."""
    streams = ASST.variants.get(variant, {}).get("streams", config.streams)
    return config.model_copy(update={"streams": streams, "fuse": ()})


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """ASST."""
    return [ASST]
