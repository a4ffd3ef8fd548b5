"""Registration of HSE: its choices, recipes, ablations and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream
from reelbench.plugins.layers.sentence_search import SentenceSearch

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example, Relation
    from reelbench.training.source import TrainingSource


class HSEConfig(Config):
    """The paper's numbers where it gives them, the released code's where it does not."""

    head: Literal["match", "caption", "classify"] = "match"
    hierarchy: bool = True
    low_level: Literal["strong", "weak", "none"] = "strong"
    tau: float = 5e-4
    tau_steps: float = 1e-4
    normalise: bool = False
    alpha: float = 0.2
    beta: float = 0.2
    gamma: float = 0.2
    eta: float = 0.2
    weak_beta: float = 0.2
    width: int = 1024
    word: int = 300
    readout: Literal["last", "max"] = "last"
    remember: float = 0.0
    """The first bias of the update gates: above zero, states begin as long averages."""
    context: bool = False
    train_words: bool = True
    vectors: str | None = None
    """A file of published word vectors, as GloVe's; without one they are made from ``corpus``."""
    corpus: str | None = "text"
    """The relation of texts that word vectors are made from, beside the stories."""
    composed: bool = False
    """Whether the phase ``compose`` has something to do: an index of the captions of each video."""
    min_count: int = 1
    max_frames: int = 80
    """Longer clips are read at so many equidistant frames."""
    frame_step: int = 1
    """Of how many frames one is read,"""
    min_frames: int = 1
    """as long as so many are left of those there are."""
    max_words: int = 80
    caption_word: int = 512
    caption_lstm: int = 512
    caption_min_count: int = 1
    classifier_hidden: int = 1024


def _phase(name: str, relation: str, **changes: Any) -> Phase:
    return Phase(name=name, relation=relation, batch_size=64, learning_rate=1e-3, clip_norm=None, **changes)


COMPOSING = _phase("compose", "captions", epochs=0, validate=None, select="last")
MATCHING = _phase("match", "stories", epochs=30, schedule="step", decay=0.1, decay_every=10)
CAPTIONING = _phase("caption", "captions", epochs=25, frozen=("video",))
CLASSIFYING = _phase("classify", "actions", epochs=25, frozen=("video",))

SHORT: dict[str, Any] = {"learning_rate": 5e-3, "schedule": "cosine", "validate": None, "select": "last"}
TINY: dict[str, Any] = {
    "width": 128, "word": 64, "frame_step": 4, "min_frames": 6, "max_words": 24, "remember": 2.5, "composed": True,
    "alpha": 0.4, "beta": 0.4, "weak_beta": 0.4,
    "caption_word": 128, "caption_lstm": 128, "classifier_hidden": 256,
    **{f"{phase}.{key}": value for phase in ("compose", "match", "caption", "classify") for key, value in SHORT.items()},
    "compose.batch_size": 16, "compose.steps": 290, "compose.schedule": "constant",
    "match.batch_size": 16, "match.steps": 60,
    "caption.steps": 600, "caption.batch_size": 32, "classify.steps": 600,
}  # fmt: skip


