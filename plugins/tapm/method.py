"""Registration of TAPM: its choices, recipes, ablations and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.errors import SkippedPair
from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream
from reelbench.plugins.layers.sentence_search import SentenceSearch

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example, Relation
    from reelbench.training.source import TrainingSource

PRETRAINED_IN = {"transformer": "full", "gpt2": "gpt2", "lstm": "lstm", "qrnn": "qrnn-scratch"}
"""The variant whose recipe ``language`` trains a generator on texts, so that all others of one generator share that fit."""


class TAPMConfig(Config):
    """The paper's choices; where it gives no number, the released code's."""

    material: Literal["text", "sets", "clips"] = "sets"
    """What an example is: a text, consecutive clips, or a clip by itself (without neighbours, past and future)."""
    generator: Literal["transformer", "gpt2", "lstm", "qrnn"] = "gpt2"
    pretraining: Literal["none", "corpus", "checkpoint"] = "checkpoint"
    checkpoint: str = "gpt2"
    """GPT-2's weights and byte pairs: a local path, or a hub's name."""
    width: int = 768
    """Of the encoder and of a generator that no checkpoint sizes."""
    layers: int = 12
    recurrent_layers: int = 3
    heads: int = 12
    dropout: float = 0.1
    output_dropout: float = 0.5
    segments: int = 3
    blocks: int = 3
    seen: int = 768
    """Units between the encoder's two layers."""
    slope: float = 0.01
    """Of its leaky ReLUs below zero."""
    self_attention: bool = True
    coherence: Literal["none", "paper", "released"] = "paper"
    sides: Literal["generator", "caption", "encoder"] = "generator"
    """What the coherence loss compares: the generator's outputs at visual tokens and [dummy]; those at visual tokens and
    the true caption's words (+Cap); the encoder's outputs alone (+VisualA)."""
    extra: Literal["none", "videos", "own-labels", "more-labels"] = "none"
    """What is added: videos to adapt to; captions of a fit's own, of its training clips or of unlabelled ones."""
    min_count: int = 1
    max_words: int = 50


NO_ADAPTATION: dict[str, Any] = {"coherence": "none", "adapt.epochs": 0, "adapt.steps": 0}
JOINT: dict[str, Any] = {"adapt.epochs": 0, "adapt.steps": 0, "generate.losses": ("words", "coherence")}
ADAPTATIONS: dict[str, dict[str, Any]] = {"": {}, "-no-adaptation": NO_ADAPTATION, "-joint": JOINT}
GENERATORS: dict[str, dict[str, Any]] = {
    "scratch": {"pretraining": "none"},
    "lstm": {"generator": "lstm", "pretraining": "corpus"},
    "lstm-scratch": {"generator": "lstm", "pretraining": "none"},
    "qrnn-scratch": {"generator": "qrnn", "pretraining": "none"},
}
"""Table 7.4's rows beside the default; ``scratch`` is the preset's own generator, untrained."""


def _phases(relation: str, batch_size: int) -> tuple[Phase, ...]:
    """Adaptation with the generator asleep, to given videos and to more of them; pseudo-labels; generation.

    Batches are not bucketed: the renderings and tellings of one story are of one length and would fill a batch.
    """
    shared: dict[str, Any] = {
        "optimizer": "adamw", "learning_rate": 5e-5, "weight_decay": 0.01, "batch_size": batch_size, "schedule": "linear", "warmup_steps": 4000,
        "clip_norm": None, "bucket": False,
    }  # fmt: skip
    asleep: dict[str, Any] = {
        "frozen": ("generator.",),
        "losses": ("coherence",),
        "validate": None,
        "select": "last",
    }
    return (
        Phase(name="adapt", relation=relation, epochs=5, **asleep, **shared),
        Phase(name="adapt-more", relation="clips", split="unlabelled", epochs=0, **asleep, **shared),
        Phase(
            name="pseudo",
            relation="pseudo",
            epochs=0,
            losses=("words",),
            validate=None,
            select="last",
            **shared,
        ),
        Phase(name="generate", relation=relation, epochs=25, losses=("words",), **shared),
    )


FIELDS = {
    "language": ("text", "sentences", ""),
    "stories": ("stories", "sentences", "videos"),
    "captions": ("captions", "sentence", "video"),
}
LABELLED = {
    ("own-labels", "stories"): ("storytelling", "stories", "train"),
    ("own-labels", "captions"): ("captioning", "clips", "train"),
    ("more-labels", "stories"): ("captioning", "clips", "unlabelled"),
    ("more-labels", "captions"): ("captioning", "clips", "unlabelled"),
}  # fmt: skip
"""What pseudo-labels are predicted for: task, relation, split."""

