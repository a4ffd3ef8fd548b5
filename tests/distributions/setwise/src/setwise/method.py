"""Registration of setwise: one fit on sets of clips with tracks and mentions serves four benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import reelbench
from reelbench import Phase, Recipe, hookimpl

if TYPE_CHECKING:
    import torch

    from reelbench import Batch, Context, DataInfo, Example, TrainingSource


class Setwise(reelbench.Method):
    """Mentions, tracks and who of them is one person, learned together. Source: the contract tests of reelbench."""

    class Config(reelbench.Config):
        """Sizes."""

        width: int = 32
        around: int = 3

    name = "setwise"
    title = "Setwise"
    modalities = ("person_look", "person_face")
    recipes = {
        "sets": Recipe(
            serves=(
                "reidentification:grounding",
                "reidentification:video",
                "reidentification:text",
                "reidentification:characters",
            ),
            phases=(
                Phase(
                    name="sets",
                    relation="sets",
                    epochs=6,
                    batch_size=8,
                    learning_rate=5e-3,
                    validate_on="reidentification:video",
                ),
            ),
        )
    }

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        """The words of the sets' sentences."""
        return {
            "vocabulary": reelbench.Vocabulary.from_sentences(
                s for e in source.relation("sets") for s in e["sentences"]
            )
        }

    def build(self, data: DataInfo, config: Any) -> torch.nn.Module:
        """Two towers and three thresholds."""
        from setwise.model import WhoIsWho

        return WhoIsWho(data.dim(*self.modalities), len(data.assets["vocabulary"]), config.width)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The words round each mention, as one sequence a mention."""
        import numpy as np

        words, around = ctx.data.assets["vocabulary"], ctx.config.around
        sentences = [words.encode(s) for s in example["sentences"]]
        windows = [
            sentences[clip][max(0, at - around) : at + around + 1]
            for clip, at in example["mentions"].tolist()
        ]
        at_clip = np.asarray(example["mentions"]).reshape(-1, 2)[:, 0]
        fields = {
            "windows": windows,
            "tracks": example["tracks"],
            "mention_clip": at_clip,
            "track_clip": example["track_clip"],
        }
        return type(example)(example.id, fields, example.targets)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """Three losses, one sum."""
        losses = module.losses(self._scores(module, batch), batch.targets)
        return {"loss": sum(losses.values()), **losses}

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """The protocol's own column, from the same scores."""
        from setwise.model import answers

        scores = self._scores(module, batch)
        return answers(ctx.protocol, scores, batch["mention_clip"], batch["track_clip"])

    def _scores(self, module: Any, batch: Batch) -> Any:
        return module.scores(
            batch["windows"],
            [batch["tracks"][m] for m in self.modalities],
            batch["mention_clip"],
            batch["track_clip"],
        )


@hookimpl
def reelbench_methods() -> list[type[reelbench.Method]]:
    """The one method of this distribution."""
    return [Setwise]
