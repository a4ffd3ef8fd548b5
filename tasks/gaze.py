"""Gaze: where viewers look in each frame of a clip, as a 49x49 map.

Truth is fixations. Rank metrics (the AUCs) use them as they are; CC and similarity compare with a density, which is
the number of fixations in each cell blurred by a Gaussian of two cells, nothing lying beyond the border. (The paper
blurs by 19 pixels of the original frame; two cells is its width for training targets.) Predicted maps are compared
as they come: smoothing them is the method's business. Frames that nobody looked at are left out.
"""

from __future__ import annotations

from typing import ClassVar

from reelbench.data import Field
from reelbench.predictions import Column
from reelbench.scoring import Metric
from reelbench.tasks.deferred import DeferredTask

GRID = 49
SIGMA = 2.0


class Gaze(DeferredTask):
    """A saliency map a frame. Source: Yu et al., CVPR 2017 (GEAN), §5; metrics as in :mod:`reelbench.tasks.metrics.gaze`."""

    name = "gaze"
    title = "Gaze"
    summary = "Predict where viewers look in each frame of a clip."
    rules = "reelbench.tasks.rules.gaze"
    ceiling_rows = ("blurred-fixations",)
    inputs: ClassVar = {
        "video": Field("video", "the clip"),
        "frames": Field("number", "F, how many frames to predict, evenly spaced over the clip"),
    }
    prediction: ClassVar = {"maps": Column("array", f"(F, {GRID}, {GRID}), row (y) first, non-negative")}
    protocols: ClassVar = {
        "frames": "Metrics by frame, averaged over all frames that have a fixation; 49x49 cells, truth blurred by 2 cells.",
    }

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        """The metrics of a protocol; the first is the primary one."""
        other = "negatives are all fixations of the split's other clips, none sampled"
        return (
            Metric(
                "cc",
                "CC",
                low=-1.0,
                percent=False,
                doc="Pearson's correlation with the blurred fixations",
                spread=(0.06, 0.005),
            ),
            Metric(
                "sim_minmax",
                "Sim (min-max)",
                percent=False,
                doc="similarity of maps stretched to [0, 1], then summed to 1",
            ),
            Metric("sim_sum", "Sim (sum)", percent=False, doc="similarity of maps summed to 1"),
            Metric(
                "auc_judd",
                "AUC-Judd",
                percent=False,
                doc="negatives are all cells without a fixation; no jitter",
            ),
            Metric("auc_shuffled_all", "sAUC (all others)", percent=False, doc=other),
        )
