"""Registration of the storytellers that TAPM's tables compare with. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe
from reelbench.plugins.layers.sentence_search import SentenceSearch

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource


class StorytellerConfig(Config):
    """Widths, and how many equal segments of a clip are seen."""

    segments: int = 10
    word: int = 512
    vectors: str | None = None
    """A file of published word vectors to start from, as GloVe's; without one they start at random."""
    hidden: int = 512
    dropout: float = 0.5
    min_count: int = 1
    max_words: int = 50


TINY: dict[str, Any] = {
    "segments": 6, "word": 64, "hidden": 128, "dropout": 0.0, "max_words": 24,
    "tell.steps": 400, "tell.batch_size": 16, "tell.learning_rate": 3e-3, "tell.schedule": "cosine", "tell.validate": None, "tell.select": "last",
}  # fmt: skip


def _recipes(learning_rate: float, batch_size: int) -> dict[str, Recipe]:
    phase = Phase(
        name="tell", relation="stories", epochs=50, learning_rate=learning_rate, batch_size=batch_size
    )
    return {"stories": Recipe(serves=("storytelling",), phases=(phase,))}


class Storyteller(Method):
    """What both share: clips in equal segments, words as numbers, a sentence a clip."""

    role = "baseline"
    modalities = ("appearance", "audio", "motion")
    Config = StorytellerConfig
    Predict = SentenceSearch
    presets: ClassVar = {"tiny": TINY, "base": {**TINY, "tell.steps": 3000}, "paper": {}}

    def assets(self, source: TrainingSource, config: StorytellerConfig, recipe: str) -> Mapping[str, Any]:
        """The stories' words, and the features' moments."""
        from reelbench.plugins.layers.equal_segments import segment_moments
        from reelbench.plugins.layers.word_vectors import published_vectors
        from reelbench.plugins.layers.words import training_vocabulary

        vocabulary = training_vocabulary(source, "stories", "sentences", config.min_count)
        return {
            "vocabulary": vocabulary,
            "moments": segment_moments(source, "stories", "videos", config.segments),
            **published_vectors(config.vectors, vocabulary, config.word, self.name),
        }

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Segments' means ``(M, D)`` of every clip and, in training, every sentence's words ``(T + 2,)``."""
        from reelbench.plugins.layers.equal_segments import equal_segments
        from reelbench.plugins.layers.sentences import caption_ids

        config, specs = ctx.config, ctx.data.features
        fields: dict[str, Any] = {
            "segments": [equal_segments(v, specs, config.segments) for v in example["videos"]]
        }
        if "sentences" in example.fields:
            vocabulary = ctx.data.assets["vocabulary"]
            fields["words"] = [caption_ids(vocabulary, s, config.max_words) for s in example["sentences"]]
        return Example(example.id, fields, example.targets)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Cross-entropy of every story's words."""
        words = batch["words"]
        return module.loss(batch["segments"].data, batch["segments"].mask[:, :, 0], words.data)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """A sentence a clip."""
        valid = batch["segments"].mask[:, :, 0]
        stories = module.tell(batch["segments"].data, valid, ctx.settings)
        return {"captions": [told[:n] for told, n in zip(stories, valid.sum(1).tolist(), strict=True)]}


class StoryXE(Storyteller):
    """A recurrent encoder over a story's clips, and a GRU for each sentence, by cross-entropy. Source: Wang et al., ACL 2018 (XE-ss).

    Departures
    ----------
    - A photo's feature is a clip's mean over its segments.
    - Width of words' vectors, dropout and rates are those of the authors' code as we know it; 50 epochs, the best by validation.
    - ``tiny``: narrow, no dropout.
    """

    name = "story-xe"
    title = "XE (story encoder-decoder)"
    recipes: ClassVar = _recipes(4e-4, 64)

    def build(self, data: DataInfo, config: StorytellerConfig) -> torch.nn.Module:
        """The network."""
        from reelbench.plugins.published.storytellers import model

        return model.StoryXE(data, config)


class MultiSentence(Storyteller):
    """An LSTM that attends to a clip's segments and starts from the sentence before. Source: Park et al., CVPR 2019 (generator).

    Departures
    ----------
    - The generator alone, by cross-entropy: the official baseline of LSMDC 2019 chooses among its samples with
      discriminators trained against it, which is a method of its own.
    - Segments' means are attended to; GloVe vectors are not shipped: words' vectors start from a file where ``vectors`` names
      one, otherwise at random, and are trained.
    - ``tiny``: narrow, no dropout.
    """

    name = "story-lstm"
    title = "Multi-sentence LSTM"
    recipes: ClassVar = _recipes(5e-4, 16)

    def build(self, data: DataInfo, config: StorytellerConfig) -> torch.nn.Module:
        """The network."""
        from reelbench.plugins.published.storytellers import model

        return model.MultiSentence(data, config)


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """Both."""
    return [StoryXE, MultiSentence]
