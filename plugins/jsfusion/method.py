"""Registration of JSFusion: its choices, recipes, ablations and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch, Padded
    from reelbench.data import Example, Relation
    from reelbench.training.source import TrainingSource

RELATION = {"match": "captions", "fill": "blanks"}


class LayerSizes(Config):
    """Widths of Table 5.1's layers."""

    joint: int
    """``D1``."""
    attention: int
    """``D2``."""
    fusion: int
    """``D3`` and ``D4``."""
    conv: int
    """``Conv1`` to ``Conv3``."""
    decision: tuple[int, int, int]
    """``D5``, ``D6`` and ``D7``."""


class JSFusionConfig(Config):
    """The paper's numbers; ``match_sizes`` is Table 5.1, ``blank_sizes`` is §5.3.6."""

    head: Literal["score", "word"] = "score"
    match_sizes: LayerSizes = LayerSizes(
        joint=512, attention=512, fusion=512, conv=256, decision=(256, 256, 128)
    )
    blank_sizes: LayerSizes = LayerSizes(
        joint=1024, attention=2048, fusion=2048, conv=1024, decision=(1024, 1024, 1024)
    )
    lstm: int = 512
    word: int = 300
    vectors: str | None = None
    """A file of published word vectors to start from, as GloVe's; without one they start at random."""
    min_count: int = 4
    max_frames: int = 40
    max_words: int = 40
    match_dropout: float = 0.5
    blank_dropout: float = 0.2
    margin: float = 10.0
    random_choices: int = 5
    encoder: Literal["blstm", "lstm", "dense", "released"] = "blstm"
    decoder: Literal["conv", "max", "mean", "none"] = "conv"
    gating: bool = True
    audio: bool = True
    standardise_score: bool = False
    leaky: bool = False
    rank: Literal["videos", "captions", "both"] = "both"

    @property
    def sizes(self) -> LayerSizes:
        """The widths of this fit's head."""
        return self.blank_sizes if self.head == "word" else self.match_sizes

    @property
    def dropout(self) -> float:
        """The dropout of this fit's head."""
        return self.blank_dropout if self.head == "word" else self.match_dropout


TINY: dict[str, Any] = {
    "match_sizes": {"joint": 256, "attention": 8, "fusion": 8, "conv": 8, "decision": (32, 32, 32)},
    "blank_sizes": {"joint": 256, "attention": 8, "fusion": 8, "conv": 8, "decision": (64, 64, 256)},
    "lstm": 64, "word": 64, "min_count": 1, "max_frames": 12, "max_words": 24, "match_dropout": 0.0, "blank_dropout": 0.0, "margin": 1.0,
    "match.steps": 1000, "match.batch_size": 12, "match.learning_rate": 3e-3, "match.weight_decay": 1e-6, "match.schedule": "cosine",
    "match.clip_norm": 1.0, "match.validate": None,
    "fill.steps": 1000, "fill.learning_rate": 3e-3, "fill.weight_decay": 1e-6, "fill.schedule": "cosine", "fill.validate": None,
}  # fmt: skip
"""The paper's structure at widths and lengths for two cores, 40 to 55 core-seconds a fit."""


