"""The mean gaze map: where people look in general, whatever is shown. The usual central bias, learnt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.method import Context, Method, Recipe

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource


class MeanMap(Method):
    """The density of all training fixations, blurred by two cells, for every frame.

    Departures
    ----------
    The blur is the one that truth is blurred by.
    """

    name = "mean-map"
    title = "Mean gaze map"
    role = "baseline"
    deterministic = True
    recipes: ClassVar = {"count": Recipe(serves=("gaze",))}

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        """The map."""
        import numpy as np

        from reelbench.plugins.baselines.gaze_maps import density

        fixations = [f for e in source.relation("gaze") for f in (e.targets or {})["fixations"]]
        return {"map": density(np.concatenate(fixations))}

    def prepare(self, example: Example, ctx: Context) -> Example:
        """One map a frame."""
        maps = ctx.data.assets["map"][None].repeat(int(example["frames"]), 0)
        return Example(example.id, {"maps": maps}, example.targets)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """``(B, F, 49, 49)``."""
        return {"maps": batch["maps"].data}