TINY: dict[str, Any] = {
    "generator": "transformer", "pretraining": "corpus", "width": 64, "layers": 2, "recurrent_layers": 1, "heads": 4,
    "output_dropout": 0.1, "segments": 6, "seen": 256, "slope": 0.2, "max_words": 24,
    "pretrain.steps": 300, "pretrain.batch_size": 16, "pretrain.learning_rate": 3e-3, "pretrain.clip_norm": 1.0,
    "adapt.steps": 60, "adapt.learning_rate": 3e-4, "adapt.warmup_steps": 20, "adapt.clip_norm": 1.0,
    "adapt-more.learning_rate": 3e-4, "adapt-more.warmup_steps": 20, "adapt-more.clip_norm": 1.0,
    "pseudo.learning_rate": 4e-3, "pseudo.warmup_steps": 20, "pseudo.clip_norm": 0.25,
    "generate.steps": 1000, "generate.learning_rate": 4e-3, "generate.warmup_steps": 20, "generate.schedule": "cosine",
    "generate.clip_norm": 0.25, "generate.validate": None, "generate.select": "last",
}  # fmt: skip
"""The paper's structure at widths and lengths for two cores."""

BASE: dict[str, Any] = {**TINY, "adapt.steps": 400, "generate.steps": 6000}


