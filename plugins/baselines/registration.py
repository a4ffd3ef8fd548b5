"""Registration of the standing baselines. Loads neither numpy nor torch."""

from __future__ import annotations

from reelbench.hookspecs import hookimpl
from reelbench.method import Method
from reelbench.plugins.baselines.chance import Chance
from reelbench.plugins.baselines.copying import Copy
from reelbench.plugins.baselines.frequency_prior import FrequencyPrior
from reelbench.plugins.baselines.linear import Linear, MixtureOfExperts
from reelbench.plugins.baselines.majority import Majority
from reelbench.plugins.baselines.mean_frame import MeanFrame
from reelbench.plugins.baselines.mean_map import MeanMap
from reelbench.plugins.baselines.mean_pool import MeanPool
from reelbench.plugins.baselines.nearest_neighbour import NearestNeighbour
from reelbench.plugins.baselines.text_only import TextOnly
from reelbench.plugins.baselines.video_only import VideoOnly
from reelbench.plugins.baselines.vse import VSE


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """Every baseline."""
    return [
        Chance,
        Majority,
        FrequencyPrior,
        MeanMap,
        MeanFrame,
        Copy,
        TextOnly,
        VideoOnly,
        NearestNeighbour,
        MeanPool,
        Linear,
        MixtureOfExperts,
        VSE,
    ]
