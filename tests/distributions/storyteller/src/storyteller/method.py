"""Registration of storyteller: language first, then sight without captions, then stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import reelbench
from reelbench import Phase, Recipe, Upstream, hookimpl

if TYPE_CHECKING:
    import torch

    from reelbench import Batch, Context, DataInfo, Example, TrainingSource


class Storyteller(reelbench.Method):
    """A tiny language model learns to read, then to see, then to tell. Source: the contract tests of reelbench."""

    class Config(reelbench.Config):
        """Sizes and lengths."""

        width: int = 48
        longest: int = 16

    class Predict(reelbench.Config):
        """Choices at test time."""

        longest: int = 16

    name = "storyteller"
    title = "Storyteller"
    modalities = ("appearance",)
    recipes = {
        "language": Recipe(
            phases=(
                Phase(
                    name="read",
                    relation="text",
                    split="text",
                    steps=6,
                    batch_size=16,
                    learning_rate=5e-3,
                    frozen=("eye.", "back."),
                ),
            ),
            summary="next words of stories told without pictures",
        ),
        "sight": Recipe(
            phases=(
                Phase(
                    name="adapt",
                    relation="clips",
                    split="unlabelled",
                    epochs=2,
                    batch_size=16,
                    learning_rate=5e-3,
                ),
            ),
            summary="clips rebuilt from what the frozen words can say of them",
        ),
        "stories": Recipe(
            serves=("storytelling",),
            phases=(
                Phase(
                    name="tell",
                    relation="stories",
                    steps=12,
                    batch_size=8,
                    learning_rate=5e-3,
                    frozen=("back.",),
                    validate=None,
                ),
            ),
            summary="stories told of clips",
        ),
    }
    presets = {"tiny": {"width": 32}}

    def upstream(self, config: Any, recipe: str) -> Sequence[Upstream]:
        """Sight starts from language, which stays frozen; stories start from sight."""
        if recipe == "sight":
            return (
                Upstream(
                    name="words",
                    recipe="language",
                    parameters={"tongue.": "tongue."},
                    frozen=("tongue.",),
                    assets=("vocabulary",),
                ),
            )
        return (
            (Upstream(name="seeing", recipe="sight", assets=("vocabulary",)),) if recipe == "stories" else ()
        )

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        """The words of the stories told without pictures; later recipes take them over."""
        if recipe != "language":
            return {}
        stories = source.relation("text", "text")
        return {"vocabulary": reelbench.Vocabulary.from_sentences(s for e in stories for s in e["sentences"])}

    def build(self, data: DataInfo, config: Any) -> torch.nn.Module:
        """An eye, a tongue, and a way back from words to sights."""
        from storyteller.model import Teller

        return Teller(data.dim("appearance"), len(data.assets["vocabulary"]), config.width)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Sentences to numbers, between start and end marks."""
        if "sentences" not in example.fields:
            return example
        words, longest = ctx.data.assets["vocabulary"], ctx.config.longest
        return example.with_fields(
            sentences=[words.encode(s, ends=True, limit=longest) for s in example["sentences"]]
        )

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """The loss of the recipe."""
        if ctx.recipe == "sight":
            return module.rebuilding_loss(batch["video"]["appearance"])
        sights = module.look(batch["videos"]["appearance"]) if ctx.recipe == "stories" else None
        return module.telling_loss(batch["sentences"], sights)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """A sentence for each clip of a story, greedily."""
        frames, words = batch["videos"]["appearance"], ctx.data.assets["vocabulary"]
        told = module.tell(module.look(frames), ctx.settings.longest, words.index["<start>"])  # (B, N, L)
        clips = frames.mask.any(dim=-1).sum(dim=-1).tolist()
        return {
            "captions": [
                [" ".join(words.decode(told[b, n].tolist())) for n in range(count)]
                for b, count in enumerate(clips)
            ]
        }


@hookimpl
def reelbench_methods() -> list[type[reelbench.Method]]:
    """The one method of this distribution."""
    return [Storyteller]
