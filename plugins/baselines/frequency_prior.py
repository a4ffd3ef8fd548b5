"""The moment-frequency prior of localization: where in a video people usually point, whatever they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.method import Context, Method, Recipe

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource


class FrequencyPrior(Method):
    """Candidates ranked by how often training annotators chose them. Source: Hendricks et al., ICCV 2017, §4.

    Departures
    ----------
    Every annotation counts for the candidate that it overlaps most; ties keep the candidates' order. Free spans are
    ranked as runs of sixths of the video.
    """

    name = "frequency-prior"
    title = "Moment-frequency prior"
    role = "baseline"
    deterministic = True
    recipes: ClassVar = {"count": Recipe(serves=("localization",))}

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        """How often each candidate was chosen."""
        import numpy as np

        from reelbench.plugins.baselines.moments import votes

        rows = [votes(example) for example in source.relation("segments")]
        counts = np.zeros(max(map(len, rows)))
        for row in rows:
            counts[: len(row)] += row
        return {"counts": counts}

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The ranking."""
        from reelbench.plugins.baselines.moments import candidates_of, ranked

        ranking = ranked(candidates_of(example), ctx.data.assets["counts"])
        return Example(example.id, {"segments": ranking}, example.targets)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """The ranking of each example."""
        return {"segments": batch["segments"]}
