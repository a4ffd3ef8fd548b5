"""Registration of the captioners that the papers' tables compare with. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream
from reelbench.plugins.gean.upstream import gaze_upstream
from reelbench.plugins.layers.sentence_search import SentenceSearch

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource


class CaptionerConfig(Config):
    """Modalities, widths and lengths."""

    modalities: tuple[str, ...] = ("appearance", "motion", "audio")
    maps: str | None = None
    """Feature maps that stand beside them in a frame, pooled over their cells."""
    gaze: bool = False
    """Whether GEAN's frozen gaze weighs the cells of maps; they count alike otherwise."""
    gaze_preset: str = "paper"
    frames: int = 26
    """How many equidistant frames of a clip are read."""
    word: int = 500
    """Width of words' vectors, and of frames beside them."""
    hidden: int = 1000
    dropout: float = 0.0
    min_count: int = 1
    max_words: int = 30


class SoftAttentionConfig(CaptionerConfig):
    """Widths as the authors' code sets them."""

    maps: str | None = "spatial"
    word: int = 468
    hidden: int = 3518
    attention: int = 1024
    dropout: float = 0.5


class S2VTConfig(CaptionerConfig):
    """80 steps in all: 50 frames and 30 words."""

    maps: str | None = "spatial"
    frames: int = 50


class LSTMEConfig(CaptionerConfig):
    """Widths, and the weight of coherence against relevance."""

    word: int = 512
    hidden: int = 512
    coherence: float = 0.7


class HRNNConfig(CaptionerConfig):
    """Widths of both generators."""

    maps: str | None = "spatial"
    word: int = 512
    hidden: int = 512
    attention: int = 64
    multimodal: int = 1024
    paragraph: int = 512
    dropout: float = 0.5


GAZE: dict[str, dict[str, Any]] = {"gaze": {"gaze": True}}
"""The rows "with RGP" of GEAN's Table 3.4."""


def _phase(name: str, relation: str, **values: Any) -> Phase:
    return Phase(name=name, relation=relation, **values)


def _presets(steps: int, **tiny: Any) -> dict[str, dict[str, Any]]:
    """``tiny``: narrow, and Adam for ``steps``; ``base``: eight times as many, and GEAN's gaze of that preset; ``paper``: the defaults."""
    training = {
        "optimizer": "adam",
        "steps": steps,
        "batch_size": 64,
        "learning_rate": 6e-3,
        "weight_decay": 0.0,
        "schedule": "cosine",
        "validate": None,
        "select": "last",
    }
    narrow = {"frames": 12, "word": 64, "hidden": 128, "dropout": 0.0, "max_words": 20, "gaze_preset": "tiny"}
    values = {**narrow, **{f"train.{k}": v for k, v in training.items()}, **tiny}
    return {"tiny": values, "base": {**values, "train.steps": 8 * steps, "gaze_preset": "base"}, "paper": {}}


class Captioner(Method):
    """What the captioners share: equidistant frames, words as numbers, one sentence a clip, recurrences begun alike."""

    role = "baseline"
    modalities = ("appearance", "motion", "audio")
    Config = CaptionerConfig
    Predict = SentenceSearch

    def features(self, config: CaptionerConfig, recipe: str) -> tuple[str, ...]:
        """The modalities, then the maps."""
        return (*config.modalities, *([config.maps] if config.maps else []))

    def upstream(self, config: CaptionerConfig, recipe: str) -> Sequence[Upstream]:
        """GEAN's one gaze fit, where it is read."""
        return (gaze_upstream(preset=config.gaze_preset),) if config.gaze else ()

    def assets(self, source: TrainingSource, config: CaptionerConfig, recipe: str) -> Mapping[str, Any]:
        """The words of the recipe's sentences, and the features' moments."""
        from reelbench.plugins.layers.frames import feature_moments
        from reelbench.vocabulary import Vocabulary

        captions = (e["sentence"] for e in source.relation("captions"))
        stories = source.relation("stories") if recipe == "stories" else ()
        told = (s for e in stories for s in e["sentences"])
        vocabulary = Vocabulary.from_sentences(chain(captions, told), min_count=config.min_count)
        return {"vocabulary": vocabulary, "moments": feature_moments(source, "captions")}

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Equidistant frames ``(F, D)`` and, in training, words ``(T + 2,)``; of stories a list of each."""
        from reelbench.plugins.published.captioners import examples

        return examples.prepare(example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, torch.Tensor]:
        """The network's losses of a batch of single sentences."""
        return module.loss(module.frames(batch)[:, 0], batch["words"].data[:, 0])

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """A caption a clip."""
        return {"caption": module.caption(module.frames(batch)[:, 0], ctx.settings)}


