"""Registration of CiSIN: its choices, recipe, ablations and sizes. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example
    from reelbench.training.source import TrainingSource


class LossWeights(Config):
    """What each loss counts."""

    grounding: float = 1.0
    video: float = 1.0
    threshold: float = 1.0
    identity: float = 1.0
    gender: float = 1.0


class TextSizes(Config):
    """The text encoder: BERT-Base's sizes."""

    pretrained: str = ""
    """A model of ``transformers`` by local path or hub name; nothing trains ``text_encoder`` from scratch."""
    text_encoder: Literal["transformer", "blstm"] = "transformer"
    text_width: int = 768
    text_layers: int = 12
    text_heads: int = 12
    text_dropout: float = 0.1
    word_vectors: bool = False
    """Whether words start from their company in the relation ``text``."""
    max_words: int = 512
    min_count: int = 1

    hidden: int = 1024
    """Of every MLP."""
    dropout: float = 0.0
    """In MLPs."""


class CiSINConfig(TextSizes):
    """The paper's numbers (§6.3)."""

    face: str = "person_face"
    box: str = "person_look"
    """The representative image."""
    motion_features: tuple[str, ...] = ("person_body", "person_look")
    motion_width: int = 0
    """Of a layer over three neighbouring rows; 0 takes motion features as they are."""
    keypoints: str = ""
    """A modality ``(T, P, D + 1)`` of body points, the confidence last; nothing reads microworld's grid."""
    boxes: str = ""
    """A modality ``(T, 4)`` of boxes in shares of the frame, the centre first; goes with ``keypoints``."""
    confidence: float = 0.3
    part_width: int = 256

    motion: bool = True
    grounding: bool = True
    video: bool = True
    text: bool = True
    attributes: bool = True
    body: Literal["parts", "box", "none"] = "parts"
    refine: bool = True
    """``V + lambda G^T L G``."""
    joint: bool = True
    """Whether C is trained as a whole; otherwise each part by its own loss."""
    identity: bool = True
    """Whether C is trained at all."""

    grounding_margin: float = 3.0
    video_margin: float = 2.0
    negatives: Literal["all", "hardest"] = "all"
    video_loss: Literal["triplet", "cross-entropy"] = "triplet"
    soft_picks: bool = False
    """Softmax over tracks in test too."""
    sharpness: float = 1.0
    """Of that softmax."""
    loss_weights: LossWeights = LossWeights()

    @property
    def refines(self) -> bool:
        """Whether text refines V: all graphs must be there, and trained together."""
        return self.refine and self.joint and self.grounding and self.video and self.text

    @property
    def modalities(self) -> tuple[str, ...]:
        """Features it reads."""
        body = (self.keypoints, self.boxes) if self.keypoints and self.boxes else ("person_body",)
        return tuple(dict.fromkeys((self.face, self.box, *self.motion_features, *body)))


TINY: dict[str, Any] = {
    "hidden": 64, "part_width": 16, "motion_width": 64, "dropout": 0.1,
    "text_encoder": "blstm", "text_width": 64, "text_layers": 2, "text_heads": 4, "text_dropout": 0.2, "max_words": 128,
    "video_margin": 14.0,
    "joint.steps": 700, "joint.batch_size": 16, "joint.learning_rate": 2e-3, "joint.weight_decay": 1e-6,
    "joint.schedule": "cosine", "joint.validate": None, "joint.select": "last",
}  # fmt: skip
"""The paper's structure at widths and lengths for two cores."""


