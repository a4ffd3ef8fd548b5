"""The mean frame: how training clips change on average after their first frame, whatever is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.method import Context, Method, Recipe
from reelbench.tasks.reconstruction import LEVELS, THUMBNAIL, frame_places

if TYPE_CHECKING:
    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource


class MeanFrame(Method):
    """The first frame plus the mean over all training clips of each later frame minus the first, in [0, 1]."""

    name = "mean-frame"
    title = "Mean frame"
    role = "baseline"
    deterministic = True
    modalities = (THUMBNAIL,)
    recipes: ClassVar = {"change": Recipe(serves=("reconstruction:video", "reconstruction:sentence"))}

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        """The mean change ``(F, H, W, 3)``."""
        import numpy as np

        total, clips = np.zeros(1), source.relation("clips")
        for example in clips:
            rows = source.read(example["video"])[THUMBNAIL]
            frames = rows[frame_places(len(rows))].astype(np.float64)
            total = total + frames[1:] - frames[0]
        return {"change": (total / (LEVELS * len(clips))).astype(np.float32)}

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The frames that follow the first."""
        frames = (example["first_frame"] + ctx.data.assets["change"]).clip(0, 1)
        return Example(example.id, {"frames": frames}, example.targets)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """``(B, F, H, W, 3)``."""
        return {"frames": batch["frames"].data}