class HSE(Method):
    """Frames to clips to video, words to sentences to paragraph, matched at both levels. Source: Zhang, Hu and Sha, ECCV 2018.

    Departures
    ----------
    - The matching and clustering losses as printed (Eq. 4 to 7 and 14) have their signs turned: minimised, they would
      drive pairs apart. Here ``[margin - own + other]_+`` and ``[margin - 1 + other]_+``, as in the released code.
    - Sizes, margins and training are not in the paper; they are those of the released code (GRUs of 1024, words of 300,
      margins of 0.2, Adam, batches of 64 videos, no clipping). Selection is the best by validation, on this benchmark's
      validation split. GloVe vectors are read from a file where ``vectors`` names one; otherwise word vectors are made
      of co-occurrences in the text corpus. They are trained on with the rest, as in the released code.
    - Sums over ``k`` and ``k'`` are over a batch, and leave out what is no negative (the released code counts it): the
      same clip or sentence again, as a whole the same clips or the same paragraph. With ``composed`` two renderings of one
      clip are the same, since ``captions`` tells their content; ``stories`` does not.
    - The data that reconstruction has to meet (clips, sentences, frames, words) get no gradient from it: as targets that
      learn they could shrink to nothing. Generated frames and words are read off the decoder's states by a linear
      layer, since states lie within -1 and 1 and standardised features do not; generated clips are the states
      themselves. The reconstruction of the flat model is left out (the paper's FSE has none).
    - An embedding is the encoder's last state. The flat model reads the frames of all given clips in a row, which is what
      it can see of a video of which some clips are observed.
    - Weak correspondence replaces Eq. 5 by Eq. 14 and keeps the low-level clustering, which needs no pairs. Eq. 13, a mean of
      cosines, is computed as the product of the means of unit vectors.
    - A captioned clip comes alone here, so the contextual feature beside ``c`` is ``v`` of a video of that one clip; the flat
      model has one vector. The two are the LSTM's first input (Vinyals et al.), and its forget gates begin at a bias of one,
      for they are told nothing later. ``fine-tuned`` trains the encoder on.
    - Names of actions are in the base form: a word that the vocabulary lacks is read as the one it is spelled like
      (``walk`` as ``walks``), or as unknown where none is. One fit serves zero-shot recognition, another has the classifier.
    - Proposals are ``uniform-k``; a network for proposals (SSN) is not here.
    - ``as-released`` adds what Sha-Lab/CMHSE does beside: the low-level encoder over a whole video or paragraph is the
      first state of the high level and has a matching loss of its own; embeddings are maxima over time; losses are
      divided by the squared number of rows, reconstruction is a mean of plain distances, with a second weight for frames
      and words. Not reproduced: Xavier initialisation, decoders without an output layer, contexts cut to 80 frames.
    - ``tiny`` composes stories before it reads told ones (phase ``compose``): microworld tells a third of its stories,
      and captions the clips of all, so a paragraph is made of one caption of each clip of a video, as the paper makes
      DiDeMo's. All variants have it. Update gates begin with a bias, so that a state begins as a long average, and
      margins of matching are 0.4. One frame of four is read, whatever the length of a clip or proposal, and six of a short
      one. ``base`` is the same for five to eight times the steps; ``paper`` has none of this.
    """

    name = "hse"
    title = "HSE"
    modalities = ("appearance", "motion", "audio")
    Config = HSEConfig
    Predict = SentenceSearch
    recipes: ClassVar = {
        "match": Recipe(
            serves=(
                "retrieval:paragraph",
                *(f"retrieval:{kind}-{n}" for kind in ("observed", "uniform") for n in (1, 2, 3, 4)),
                "action_recognition",
            ),
            phases=(COMPOSING, MATCHING),
            summary="videos with their paragraphs, clips with their sentences; actions by their names",
        ),
        "caption": Recipe(
            serves=("captioning",),
            phases=(CAPTIONING,),
            config={"head": "caption"},
            summary="a two-layer LSTM on the matched embeddings",
        ),
        "classify": Recipe(
            serves=("action_recognition:seen",),
            phases=(CLASSIFYING,),
            config={"head": "classify"},
            summary="a perceptron on the matched clip embeddings",
        ),
    }
    variants: ClassVar = {
        "fse": {"hierarchy": False},
        "weak": {"low_level": "weak"},
        "no-low-level": {"low_level": "none"},
        "tau-0": {"tau": 0.0},
        "tau-0-weak": {"tau": 0.0, "low_level": "weak"},
        "tau-0-no-low-level": {"tau": 0.0, "low_level": "none"},
        "fine-tuned": {"caption.frozen": ()},
        "as-released": {"context": True, "readout": "max", "normalise": True},
    }
    presets: ClassVar = {
        "tiny": TINY,
        "base": {
            **TINY,
            "compose.steps": 2000,
            "match.steps": 400,
            "caption.steps": 4000,
            "classify.steps": 4000,
        },
        "paper": {},
    }

    def upstream(self, config: HSEConfig, recipe: str) -> Sequence[Upstream]:
        """The matching fit, for what is trained on top of it."""
        if recipe == "match":
            return ()
        return (Upstream(name="matched", recipe="match", parameters={"video": "video"}, assets=("moments",)),)

    def assets(self, source: TrainingSource, config: HSEConfig, recipe: str) -> Mapping[str, Any]:
        """Words and their vectors, the names of actions in these words, the features' moments; or a captioner's words."""
        from reelbench.plugins.hse.text import (
            caption_words,
            captions_of_videos,
            contents_of_clips,
            matching_words,
        )
        from reelbench.plugins.layers.frames import feature_moments

        if recipe == "caption":
            return {"caption_words": caption_words(source, config)}
        if recipe == "classify":
            return {}
        captions = (
            {"captions": captions_of_videos(source), "contents": contents_of_clips(source)}
            if config.composed
            else {}
        )
        return {**matching_words(source, config), "moments": feature_moments(source, "stories"), **captions}

    def build(self, data: DataInfo, config: HSEConfig) -> torch.nn.Module:
        """The network of a recipe."""
        from reelbench.plugins.hse.model import build

        return build(data, config)

    def sample(self, example: Example, source: Relation, ctx: Context) -> Example:
        """Compose a story of captions, or take a told one; an example without a story stays as it is."""
        from reelbench.plugins.hse.text import as_trained_on, compose

        if ctx.phase is not None and ctx.phase.name == "compose":
            return as_trained_on(compose(example, source, ctx), ctx)
        return as_trained_on(example, ctx) if "videos" in example.fields else example

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Frames of each clip, words of each sentence, a caption between its marks."""
        from reelbench.data import Example
        from reelbench.plugins.hse.text import prepare_fields

        return Example(example.id, prepare_fields(example, ctx), example.targets)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """Eq. 11, or cross-entropy of words or of actions."""
        from torch.nn import functional

        from reelbench.plugins.hse import losses
        from reelbench.plugins.layers.sentences import word_loss

        if ctx.recipe == "match":
            return losses.total(module, batch, ctx.config)
        if ctx.recipe == "caption":
            words = batch["caption"].data
            return word_loss(module(batch["frames"], words[:, :-1]), words, 0)
        assert batch.targets is not None
        return functional.cross_entropy(module(batch["frames"]), batch.targets["label"])

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Captions, or scores of actions."""
        if ctx.recipe == "caption":
            from reelbench.plugins.hse.text import write

            return {"caption": write(module, batch["frames"], ctx)}
        return {
            "scores": module(batch["frames"])
            if ctx.recipe == "classify"
            else module.label_scores(batch["frames"])
        }

    def encode_query(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """``p`` of each paragraph: ``(B, width)``."""
        return module.texts(batch["words"]).whole

    def encode_gallery(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """``v`` of each video: ``(B, width)``."""
        return module.videos(batch["frames"]).whole

    def score(self, module: Any, query: torch.Tensor, gallery: torch.Tensor, ctx: Context) -> torch.Tensor:
        """Eq. 2: ``(Q, G)``."""
        from reelbench.plugins.hse.model import cosines

        return cosines(query, gallery)


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """HSE."""
    return [HSE]
