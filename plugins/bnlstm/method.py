"""Registration of BN-LSTM: its choices, the rows of its table as variants, and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example
    from reelbench.training.source import TrainingSource

PLAIN = {"normalised_cells": False, "experts": 0}


class BNLSTMConfig(Config):
    """The paper's numbers. ``experts`` of 0 is a logistic classifier."""

    hidden: int = 256
    layers: int = 2
    word: int = 64
    beta: float = 0.0
    guided: bool = True
    loss_word: Literal["softmax", "binary"] = "binary"
    label_order: Literal["frequency", "random"] = "frequency"
    normalised_cells: bool = True
    norm_layers: bool = False
    experts: int = 2
    max_tags: int = 30


class BNLSTM(Method):
    """A batch-normalised LSTM spells a video's tags and guides a classifier. Source: Yoo, CVPR 2017 workshop, §3.

    Departures
    ----------
    - ``full`` is the table's best row: BNLSTM cells, beta 0, mixture of experts. Every other row is a variant; the
      baselines' rows are the methods ``linear`` and ``moe``.
    - The order of tags is not given: the most frequent in training comes first. ``random-label-order`` draws one order of
      all tags, once a fit and from its seed. Tags beyond ``max_tags`` are in the class loss only, so ``max-pooling`` is
      never taught them.
    - §3.1 puts the video's features "into all LSTM cell inputs". The paper calls a time step a cell (one cell a tag, a
      gate before each, an output from each) and §3.2 copies x "at each time step"; how its two layers are stacked it does
      not say. Here x enters the first layer at every step, and the second reads the first's state alone.
    - "Orthogonal each other" (§4.3): in both matrices of a cell each gate's block starts orthogonal by itself, and so
      does the embedding. The projection to words and the classifier start as PyTorch's linear layers do.
    - Every video runs as many steps as the longest training list (at most ``max_tags``) has tags, and one for the end
      mark, in training and at inference alike. Outputs after the end are masked: the word loss stops after the first
      true end mark, a cell whose predecessors have put out the end mark (it scored highest) reads that mark, and
      ``max-pooling`` scores the steps up to it. The state runs on to the last step: a guided model's classifier reads it.
    - "The embedding vector projected from the previous cell output" is the embedding matrix times the output's
      probabilities (softmax or sigmoids, as ``loss_word``), so gradients pass through it. The gate is drawn for each
      video and step.
    - The base LSTM (``max-pooling``) is trained with injected tags (beta 1), as is usual; its score of a tag is the
      highest probability of any step up to the end mark.
    - BNLSTM keeps population statistics for each time step and shares scale and shift; the scale is 0.1 at first. All
      three are Cooijmans et al.'s, for norms inside a cell. That the BN layer on words does the same, its scale of 0.1
      too, is ours: neither paper gives it. The one before the classifier is a usual one and starts at 1. Momentum 0.1 and
      epsilon 1e-5 are PyTorch's.
    - The class loss is binary cross-entropy summed over tags, a mean over videos. The word loss of a step is the
      softmax's cross-entropy (``max-pooling``, as §4.3 says), or binary cross-entropy summed over tags and the end mark
      (guided: §4.3 tries it and §5 credits it, so every guided row has it; ``softmax-word-loss`` is ``full`` with the
      other); it is a mean over a video's steps, then over videos. The two losses are added without weights.
    - Optimiser and batch are the starter code's (Adam, 0.01, times 0.95 an epoch, 1,024 videos, clipping at 1, here by
      the global norm), without its weight decay of 1e-8; features are standardised by training moments, not
      L2-normalised, and motion features stand beside appearance and sound.
    - The paper names no weight decay and ``paper`` has none. ``tiny`` and ``base`` add Adam's L2 decay of 0.01 on every parameter,
      biases and the norms' scales and shifts among them.
    """

    name = "bn-lstm"
    title = "BN-LSTM"
    modalities = ("appearance", "motion", "audio")
    Config = BNLSTMConfig
    recipes: ClassVar = {
        "tag": Recipe(
            serves=("tagging",),
            phases=(
                Phase(
                    name="translate",
                    relation="tags",
                    steps=100_000,
                    batch_size=1024,
                    learning_rate=0.01,
                    schedule="step",
                    decay=0.95,
                    decay_every=1,
                    clip_norm=1.0,
                ),
            ),
        )
    }
    variants: ClassVar = {
        "max-pooling": {**PLAIN, "guided": False, "beta": 1.0, "loss_word": "softmax"},
        "guided-beta-1": {**PLAIN, "beta": 1.0},
        "guided-beta-0.5": {**PLAIN, "beta": 0.5},
        "guided-beta-0": PLAIN,
        "beta-0.5-lstm-bn-layer": {**PLAIN, "beta": 0.5, "norm_layers": True},
        "beta-0.5-bnlstm": {"experts": 0, "beta": 0.5},
        "beta-0.5-bnlstm-bn-layer": {"experts": 0, "beta": 0.5, "norm_layers": True},
        "beta-0-lstm-bn-layer": {**PLAIN, "norm_layers": True},
        "beta-0-bnlstm": {"experts": 0},
        "softmax-word-loss": {"loss_word": "softmax"},
        "random-label-order": {"label_order": "random"},
    }
    presets: ClassVar = {
        "tiny": {
            "hidden": 128, "word": 32, "max_tags": 8,
            "translate.steps": None, "translate.epochs": 16, "translate.batch_size": 128, "translate.schedule": "cosine",
            "translate.weight_decay": 1e-2, "translate.clip_norm": 5.0, "translate.validate_every": 4,
        },
        "base": {
            "hidden": 256, "word": 32, "max_tags": 8,
            "translate.steps": None, "translate.epochs": 40, "translate.batch_size": 128, "translate.schedule": "cosine",
            "translate.weight_decay": 1e-2, "translate.clip_norm": 5.0, "translate.validate_every": 4,
        },
        "paper": {},
    }  # fmt: skip

    def assets(self, source: TrainingSource, config: BNLSTMConfig, recipe: str) -> Mapping[str, Any]:
        """Each tag's place in the order that they are spelt in, the longest list, and the features' moments."""
        from reelbench.plugins.layers.frames import feature_moments

        lists = [[int(i) for i in (e.targets or {})["labels"]] for e in source.relation("tags")]
        moments = feature_moments(source, "tags")  # drawn first: they are the same in either order
        count = len(source.spaces["tags"])
        if config.label_order == "random":
            order = source.rng.permutation(count).tolist()
        else:
            uses = Counter(i for tags in lists for i in tags)
            order = sorted(range(count), key=lambda i: (-uses[i], i))
        places = {tag: place for place, tag in enumerate(order)}
        return {
            "places": [places[i] for i in range(count)],
            "longest": min(max(map(len, lists)), config.max_tags),
            "moments": moments,
        }

    def build(self, data: DataInfo, config: BNLSTMConfig) -> torch.nn.Module:
        """The network of Figure 1."""
        from reelbench.plugins.bnlstm.model import TagTranslator

        return TagTranslator(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The video's mean frame; its tags as a sequence that ends in end marks, and all of them at once."""
        import numpy as np

        from reelbench.data import Example
        from reelbench.plugins.layers.frames import mean_frame

        fields = {"video": mean_frame(example["video"], tuple(ctx.data.features))}
        if example.targets is None:
            return Example(example.id, fields, None)
        places, steps = ctx.data.assets["places"], ctx.data.assets["longest"]
        tags = sorted((int(i) for i in example.targets["labels"]), key=lambda i: places[i])
        words = tags[:steps] + [len(places)] * (steps + 1 - len(tags[:steps]))
        labels = np.zeros(len(places), np.float32)
        labels[tags] = 1.0
        return Example(example.id, fields, {"words": np.asarray(words), "labels": labels})

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, torch.Tensor]:
        """Word loss and class loss."""
        from reelbench.plugins.bnlstm.losses import translate

        return translate(module, batch, ctx)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Probabilities of every tag."""
        from reelbench.plugins.bnlstm.losses import tag_scores

        return {"scores": tag_scores(module, batch)}


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """BN-LSTM."""
    return [BNLSTM]
