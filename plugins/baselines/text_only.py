"""Text only: how far words alone go, blind to the video. A benchmark that this row does well on is biased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.data import Example
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource

TEXT_FIELD = {"choices": "choices", "blanks": "sentence", "segments": "query", "sets": "sentences"}


class TextOnlyConfig(Config):
    """Width of word vectors and of the hidden layer."""

    head: Literal["choices", "blanks", "segments", "sets"] = "choices"
    width: int = 64
    min_count: int = 2


def _recipe(relation: str, *serves: str, steps: int, **config: Any) -> Recipe:
    phase = Phase(
        name="read",
        relation=relation,
        steps=steps,
        batch_size=128,
        learning_rate=3e-3,
        schedule="cosine",
        validate=None,
        select="last",
    )
    return Recipe(serves=serves, phases=(phase,), config={"head": relation, **config})


class TextOnly(Method):
    """Averages of word vectors and one hidden layer: choices, blanks, moments and mentions without any picture.

    Departures
    ----------
    A choice is scored by itself; a blank by the words on both sides; a moment by its sentence alone (the language-only
    localizer of Hendricks et al.); two mentions by the six words on both sides of each, and by their clips.
    """

    name = "text-only"
    title = "Text only"
    role = "baseline"
    Config = TextOnlyConfig
    presets: ClassVar = {"tiny": {}, "base": {"read.steps": 4000}}
    recipes: ClassVar = {
        "choices": _recipe("choices", "multiple_choice", steps=300),
        "blanks": _recipe("blanks", "fill_in_blank", steps=400),
        "segments": _recipe("segments", "localization", steps=800, min_count=10, width=32),
        "sets": _recipe("sets", "reidentification:text", "reidentification:characters", steps=300),
    }

    def assets(self, source: TrainingSource, config: TextOnlyConfig, recipe: str) -> Mapping[str, Any]:
        """The vocabulary, and how many candidates there are."""
        from reelbench.plugins.baselines.moments import candidates_of
        from reelbench.plugins.layers.words import training_vocabulary

        vocabulary = training_vocabulary(source, recipe, TEXT_FIELD[recipe], config.min_count)
        longest = max(len(candidates_of(e)) for e in source.relation(recipe)) if recipe == "segments" else 0
        return {"vocabulary": vocabulary, "candidates": longest}

    def build(self, data: DataInfo, config: TextOnlyConfig) -> torch.nn.Module:
        """The head's network."""
        from reelbench.plugins.baselines.text_networks import build

        return build(data, config)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Words as numbers; everything else is left behind."""
        return _PREPARE[ctx.recipe](example, ctx)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Cross-entropy of the head's answers."""
        return module.loss(batch)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """The head's answers as the task wants them."""
        return module.predict(batch, ctx.protocol)


def _choices(example: Example, ctx: Context) -> Example:
    return Example(
        example.id, {"words": [_encode(choice, ctx) for choice in example["choices"]]}, example.targets
    )


def _blanks(example: Example, ctx: Context) -> Example:
    from reelbench.plugins.baselines.video_only import answer_number

    fields = {"words": _encode(example["sentence"], ctx), "blank": int(example["blank"])}
    return Example(example.id, fields, answer_number(example.targets, ctx))


def _segments(example: Example, ctx: Context) -> Example:
    from reelbench.plugins.baselines.moments import candidates_of, votes

    fields = {"words": _encode(example["query"], ctx), "candidates": candidates_of(example)}
    return Example(example.id, fields, example.targets and {"votes": votes(example)})


def _sets(example: Example, ctx: Context) -> Example:
    from reelbench.plugins.baselines.identities import clips_of, mention_windows

    fields = {
        "windows": mention_windows(example, ctx.data.assets["vocabulary"]),
        "clips": clips_of(example["mentions"]),
    }
    return Example(example.id, fields, example.targets and {"identity": example.targets["mention_identity"]})


def _encode(tokens: Any, ctx: Context) -> Any:
    return ctx.data.assets["vocabulary"].encode(tokens)


_PREPARE = {"choices": _choices, "blanks": _blanks, "segments": _segments, "sets": _sets}
