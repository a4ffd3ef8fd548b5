"""Registration of CT-SAN: its choices, recipes, ablations and sizes. Loads neither numpy nor torch."""

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


class CTSANConfig(Config):
    """The paper's numbers, where it gives them."""

    head: Literal["captions", "blanks", "choices", "retrieval"] = "captions"
    map: str = "spatial"
    vectors: tuple[str, ...] = ("appearance", "motion", "audio")
    max_frames: int = 40
    min_count: int = 4
    max_words: int = 40
    word: int = 300
    """``d``."""
    grid: int = 500
    """Channels of a region, and so the tracing LSTM's."""
    attention: int = 500
    """Channels between the two convolutions of Eq. 4.4."""
    hidden: int = 500
    """``D``."""
    layers: int = 2
    layer_norm: bool = True
    dropout: float = 0.2
    candidates: int = 2000
    """``V``."""
    concept_words: int = 10
    """``K``."""
    tags: Literal["data", "parser"] = "data"
    """Whose parts of speech choose the candidates."""
    concepts: bool = True
    input_attention: bool = True
    output_attention: bool = True
    regulariser: float = 0.001
    """``lambda_1``."""
    concept_weight: float = 1.0
    """``lambda_2``."""
    choice_margin: float = 1.0
    retrieval_margin: float = 3.0
    sketch: int = 8000
    maxout: int = 1500
    pieces: int = 2

    @property
    def attends_input(self) -> bool:
        """Whether there is input semantic attention."""
        return self.concepts and self.input_attention

    @property
    def attends_output(self) -> bool:
        """Whether there is output semantic attention, where the head has words to put out."""
        return self.concepts and self.output_attention


class CTSANSettings(Config):
    """The longest caption, and how many beams find it; one is greedy."""

    max_words: int = 20
    beam: int = 1


TINY: dict[str, Any] = {
    "max_frames": 6, "min_count": 1, "word": 64, "grid": 32, "attention": 8, "hidden": 64, "dropout": 0.0,
    "sketch": 512, "maxout": 64,
    "describe.steps": 450, "describe.learning_rate": 5e-3, "describe.schedule": "cosine", "describe.validate": None,
    "fill.steps": 400, "fill.learning_rate": 5e-3, "fill.schedule": "cosine", "fill.validate": None,
    "choose.steps": 400, "choose.learning_rate": 5e-3, "choose.schedule": "cosine", "choose.validate": None,
    "rank.steps": 400, "rank.learning_rate": 5e-3, "rank.schedule": "cosine", "rank.validate": None,
}  # fmt: skip
"""The paper's structure at widths and lengths for two cores."""


def _recipe(head: str, phase: str, serves: str, summary: str, batch_size: int = 32) -> Recipe:
    relation = "captions" if head == "retrieval" else head
    phases = (Phase(name=phase, relation=relation, batch_size=batch_size, learning_rate=1e-4, epochs=20),)
    return Recipe(serves=(serves,), phases=phases, config={"head": head}, summary=summary)


class CTSAN(Method):
    """Concept words traced over frames, attended to by four models. Source: Yu et al., CVPR 2017; thesis chapter 4.

    Departures
    ----------
    - To be written.
    """

    name = "ct-san"
    title = "CT-SAN"
    Config = CTSANConfig
    Predict = CTSANSettings
    recipes: ClassVar = {
        "captions": _recipe(
            "captions",
            "describe",
            "captioning",
            "captions, and with them the concept detector that the others take over",
        ),
        "blanks": _recipe(
            "blanks",
            "fill",
            "fill_in_blank",
            "the missing word by cross-entropy, both ways from the video's state",
        ),
        "choices": _recipe(
            "choices", "choose", "multiple_choice", "the right sentence by a margin over four others", 16
        ),
        "retrieval": _recipe(
            "retrieval", "rank", "retrieval:sentence", "matched pairs of a batch, all against all", 16
        ),
    }
    variants: ClassVar = {
        "base-san": {"concepts": False},
        "input-only": {"output_attention": False},
        "output-only": {"input_attention": False},
        "ensemble": {"ensemble": 3},
        "no-regulariser": {"regulariser": 0.0},
        "map-only": {"vectors": ()},
        "as-released": {
            "layers": 1,
            "layer_norm": False,
            "dropout": 0.0,
            "regulariser": 0.0,
            "concept_weight": 1.0,
        },
    }
    presets: ClassVar = {"tiny": TINY, "paper": {}}

    def features(self, config: CTSANConfig, recipe: str) -> tuple[str, ...]:
        """The map, and the vectors beside it."""
        return (config.map, *config.vectors)

    def upstream(self, config: CTSANConfig, recipe: str) -> Sequence[Upstream]:
        """The detector trained with captioning, its words and their vectors (end of §4.2.4)."""
        if recipe == "captions" or not config.concepts:
            return ()
        parts = ("embed.", "grid.", "detector.")
        return (
            Upstream(
                name="detector",
                recipe="captions",
                parameters={part: part for part in parts},
                assets=("vocabulary", "concepts", "moments", "map_moments"),
            ),
        )

    def assets(self, source: TrainingSource, config: CTSANConfig, recipe: str) -> Mapping[str, Any]:
        """Vocabulary, candidate concepts and moments of captions; recipes that start from a detector take its own."""
        if recipe != "captions" and config.concepts:
            return {}
        from reelbench.plugins.ctsan.concepts import concept_words
        from reelbench.plugins.ctsan.frames import vector_moments
        from reelbench.plugins.layers.maps import map_moments
        from reelbench.plugins.layers.words import training_vocabulary

        captions = source.relation("captions")
        vocabulary = training_vocabulary(source, "captions", "sentence", config.min_count)
        return {
            "vocabulary": vocabulary,
            "concepts": concept_words(captions, vocabulary, config.candidates, config.tags),
            "moments": vector_moments(source, config),
            "map_moments": map_moments(source, "captions", config.map),
        }

    def build(self, data: DataInfo, config: CTSANConfig) -> torch.nn.Module:
        """The recipe's model."""
        from reelbench.plugins.ctsan.model import MODELS

        return MODELS[config.head](data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Equidistant frames, words as numbers, and in training the reference concepts."""
        from reelbench.plugins.ctsan.frames import prepare

        return prepare(example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, torch.Tensor]:
        """Eq. 4.14, 4.20, 4.23 or 4.26."""
        from reelbench.plugins.ctsan import losses

        steps = {
            "captions": losses.describe,
            "blanks": losses.fill,
            "choices": losses.choose,
            "retrieval": losses.retrieve,
        }
        return steps[ctx.recipe](module, batch, ctx)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Captions, probabilities of answers, or scores of choices."""
        from reelbench.plugins.ctsan import losses

        if ctx.recipe == "captions":
            return {"caption": losses.captions(module, batch, ctx)}
        answer = losses.answer_probabilities if ctx.recipe == "blanks" else losses.choice_scores
        return {"scores": answer(module, batch)}

    def encode_query(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """The words: they are read anew with each video's concepts."""
        return batch["words"]

    def encode_gallery(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """``s_N`` and the concepts' vectors."""
        return module.keep(batch)

    def score(self, module: Any, query: Any, gallery: Any, ctx: Context) -> torch.Tensor:
        """Eq. 4.25 for every pair."""
        from reelbench.plugins.ctsan.losses import pair_scores

        return pair_scores(module, query, gallery)


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """CT-SAN."""
    return [CTSAN]
