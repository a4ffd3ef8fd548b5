"""Registration of SLR: its choices, recipes, ablations and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream
from reelbench.plugins.layers.sentence_search import SentenceSearch

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
    draw_inputs: Chances = EITHER

    @property
    def outputs(self) -> tuple[Literal["video", "sentence"], ...]:
        """The media whose loss counts."""
        weights = {"sentence": self.sentence_weight, "video": self.video_weight}
        return tuple(medium for medium in ("sentence", "video") if weights[medium])


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
DRAW = replace(TUNE, name="draw")
SHORT: dict[str, Any] = {
    "batch_size": 32, "learning_rate": 2e-3, "schedule": "cosine", "validate": None, "select": "last",
}  # fmt: skip

TINY: dict[str, Any] = {
    "hidden": 128, "latent_width": 128, "word": 64, "max_words": 20, "frames": "changed",
    "full.steps": 800, "full.batch_size": 16, "full.learning_rate": 4e-3,
    "partial.steps": 1800, "partial.batch_size": 16, "partial.learning_rate": 3e-3, "partial.schedule": "cosine",
    "tune.steps": 1400, "draw.steps": 700,
    **{f"{phase}.{name}": value for phase in ("tune", "draw") for name, value in SHORT.items()},
}  # fmt: skip
"""The paper's structure at widths and lengths for two cores."""


class SLR(Method):
    """Videos and sentences meet in one latent vector, from which either is told or drawn. Source: Shen et al., AAAI 2018.

    Departures
    ----------
    - Matches are examples of the same ``content``: another sentence, of the same clip or of its other rendering, and in
      the first two phases the clip of that sentence as frames to draw. In the paper's data no video has a match, and
      tuning to frames (``to-video``) draws the clip that is shown, as testing does.
    - "Configure the input and output channels based on the testing task" is two recipes rather than four: each tunes one
      output (the other's weight is zero) and sees the video alone or the sentence alone, half of the time each.
    - At prediction ``z`` is its mean, not a draw: a prediction is no matter of chance.
    - The prior's divergence is a mean over the latent vector's entries and the sentence's loss one over words, as in Ha
      and Eck's sketch-rnn, whose equations the paper's 5 and 6 repeat. The "Euclidean distance" of frames is squared, as the
      loss layer of that name and the measured error are; summed over pixels and colours in [0, 1], a mean over frames.
    - The frame decoder reads the true first frame, then its own: in training too, where the paper does not say. Frames are
      read around zero (minus a half).
    - ``drawn`` frames are the letter, ``f(W h + b)`` with the logistic function. ``tiny`` and ``base`` have ``changed`` ones, the frame
      before plus ``tanh(W h + b)``: a clip of microworld barely changes, repeating its first frame errs by 162, and
      128 numbers cannot even hold a frame so well. The paper has no such baseline. Variant ``drawn-frames`` is the letter
      at any size.
    - One-hot words enter through an embedding as wide as the hidden state, one for each side. Unknown words are left out
      of what is read.
    - Initial weights are not given. ``W_mu`` starts wide and the variance small, or decoders learn to do without ``z``
      before it tells anything: entries of ``x`` are small at length 1. The LSTMs
      of sentences start with forget gates wide open (a bias of 3), since ``z`` speaks in the first state only.
    - Sound stands beside the two kinds of sight that the paper has, as for every other method here; features are
      standardised by the moments of mean frames. Clips are averaged over all of their rows.
    - ``s2s-vae`` and ``lstm`` share nothing: one network for each pair of an input and an output, trained side by side on the
      same batches and for as many steps. They have one input each, so no phase drops any. ``lstm`` decodes from the encoding itself.
    - A phase that is left out keeps its steps and rates, so that budgets are equal: ``no-full-phase`` drops inputs from the first step
      on, ``no-partial-phase`` never does.
    - Lengths and rates are those of YouTube2Text; ``paper-msrvtt`` has the other ones. The tuning rate is not given: the
      second phase's. The shared model is the last one, a tuned one the best on validation.
    - ``tiny`` narrows the layers, raises rates and takes 16 pairs a step: a sentence is learnt from a first state only in many
      steps, however small. Its loss still falls at the end, and twice the rates end higher (0.90 against 0.71 a word): paraphrases
      and captions are short of steps, of which ``base`` has more.
    - Frames: a ridge from the first frame alone errs by 147 on microworld's ``small`` validation. With the video's features
      beside it, it errs by 155, so that ``z`` has little to say there but what it learns by heart.
    """

    name = "slr"
    title = "SLR"
    Config = SLRConfig
    Predict = SentenceSearch
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
            phases=(DRAW,),
            config={"sentence_weight": 0.0, "video_target": "own"},
            summary="the shared model, tuned to frames",
        ),
    }
    variants: ClassVar = {
        "s2s-vae": {"share": False},
        "lstm": {"share": False, "latent": "none"},
        "drawn-frames": {"frames": "drawn"},
        "no-full-phase": {"full_inputs": SOME},
        "no-partial-phase": {"partial_inputs": BOTH},
    }
    presets: ClassVar = {
        "tiny": TINY,
        "base": {**TINY, "full.steps": 5000, "partial.steps": 10_000, "tune.steps": 8000, "draw.steps": 4000},
        "paper": {},
        "paper-msrvtt": {
            "full.epochs": 60,
            "full.learning_rate": 1e-3,
            "partial.epochs": 40,
            "partial.learning_rate": 1e-4,
            "tune.learning_rate": 1e-4,
            "draw.learning_rate": 1e-4,
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