class CiSIN(Method):
    """Grounding, video and text re-identification as graphs that close to one. Source: Yu et al., ECCV 2020; thesis ch. 6.

    Departures
    ----------
    - Which negatives: Eq. 6.12 takes every other track of the clip, Eq. 6.13 every mention of another person in the set,
      Eq. 6.14 every triplet of the set, the mean of each; the released code takes the hardest (``as-released``). Mentions that
      are not on screen teach grounding nothing, and are linked in test as if they were.
    - Faces and body points are brought to unit length before their products, as the released code does for both, and
      ``w_scale`` starts from 10. A triplet loss says nothing of where V crosses zero: the level of V (both ``b_scale``,
      which only add) and lambda are also trained by cross-entropy of track pairs, with everything else held; both move faster
      than weights.
    - Scores (Eq. 6.5, 6.6, 6.10) have no leaky ReLU after their last layer, which would bend the logits.
    - "Softmax over M" is over the tracks of the mention's clip, as the argmax of Eq. 6.11 is.
    - Body points come from a fine-tuned ResNet in the paper: here a point's feature beside the whole representative
      image's goes through two layers that know which point it is. On microworld points are 24 blocks of ``person_body``, seen
      where they are inside the frame; a dataset with a pose detector names ``keypoints`` and ``boxes``. ``person_look``
      stands for the image, ``person_face`` for ArcFace, rows of body and look, three at a time in ``tiny``, for I3D.
    - A track's length in its metadata is a share of the longest track of its clip, not of the clip, whose own length an
      example without modalities of whole frames does not tell; a clip's only track reads 1. The released code has length / 300.
    - "The ROOT word associated with [SOMEONE]" is the head of the clause it is in: "… while [someone] is away" has
      "away", not the sentence's root.
    - BERT is read from ``pretrained``, a local path or hub name; without it a transformer or BLSTM is trained from
      scratch. A fine-tuned one gets "someone" for [SOMEONE], as in the released code.
    - Characters are labels, so links must be closed: clusters are joined while that gains expected right pairs of C, which
      keeps C >= 0.5 where it is consistent. Text re-identification is scored on C itself.
    - The genders of mentions train Eq. 6.6 where the relation has them.
    - Table 6.1's rows without text leave ``lambda G^T L G`` out and train the rest as always. ``without-text`` has no
      loss on C, ``visual-only`` has it on R alone. ``separate-training`` trains L by its own cross-entropy, and G with a text
      encoder of its own. A variant without the graph that a protocol asks for links nobody.
    - ``as-released`` has cross-entropy for V and hardest negatives, the released loss weights and dropout, picks tracks by a
      softmax of five times G in test too, and leaves ``lambda G^T L G`` out. Not reproduced: V through tanh with the face
      twice, raw ArcFace vectors, the penalty on mentions of one clip, GELU after BERT, eight tracks a clip.
    - Length of training: 15 epochs, one set a step, the best by validation. ``tiny`` scales learning rates with widths
      and the video margin with ``w_scale``, and takes 16 sets a step.
    """

    name = "cisin"
    title = "CiSIN"
    modalities = ("person_face", "person_look", "person_body")
    Config = CiSINConfig
    recipes: ClassVar = {
        "joint": Recipe(
            serves=("reidentification",),
            phases=(
                Phase(
                    name="joint",
                    relation="sets",
                    epochs=15,
                    batch_size=1,
                    learning_rate=1e-5,
                    weight_decay=1e-8,
                ),
            ),
            summary="one fit for grounding, video and text re-identification and fill-in the characters",
        )
    }
    variants: ClassVar = {
        "face-only": {"body": "none", "refine": False},
        "face-box": {"body": "box", "refine": False},
        "face-parts": {"refine": False},
        "without-motion": {"motion": False},
        "without-attributes-and-text": {"attributes": False, "text": False, "identity": False},
        "without-text": {"text": False, "identity": False},
        "without-grounding-and-visual": {"grounding": False, "video": False},
        "without-visual": {"video": False},
        "visual-only": {"attributes": False, "text": False},
        "text-only": {"attributes": False, "grounding": False, "video": False},
        "separate-training": {"attributes": False, "joint": False},
        "as-released": {
            "video_loss": "cross-entropy",
            "negatives": "hardest",
            "soft_picks": True,
            "sharpness": 5.0,
            "dropout": 0.3,
            "refine": False,
            "loss_weights": {"grounding": 1.0, "video": 0.1, "identity": 0.1, "gender": 1.0},
        },
    }
    presets: ClassVar = {
        "tiny": TINY,
        "base": {**TINY, "joint.steps": 6000},
        "paper": {"pretrained": "bert-base-uncased"},
    }

    def features(self, config: CiSINConfig, recipe: str) -> tuple[str, ...]:
        """People's features, as the configuration names them."""
        return config.modalities

    def assets(self, source: TrainingSource, config: CiSINConfig, recipe: str) -> Mapping[str, Any]:
        """Vocabulary, word vectors where asked for, moments of track features, and how many body points there are."""
        from reelbench.plugins.cisin import examples

        return {**examples.text_assets(source, config), **examples.track_assets(source, config)}

    def build(self, data: DataInfo, config: CiSINConfig) -> torch.nn.Module:
        """The network of Figure 6.2."""
        from reelbench.plugins.cisin.model import CiSIN as Network

        return Network(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The set's words in one sequence, its tracks' rows one after the other, with who stands where."""
        from reelbench.plugins.cisin import examples

        return examples.prepare(example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, torch.Tensor]:
        """All losses of §6.3.6."""
        from reelbench.plugins.cisin import losses

        return losses.losses(module, batch, ctx.config)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Links, tables or labels, as the protocol asks."""
        from reelbench.plugins.cisin import losses

        return losses.predict(module, batch, ctx.protocol or "")


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """CiSIN."""
    return [CiSIN]
