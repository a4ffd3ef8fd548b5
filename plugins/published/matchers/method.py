"""Registration of the published matchers. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example
    from reelbench.training.source import TrainingSource

TINY = {
    "lstm": 128, "word": 64, "space": 128, "min_count": 1, "max_frames": 12,
    "match.steps": 500, "match.batch_size": 64, "match.learning_rate": 2e-3, "match.schedule": "cosine", "match.validate": None,
}  # fmt: skip


class VSELSTMConfig(Config):
    """Widths of the LSTMs, of a word and of the space; the hinge's margin."""

    lstm: int = 512
    word: int = 300
    space: int = 512
    min_count: int = 4
    max_frames: int = 40
    max_words: int = 40
    margin: float = 0.2


class VSELSTM(Method):
    """Last states of two LSTMs in one space. Source: Kiros et al., arXiv 1411.2539; rows of JSFusion's Tables 5.2 and 5.3.

    Departures
    ----------
    - Kiros et al. embed one image; here an LSTM over frames stands on that side, as the name in the tables says. Their
      widths and the training of those rows are not given: widths are JSFusion's, the margin is that of Kiros et al.
    - Hinges are over all pairs of a batch, both ways; pairs of equal content (two renderings of a script) are no negatives.
    - Word vectors are learned; features are standardised, and motion features stand beside appearance and sound.
    """

    name = "vse-lstm"
    title = "VSE-LSTM"
    role = "baseline"
    modalities = ("appearance", "motion", "audio")
    Config = VSELSTMConfig
    recipes: ClassVar = {
        "match": Recipe(
            serves=("retrieval:sentence", "multiple_choice"),
            phases=(Phase(name="match", relation="captions", batch_size=128, learning_rate=2e-4),),
            summary="matched pairs of a batch, all against all",
        )
    }
    presets: ClassVar = {"tiny": TINY, "base": {**TINY, "match.steps": 4000}, "paper": {}}

    def assets(self, source: TrainingSource, config: VSELSTMConfig, recipe: str) -> Mapping[str, Any]:
        """Vocabulary, and the features' moments."""
        from reelbench.plugins.layers.frames import feature_moments
        from reelbench.plugins.layers.words import training_vocabulary

        vocabulary = training_vocabulary(source, "captions", "sentence", config.min_count)
        return {"vocabulary": vocabulary, "moments": feature_moments(source, "captions")}

    def build(self, data: DataInfo, config: VSELSTMConfig) -> torch.nn.Module:
        """Two encoders."""
        from reelbench.plugins.published.matchers.model import TwoLSTMs

        return TwoLSTMs(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Equidistant frames, and words as numbers."""
        from reelbench.plugins.published.matchers.model import prepare

        return prepare(example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Hinges over the batch."""
        return module.loss(batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Cosines of each video with its choices."""
        return {"scores": module.choice_scores(batch)}

    def encode_query(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Unit vectors of sentences: ``(B, space)``."""
        return module.sentences(batch["query"].data, batch["query"].mask)

    def encode_gallery(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Unit vectors of videos: ``(B, space)``."""
        return module.videos(batch["frames"])

    def score(self, module: Any, query: Any, gallery: Any, ctx: Context) -> torch.Tensor:
        """Cosines ``(Q, G)``."""
        return query @ gallery.T


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """VSE-LSTM."""
    return [VSELSTM]