class TAPM(Method):
    """A visual encoder adapted to a pretrained language generator by telling past, present and future clips apart. Source: Yu et al., CVPR 2021; thesis ch. 7.

    Departures
    ----------
    - Numbers that the thesis does not give (segments, epochs, optimiser, rates, dropout, lengths) are the released code's. Of its
      30 epochs five adapt; weights are chosen on validation, where that code chooses on the public test.
    - Modalities stand beside each other in a segment's mean, standardised by moments of such means, and go through one encoder;
      the released code has one each.
    - The neighbours' means (§7.3.1) are two more visual tokens before a clip's own, zero at a story's ends. Self-attention is
      residual on a normed input; residual layers add nothing at first, without which a few hundred steps are too few.
    - [dummy] is the mark that starts a sentence, [sep] a token that no sentence has. Only words have positions, counted from
      [dummy], so that a sentence stands where it stood in pretraining; visual tokens and [sep] share the first.
    - Eq. 7.3's wrong matches are the other clips of the story, as in the released code; a first clip has no past, a last no future.
      Single clips (recipe ``captions``) have the present alone, against clips of other content in their batch, which has as
      many clips as eight stories.
    - Sentences are searched for as everyone's here; the paper's beam is of 3, and none for Table 7.3 (variant ``greedy``).
    - Eq. 7.4 is averaged over words where it is alone, as in the released code, and summed over a sentence's words beside Eq. 7.3
      (``joint``), where its weight matters. A generator's head is its embedding, as GPT-2's is.
    - Weight decay takes in biases and norms; the released code leaves biases out.
    - ``visual-adaptation`` (+VisualA) reads both sides from the encoder, so that the generator has no part in it. ``caption-side`` (+Cap) takes
      the mean over the true caption's words, as the released code's parent class. ``split-only`` (-A+Split) trains the
      encoder by Eq. 7.4 while the generator sleeps, then both.
    - ``lstm`` is pretrained on the dataset's texts where the paper's is on WikiText-2; the sizes of LSTM and QRNN, of the paper's
      appendix, are not known to us. GPT and XLM are not offered. First weights of the two are ours: forget gates that start open, and
      words' vectors of length five in place of GPT-2's, at which neither learns to look at a clip in a thousand steps.
    - Untrained generators read whole words, as in the paper; so does everything pretrained on a dataset's own texts, and each text's
      sentences are read by themselves, since the generator never sees an earlier sentence.
    - Pseudo-labels are predicted by ``no-adaptation``; ``more-videos`` adds one pass over unlabelled clips to the adaptation, each among
      its neighbours, and ``pseudo-labels-more-videos`` one over captions of them (told clip by clip, since the relation is of clips).
    - ``as-released`` has that code's coherence loss (visual side from the encoder, text side without gradient, its projections, ring
      and norm) and no self-attention. Its random keyword input, five context tokens, beam search and place of the segments are not reproduced.
    - ``tiny`` and ``base``: six segments a clip, for three; leaky ReLUs of slope 0.2 and four times the generator's width between
      the encoder's first layers, because a few hundred stories teach a narrow encoder little more than places. Adaptation is
      short and at a low rate: at that of generation it made single clips' captions worse.
    - There the generator is GPT-2's architecture in torch modules, so that nothing need be installed, pretrained on
      the relation ``text`` (one fit for all seeds, as a published model is); ``gpt2`` is the same through ``transformers``.
    """

    name = "tapm"
    title = "TAPM"
    modalities = ("appearance", "audio", "motion")
    Config = TAPMConfig
    Predict = SentenceSearch
    recipes: ClassVar = {
        "language": Recipe(
            phases=(
                Phase(name="pretrain", relation="text", epochs=10, learning_rate=1e-3, optimizer="adamw", weight_decay=0.01, schedule="cosine", validate=None, select="last"),
            ),
            config={"material": "text"},
            summary="the generator on texts alone; the other recipes start from it",
        ),
        "stories": Recipe(
            serves=("storytelling",),
            phases=_phases("stories", 8),
            config={"material": "sets"},
            summary="consecutive clips: adaptation to their order, then a sentence each",
        ),
        "captions": Recipe(
            serves=("captioning",),
            phases=_phases("captions", 40),
            config={"material": "clips"},
            summary="single clips: adaptation to tell them apart, then a sentence",
        ),
    }  # fmt: skip
    variants: ClassVar = {
        "greedy": {"predict.beam": 1},
        "no-adaptation": NO_ADAPTATION,
        "caption-side": {"sides": "caption"},
        "visual-adaptation": {"sides": "encoder"},
        "joint": JOINT,
        "split-only": {"coherence": "none", "adapt.losses": ("words",)},
        "more-videos": {"extra": "videos", "adapt-more.epochs": 1},
        "pseudo-labels": {**NO_ADAPTATION, "extra": "own-labels", "pseudo.epochs": 5},
        "pseudo-labels-more-videos": {**NO_ADAPTATION, "extra": "more-labels", "pseudo.epochs": 1},
        "gpt2": {"generator": "gpt2"},
        **{f"{name}{suffix}": {**made, **adapted} for name, made in GENERATORS.items() for suffix, adapted in ADAPTATIONS.items()},
        "as-released": {"coherence": "released", "self_attention": False},
    }  # fmt: skip
    presets: ClassVar = {"tiny": TINY, "base": BASE, "paper": {}}

    def upstream(self, config: TAPMConfig, recipe: str) -> Sequence[Upstream]:
        """The generator trained on texts, one for all seeds as a published one is; the fit whose captions are labels."""
        if config.generator == "gpt2" and importlib.util.find_spec("transformers") is None:
            raise SkippedPair(
                "the generator GPT-2 needs the library transformers: pip install 'reelbench[language]'"
            )
        ups = []
        if recipe != "language" and config.pretraining == "corpus":
            language = Upstream(
                name="language",
                recipe="language",
                variant=PRETRAINED_IN[config.generator],
                parameters={"generator.": "generator."},
                assets=("vocabulary",),
                shared=True,
            )
            ups.append(language)
        if recipe != "language" and config.extra.endswith("labels"):
            labelled = LABELLED[config.extra, recipe]
            ups.append(
                Upstream(
                    name="pseudo", recipe=recipe, variant="no-adaptation", parameters={}, predicts=labelled
                )
            )
        return ups

    def features(self, config: TAPMConfig, recipe: str) -> tuple[str, ...]:
        """Nothing for texts."""
        return () if recipe == "language" else self.modalities

    def assets(self, source: TrainingSource, config: TAPMConfig, recipe: str) -> Mapping[str, Any]:
        """Words (where no upstream fit brings them), features' moments, and which unlabelled clips follow each other."""
        from reelbench.plugins.layers.equal_segments import segment_moments
        from reelbench.plugins.layers.words import training_vocabulary
        from reelbench.plugins.tapm.examples import consecutive

        relation, text, video = FIELDS[recipe]
        assets: dict[str, Any] = {}
        if config.pretraining == "none" or (recipe == "language" and config.pretraining == "corpus"):
            assets["vocabulary"] = training_vocabulary(source, relation, text, config.min_count)
        if recipe != "language":
            assets["moments"] = segment_moments(source, relation, video, config.segments)
        if recipe == "stories" and config.extra in ("videos", "more-labels"):
            assets["sets"] = consecutive(source.relation("clips", "unlabelled"))
        return assets

    def build(self, data: DataInfo, config: TAPMConfig) -> torch.nn.Module:
        """Figure 7.2, or its generator alone."""
        from reelbench.plugins.tapm.model import TAPM as Network

        return Network(data, config)

    def sample(self, example: Example, source: Relation, ctx: Context) -> Example:
        """An unlabelled clip among those before and after it."""
        from reelbench.plugins.tapm.examples import with_neighbours

        places = ctx.data.assets.get("sets", {}).get(example.id)
        return example if places is None or "videos" in example.fields else with_neighbours(source, places)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Segments' means, and words as numbers."""
        from reelbench.plugins.tapm.examples import prepared

        return prepared(example, ctx)

    def training_step(
        self, module: Any, batch: Batch, ctx: Context
    ) -> torch.Tensor | Mapping[str, torch.Tensor]:
        """Eq. 7.3, Eq. 7.4, or both."""
        from reelbench.plugins.tapm import losses

        return (
            losses.language(module, batch)
            if ctx.recipe == "language"
            else losses.of_videos(module, batch, ctx)
        )

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """A sentence for each clip."""
        from reelbench.plugins.tapm import losses

        return losses.narrate(module, batch, ctx)


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """TAPM."""
    return [TAPM]