class MeanPoolLSTM(Captioner):
    """Two layers of LSTM over the words, shown the mean frame at every step. Source: Venugopalan et al., NAACL 2015.

    Departures
    ----------
    - Trained on the benchmark's captions only, not on image captions first. A mean over equidistant frames, not over one
      frame in ten.
    - Here and in the other four, recurrences begin with orthogonal weights and open forget gates: papers are silent, and
      torch's own start needs nearly twice the steps.
    - ``tiny``: narrow, Adam.
    """

    name = "lstm"
    title = "LSTM (mean-pooled video)"
    recipes: ClassVar = {
        "captions": Recipe(
            serves=("captioning",),
            phases=(_phase("train", "captions", optimizer="sgd", learning_rate=0.01, batch_size=100),),
        )
    }
    presets: ClassVar = _presets(600)

    def build(self, data: DataInfo, config: CaptionerConfig) -> torch.nn.Module:
        """The network."""
        from reelbench.plugins.published.captioners import model

        return model.MeanPoolLSTM(data, config)


class SoftAttention(Captioner):
    """An LSTM that weighs the frames anew for every word. Source: Yao et al., ICCV 2015.

    Departures
    ----------
    - The paper searched widths at random; the defaults are those of the authors' released code, and so is the first
      state, made from the mean frame. That code's gate on the context is not in the paper and left out.
    - Appearance and motion stand beside each other in a frame, as in the paper, and sound beside them.
    - ``tiny``: narrow, Adam, no dropout.
    """

    name = "soft-attention"
    title = "Soft attention"
    variants: ClassVar = GAZE
    Config = SoftAttentionConfig
    recipes: ClassVar = {
        "captions": Recipe(
            serves=("captioning",),
            phases=(
                _phase(
                    "train",
                    "captions",
                    optimizer="adadelta",
                    learning_rate=1.0,
                    batch_size=64,
                    weight_decay=1e-4,
                    clip_norm=10.0,
                    patience=20,
                ),
            ),
        )
    }
    presets: ClassVar = _presets(400, attention=64)

    def build(self, data: DataInfo, config: SoftAttentionConfig) -> torch.nn.Module:
        """The network."""
        from reelbench.plugins.published.captioners import model

        return model.SoftAttention(data, config)


class S2VT(Captioner):
    """Two stacked LSTMs that read all frames and then say all words. Source: Venugopalan et al., ICCV 2015.

    Departures
    ----------
    - The frames of a clip are 50 equidistant ones, so that frames and words fill the paper's 80 steps; it takes one frame
      in ten, and cuts.
    - One network reads all features; the paper adds the scores of a second one that reads optical flow.
    - ``tiny``: narrow, Adam, six frames, smaller batches for more steps: it learns the slowest of the five.
    """

    name = "s2vt"
    title = "S2VT"
    variants: ClassVar = GAZE
    Config = S2VTConfig
    recipes: ClassVar = {
        "captions": Recipe(
            serves=("captioning",),
            phases=(_phase("train", "captions", optimizer="sgd", learning_rate=0.01, batch_size=32),),
        )
    }
    presets: ClassVar = _presets(1000, frames=6, **{"train.batch_size": 32})

    def build(self, data: DataInfo, config: S2VTConfig) -> torch.nn.Module:
        """The network."""
        from reelbench.plugins.published.captioners import model

        return model.S2VT(data, config)


