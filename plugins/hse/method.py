"""Registration of HSE: its choices, recipes, ablations and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example
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
    context: bool = False
    train_words: bool = True
    vectors: str | None = None
    corpus: str = "text"
    min_count: int = 1
    max_frames: int = 80
    max_words: int = 80
    caption_word: int = 512
    caption_lstm: int = 512
    caption_min_count: int = 1
    classifier_hidden: int = 1024


class HSEPredict(Config):
    """How captions are searched for."""

    beam: int = 5
    longest: int = 30


MATCHING = Phase(
    name="match",
    relation="stories",
    epochs=30,
    batch_size=64,
    learning_rate=1e-3,
    schedule="step",
    decay=0.1,
    decay_every=10,
    clip_norm=None,
)
CAPTIONING = Phase(name="caption", relation="captions", epochs=25, batch_size=64, learning_rate=1e-3, frozen=("video",))
CLASSIFYING = Phase(name="classify", relation="actions", epochs=25, batch_size=64, learning_rate=1e-3, frozen=("video",))

TINY: dict[str, Any] = {
    "width": 128, "word": 64, "max_frames": 12, "max_words": 24,
    "caption_word": 128, "caption_lstm": 128, "classifier_hidden": 128,
    "match.steps": 300, "match.schedule": "cosine", "match.learning_rate": 3e-3, "match.validate": None, "match.select": "last",
    "caption.steps": 300, "caption.schedule": "cosine", "caption.learning_rate": 3e-3, "caption.validate": None, "caption.select": "last",
    "classify.steps": 300, "classify.schedule": "cosine", "classify.learning_rate": 3e-3, "classify.validate": None, "classify.select": "last",
}  # fmt: skip


class HSE(Method):
    """Hierarchical sequence embedding. Source: Zhang et al., ECCV 2018."""

    name = "hse"
    title = "HSE"
    modalities = ("appearance", "motion", "audio")
    Config = HSEConfig
    Predict = HSEPredict
    recipes: ClassVar = {
        "match": Recipe(
            serves=(
                "retrieval:paragraph",
                *(f"retrieval:{kind}-{n}" for kind in ("observed", "uniform") for n in (1, 2, 3, 4)),
                "action_recognition",
            ),
            phases=(MATCHING,),
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
    presets: ClassVar = {"tiny": TINY, "base": {**TINY}, "paper": {}}

    def upstream(self, config: HSEConfig, recipe: str) -> Sequence[Upstream]:
        """The matching fit, for what is trained on top of it."""
        if recipe == "match":
            return ()
        return (Upstream(name="matched", recipe="match", parameters={"video": "video"}, assets=("moments",)),)

    def assets(self, source: TrainingSource, config: HSEConfig, recipe: str) -> Mapping[str, Any]:
        """Words and their vectors, the names of actions in these words, the features' moments; or a captioner's words."""
        from reelbench.plugins.hse.text import caption_words, matching_words
        from reelbench.plugins.layers.frames import feature_moments

        if recipe == "match":
            return {**matching_words(source, config), "moments": feature_moments(source, "stories")}
        return {"caption_words": caption_words(source, config)} if recipe == "caption" else {}

    def build(self, data: DataInfo, config: HSEConfig) -> torch.nn.Module:
        """The network of a recipe."""
        from reelbench.plugins.hse.model import build

        return build(data, config)

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
        return {"scores": module(batch["frames"]) if ctx.recipe == "classify" else module.label_scores(batch["frames"])}

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
