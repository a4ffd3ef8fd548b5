"""Registration of CT-SAN: its choices, recipes, ablations and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.errors import SkippedPair
from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe, Upstream
from reelbench.plugins.layers.sentence_search import SentenceSearch
from reelbench.resolution import FULL

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
    tags: Literal["data", "parser", "none"] = "data"
    """Whose parts of speech choose the candidates; with none a stop list does."""
    concepts: bool = True
    input_attention: bool = True
    output_attention: bool = True
    regulariser: float = 0.0001
    """``lambda_1``."""
    concept_weight: float = 1.0
    """``lambda_2``."""
    choice_margin: float = 1.0
    retrieval_margin: float = 3.0
    sketch: int = 8000
    maxout: int = 1500
    pieces: int = 2
    blanks_only: bool = False
    """Whether other recipes are left out, of which the paper has no such row."""

    @property
    def attends_input(self) -> bool:
        """Whether there is input semantic attention."""
        return self.concepts and self.input_attention

    @property
    def attends_output(self) -> bool:
        """Whether there is output semantic attention, where the head has words to put out."""
        return self.concepts and self.output_attention


TINY: dict[str, Any] = {
    "max_frames": 4, "min_count": 1, "word": 64, "grid": 64, "attention": 8, "hidden": 96, "dropout": 0.0,
    "concept_weight": 5.0, "retrieval_margin": 1.0, "sketch": 512, "maxout": 64,
    "describe.steps": 350, "describe.batch_size": 48, "describe.learning_rate": 5e-3, "describe.schedule": "cosine",
    "describe.validate": None,
    "fill.steps": 350, "fill.batch_size": 48, "fill.learning_rate": 3e-3, "fill.schedule": "cosine", "fill.validate": None,
    "choose.steps": 300, "choose.batch_size": 24, "choose.learning_rate": 2e-3, "choose.schedule": "cosine", "choose.validate": None,
    "rank.steps": 300, "rank.learning_rate": 2e-3, "rank.schedule": "cosine", "rank.validate": None,
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
    - ``alpha_0`` is the first frame's attention. From Eq. 4.3 as it stands every trace, at rest at first, would get the same
      map there, and as their weights are shared the traces would never part.
    - "Two convolutions" (Eq. 4.4): both 3 x 3, a ReLU between, as in the released code. They are computed as one linear map
      of ``h`` where that is shorter (``detector.py``); the numbers are the same.
    - The detector gets no gradient through its choice of K words; their vectors do. Its frames are equidistant; a
      dataset's vectors (appearance, motion, sound) are added to all regions and stand beside the pooled map in the video
      encoder, since maps here hold neither sound nor much motion. ``map-only`` is the paper's input. Vectors are means of the
      time from one frame to the next.
    - Parts of speech are the dataset's; without them a stop list chooses (``stop-list``), or spaCy's tags (``parsed``, the
      extra ``parse``) in NLTK's place. Word vectors are learned with the model, not by skip-grams, and go with the detector
      to the other models, since concepts are words; the video encoder "in Figure 4.2" (§4.2.5) goes along.
    - ``lambda_1``, ``lambda_2``, optimiser and length of training are not given: 0.0001, the released code's 1, Adam at 1e-4
      and 20 epochs; the best by validation. Losses are means over a batch, and Eq. 4.14's first term over words.
    - ``h_0 = s_N`` passes the cell on as well, a layer to a layer in captioning. The LSTMs of blanks, choices and
      retrieval have one layer, as their equations do. Layer normalisation is Ba et al.'s; the text has it for description
      and blanks, and is silent for the tracing LSTM and for choices and retrieval (§4.2.6, §4.2.7), which have none here.
      In the last two it would take from ``x`` its length, which tells whether a word was found among the concepts.
      Dropout is given for description; the sentences' LSTMs of the other models have the same, the tracing LSTM none.
    - First weights are not given. Matrices are Glorot's, as in the released code; the rest is ours. Recurrent matrices are
      orthogonal, word vectors scaled by ``d ** -0.5``, the detector's last bias is -3 (a candidate is rarely said), and the
      video encoder's forget bias 1. It is 3 in sentences' LSTMs, so that the video they start from outlasts the words;
      retrieval's starts from zero, and has the same for simplicity. Except in captioning, ``W_gamma`` starts as thrice the
      identity, so that a word looks for itself among the concepts, and ``w_{x,a}`` starts at -1 in choices and retrieval, so
      that what it finds is taken from it; elsewhere at 1. Only a model with input attention can start so: in blanks,
      choices and retrieval a comparison with ``base-san`` or ``output-only`` is partly one of this start.
    - Blanks: the softmax is over the label space. Retrieval: the margin is over both the sentences of a video and the
      videos of a sentence, as the paper's "k" is a movie and a query; pairs of equal content are no negatives. The query is
      read with each video's concepts. ``W_p`` makes two pieces for each of the 1,500 maxout units. Choices learn from
      their four wrong sentences. ``output-only`` has no attention in choices and retrieval.
    - ``base-san`` keeps the grid and the encoder, and starts from its own captioning fit's word vectors, grid and
      encoder, so that detector and attention alone tell it from the full model.
    - ``ensemble`` averages probabilities of three fits, for blanks; the six and seven averaged matrices of Table 4.2 are left out.
    - ``as-released``: one plain layer, no dropout in LSTMs, no regulariser. Not reproduced: tanh and an L2 norm before the
      trace attention, an encoder that reads the raw map, ``phi`` without ``W_x``, batch norm before the answers, fixed GloVe.
    - ``tiny`` reads four frames, leaves dropout out, scales retrieval's margin with its widths and weighs concepts five times,
      as there are few candidates; ``base`` is the same with twelve frames, the paper's dropout and about six times the steps.
    """

    name = "ct-san"
    title = "CT-SAN"
    Config = CTSANConfig
    Predict = SentenceSearch
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
        "ensemble": {"ensemble": 3, "blanks_only": True},
        "no-regulariser": {"regulariser": 0.0},
        "map-only": {"vectors": ()},
        "stop-list": {"tags": "none"},
        "parsed": {"tags": "parser"},
        "as-released": {
            "layers": 1,
            "layer_norm": False,
            "dropout": 0.0,
            "regulariser": 0.0,
            "concept_weight": 1.0,
        },
    }
    presets: ClassVar = {
        "tiny": TINY,
        "base": {
            **TINY,
            "max_frames": 12,
            "dropout": 0.2,
            "describe.steps": 2000,
            "fill.steps": 2000,
            "choose.steps": 2000,
            "rank.steps": 2000,
        },
        "paper": {},
    }

    def features(self, config: CTSANConfig, recipe: str) -> tuple[str, ...]:
        """The map, and the vectors beside it."""
        return (config.map, *config.vectors)

    def upstream(self, config: CTSANConfig, recipe: str) -> Sequence[Upstream]:
        """The detector trained with captioning, its words and the video encoder (§4.2.4); without concepts all but the detector."""
        if config.blanks_only and recipe != "blanks":
            raise SkippedPair("the paper averages three models for blanks only")
        if config.tags == "parser" and importlib.util.find_spec("spacy") is None:
            raise SkippedPair("candidates by a parser need spaCy: pip install 'reelbench[parse]'")
        if recipe == "captions":
            return ()
        parts = ("embed.", "grid.", "video.", *(("detector.",) if config.concepts else ()))
        return (
            Upstream(
                name="detector",
                recipe="captions",
                variant=FULL if config.blanks_only else None,
                parameters={part: part for part in parts},
                assets=("vocabulary", "concepts", "moments", "map_moments"),
            ),
        )

    def assets(self, source: TrainingSource, config: CTSANConfig, recipe: str) -> Mapping[str, Any]:
        """Vocabulary, candidate concepts and moments of captions; recipes that start from a detector take its own."""
        if recipe != "captions":
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
        from reelbench.plugins.ctsan.model import build

        return build(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Equidistant frames, words as numbers, and in training the reference concepts."""
        from reelbench.plugins.ctsan.frames import prepare

        return prepare(example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, torch.Tensor]:
        """Eq. 4.14, 4.20, 4.23 or 4.26."""
        from reelbench.plugins.ctsan import losses

        steps: dict[str, Callable[..., Mapping[str, torch.Tensor]]] = {
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