class LSTME(Captioner):
    """An LSTM begun by the video in a space where it lies near its sentence. Source: Pan et al., CVPR 2016.

    Departures
    ----------
    - A sentence is the sum of its words' vectors, which are the LSTM's inputs too, as the paper's one matrix of words says.
    - ``tiny``: narrow, Adam, and lambda of 0.995 rather than 0.7: features are standardised, so that distances are larger, and
      the easiest way to make them small is to make every vector small. With 0.7 it says little that is right.
    """

    name = "lstm-e"
    title = "LSTM-E"
    Config = LSTMEConfig
    recipes: ClassVar = {
        "captions": Recipe(
            serves=("captioning",),
            phases=(_phase("train", "captions", optimizer="sgd", learning_rate=0.01, batch_size=64),),
        )
    }
    presets: ClassVar = _presets(1200, coherence=0.995)

    def build(self, data: DataInfo, config: LSTMEConfig) -> torch.nn.Module:
        """The network."""
        from reelbench.plugins.published.captioners import model

        return model.LSTME(data, config)


SINGLE = _phase(
    "train",
    "captions",
    optimizer="rmsprop",
    learning_rate=1e-4,
    batch_size=64,
    frozen=("paragraph.",),  # one sentence has no next one
)
"""How h-RNN learns single sentences."""


class HRNN(Captioner):
    """A sentence generator whose first state a paragraph generator sets. Source: Yu et al., CVPR 2016.

    Departures
    ----------
    - A channel of attention is a modality over frames; the paper's patches of frames are the variant ``gaze``.
    - The attention's width is not known to us; it is that of the nearest relative here, GEAN.
    - Clips of a story are given (one sentence each); the paper's are intervals of a video.
    - ``stories`` learns to say single sentences first: a story's sentences are a sixth as many.
    - ``tiny``: narrow, Adam, no dropout.
    """

    name = "h-rnn"
    title = "h-RNN"
    variants: ClassVar = GAZE
    Config = HRNNConfig
    recipes: ClassVar = {
        "captions": Recipe(
            serves=("captioning",),
            phases=(SINGLE,),
            summary="captions as paragraphs of one sentence",
        ),
        "stories": Recipe(
            serves=("storytelling",),
            phases=(
                SINGLE,
                _phase("tell", "stories", optimizer="rmsprop", learning_rate=1e-4, batch_size=16),
            ),
            summary="single sentences, then stories of several",
        ),
    }
    presets: ClassVar = _presets(
        450,
        attention=32,
        multimodal=128,
        paragraph=64,
        **{
            "tell.optimizer": "adam",
            "tell.steps": 120,
            "tell.learning_rate": 2e-3,
            "tell.schedule": "cosine",
            "tell.validate": None,
            "tell.select": "last",
        },
    )

    def build(self, data: DataInfo, config: HRNNConfig) -> torch.nn.Module:
        """The network."""
        from reelbench.plugins.published.captioners.hierarchical import HierarchicalRNN

        return HierarchicalRNN(data, config)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, torch.Tensor]:
        """The loss of paragraphs."""
        return module.loss(module.frames(batch), batch["words"].data)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """A caption, or one for each clip of a story."""
        stories = module.write(module.frames(batch), ctx.settings)
        counts = batch["frames"].mask.any(-1).sum(1).tolist()  # clips of each story
        if ctx.task == "captioning":
            return {"caption": [story[0] for story in stories]}
        return {"captions": [story[:n] for story, n in zip(stories, counts, strict=True)]}


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """The five."""
    return [MeanPoolLSTM, SoftAttention, S2VT, LSTME, HRNN]