class JSFusion(Method):
    """Every frame fused with every word, then decoded by gated convolutions. Source: Yu et al., ECCV 2018; thesis §5.3.

    Departures
    ----------
    - "The same model" for retrieval and multiple choice is one fit, ``match``: L matched pairs, all L x L scored, and
      Eq. 5.6 both for each sentence (retrieval: its video among L) and for each video (choices: its sentence among L).
      The paper trains twice; its batches for choices (1 right, 4 wrong and 5 random sentences a video) are the
      variant ``choice-batches``, with several videos a step, since a step of one would normalise over ten rows.
    - Eq. 5.6 sums over ``l`` with ``l*`` in it, which adds a constant; it is left out. The sum over a batch is kept for
      pairs and divided by the videos for choices. Pairs of equal content (two renderings of a script) are no negatives.
    - Batch norm on "every dense layer" means D1 to D7: on D8 it would fix the scores' variance, and a margin of 10
      would never be reached (the released code does so; variant ``as-released``). Its statistics are of valid frames,
      words and cells only. Dropout follows D1 to D3.
    - "lambda = 0.0005" in front of the squared norm is a weight decay of 0.001.
    - Convolutions shorten short sequences to nothing: grids are padded to 7 x 7, and at least one cell stays valid.
      Cells are masked after each stage, and the mean pool is over valid cells (17 x 17 at full length).
    - ``lstm-fusion`` multiplies ``D1`` of the two LSTMs' final states, without the inputs beside them, and has D5 to
      D8 after that. ``lstm`` keeps the forward direction only, at the same hidden size. ``jst-max`` and ``jst-mean`` pool with the
      convolutions' kernels and strides and keep the gates. The paper's "JSTmean-noattention" row is ``no-attention``.
    - GloVe vectors are not shipped: word vectors start from a file where ``vectors`` names one, otherwise at random, and are
      trained. Features are standardised by training moments, and
      motion features, which the paper has not, stand beside its appearance and sound, as for every other method.
    - Length of training and selection are not given: ten epochs, the best by validation. Gradients are clipped at 5, as
      in the released code.
    - ``as-released`` follows the retrieval network of yj-yu/lsmdc: temporal convolutions for videos, words without
      their vectors beside the BLSTM, leaky ReLUs, a standardised score, captions ranked for each video, no weight
      decay. Its scores are standardised over all pairs of a batch, not over each video's captions. Its networks for
      choices and for blanks (a 40 x 1 tensor), left padding, position signals, dropout places, batch norm's momentum
      and the learning rate's halving are not reproduced.
    - ``tiny`` scales the margin and the learning rate with the widths, lightens dropout and weight decay and takes 12
      pairs a step. Its encoders are wide and its tensor and decoder narrow, where the paper has one width: a sentence is
      encoded once and fused with every video of its batch, so cells bear the cost, while matching is learnt faster
      by a wider ``D1`` (256 rather than 64). ``base`` takes five and four times the steps, 28 frames rather than 12, and some dropout
      for blanks, which are learnt by heart without it.
    """

    name = "jsfusion"
    title = "JSFusion"
    modalities = ("appearance", "motion", "audio")
    Config = JSFusionConfig
    recipes: ClassVar = {
        "match": Recipe(
            serves=("retrieval:sentence", "multiple_choice"),
            phases=(
                Phase(
                    name="match", relation="captions", batch_size=10, learning_rate=1e-4, weight_decay=1e-3
                ),
            ),
            summary="matched pairs of a batch, all against all",
        ),
        "fill": Recipe(
            serves=("fill_in_blank",),
            phases=(
                Phase(name="fill", relation="blanks", batch_size=32, learning_rate=1e-4, weight_decay=1e-3),
            ),
            config={"head": "word"},
            summary="the missing word by cross-entropy, with the blank's context as a skip connection",
        ),
    }
    variants: ClassVar = {
        "lstm-fusion": {"encoder": "lstm", "decoder": "none"},
        "no-blstm": {"encoder": "dense"},
        "lstm": {"encoder": "lstm"},
        "jst-max": {"decoder": "max"},
        "jst-mean": {"decoder": "mean"},
        "no-attention": {"gating": False},
        "no-audio": {"audio": False},
        "as-released": {
            "encoder": "released",
            "standardise_score": True,
            "leaky": True,
            "rank": "captions",
            "margin": 10.0,
            "match.weight_decay": 0.0,
            "fill.weight_decay": 0.0,
        },
        "choice-batches": {"match.relation": "choices"},
    }
    presets: ClassVar = {
        "tiny": TINY,
        "base": {**TINY, "match.steps": 5000, "fill.steps": 4000, "max_frames": 28, "blank_dropout": 0.1},
        "paper": {},
    }  # fmt: skip

    def features(self, config: JSFusionConfig, recipe: str) -> tuple[str, ...]:
        """Sight, and sound unless it is left out."""
        return tuple(m for m in self.modalities if config.audio or m != "audio")

    def assets(self, source: TrainingSource, config: JSFusionConfig, recipe: str) -> Mapping[str, Any]:
        """The recipe's own sentences' vocabulary, and the features' moments."""
        from reelbench.plugins.layers.frames import feature_moments
        from reelbench.plugins.layers.word_vectors import published_vectors
        from reelbench.plugins.layers.words import training_vocabulary

        relation = RELATION[recipe]
        vocabulary = training_vocabulary(source, relation, "sentence", config.min_count)
        published = published_vectors(config.vectors, vocabulary, config.word, self.name)
        return {"vocabulary": vocabulary, "moments": feature_moments(source, relation), **published}

    def build(self, data: DataInfo, config: JSFusionConfig) -> torch.nn.Module:
        """The network of Figure 5.2."""
        from reelbench.plugins.jsfusion.model import JSFusion as Network

        return Network(data, config)

    def sample(self, example: Example, source: Relation, ctx: Context) -> Example:
        """Choices: add sentences of other training questions."""
        if "choices" not in example.fields or ctx.rng is None:
            return example
        count, right = ctx.config.random_choices, _right_choice(example)
        drawn = [_right_choice(source[int(i)]) for i in ctx.rng.integers(len(source), size=2 * count)]
        wrong = [sentence for sentence in drawn if sentence != right]
        return example.with_fields(choices=[*example["choices"], *[*wrong, *drawn][:count]])

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Equidistant frames, words as numbers; targets stay, the blank's answer as a number."""
        from reelbench.data import Example
        from reelbench.plugins.layers.frames import sample_frames

        fields: dict[str, Any] = {
            name: example.fields[name] for name in ("content",) if name in example.fields
        }
        if "video" in example.fields:
            fields["frames"] = sample_frames(
                example["video"], tuple(ctx.data.features), ctx.config.max_frames
            )
        for name in ("sentence", "query", "choices"):
            if name in example.fields:
                fields[name] = _encode(example[name], ctx)
        return Example(example.id, fields, _numbered(example.targets, ctx))

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Eq. 5.6 without its norm, or Eq. 5.7."""
        from reelbench.plugins.jsfusion import losses

        if ctx.recipe == "fill":
            return losses.fill(module, batch, ctx)
        return (losses.choose if "choices" in batch else losses.match)(module, batch, ctx)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Scores of choices, or of answers."""
        from reelbench.plugins.jsfusion import losses

        answer = losses.fill_logits if ctx.recipe == "fill" else losses.choice_scores
        return {"scores": answer(module, batch)}

    def encode_query(self, module: Any, batch: Batch, ctx: Context) -> Padded:
        """``D1w`` of each query."""
        from reelbench.batching import Padded

        query = batch["query"]
        return Padded(module.encode_sentence(query.data, query.mask), query.mask)

    def encode_gallery(self, module: Any, batch: Batch, ctx: Context) -> Padded:
        """``D1v`` of each video."""
        from reelbench.batching import Padded

        frames = batch["frames"]
        return Padded(module.encode_video(frames.data, frames.mask), frames.mask)

    def score(self, module: Any, query: Padded, gallery: Padded, ctx: Context) -> torch.Tensor:
        """Every pair through the tensor and the decoder, one query after the other so that memory stays small."""
        import torch

        from reelbench.plugins.jsfusion.model import score_all

        rows = [
            score_all(module, gallery.data, gallery.mask, words[None, :m], mask[None, :m])
            for words, mask, m in zip(query.data, query.mask, query.lengths.tolist(), strict=True)
        ]
        return torch.cat(rows)


def _right_choice(example: Example) -> tuple[str, ...]:
    return example["choices"][int((example.targets or {})["answer"])]


def _encode(text: Any, ctx: Context) -> Any:
    """A sentence ``(M,)``, or a list of them."""
    from reelbench.plugins.layers.words import known_words

    vocabulary, limit = ctx.data.assets["vocabulary"], ctx.config.max_words
    return (
        [known_words(vocabulary, t, limit) for t in text]
        if isinstance(text, list)
        else known_words(vocabulary, text, limit)
    )


def _numbered(targets: Mapping[str, Any] | None, ctx: Context) -> Mapping[str, Any] | None:
    """Targets with a blank's answer as its index, −100 where the vocabulary lacks it."""
    if targets is None or ctx.recipe != "fill":
        return targets
    answers: Sequence[str] = ctx.data.spaces["answers"]
    return {"answer": answers.index(targets["answer"]) if targets["answer"] in answers else -100}


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """JSFusion."""
    return [JSFusion]
