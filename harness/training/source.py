"""What ``Method.assets`` may see: training data, and nothing of the evaluation splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelbench.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np

    from reelbench.data import Clip, FeatureSpec, Relation
    from reelbench.dataset import Dataset
    from reelbench.examples import FeatureReader

EVALUATION_SPLITS = ("validation", "test")


@dataclass(frozen=True)
class TrainingSource:
    """The training data of a fit.

    Attributes
    ----------
    features
        The fit's feature set: modality → shape, rate.
    spaces
        Label spaces and answer vocabularies, in index order.
    upstream
        Upstream name → its assets.
    rng
        A numpy generator derived from the fit's seed.
    """

    dataset: str
    features: Mapping[str, FeatureSpec]
    spaces: Mapping[str, tuple[str, ...]]
    upstream: Mapping[str, Mapping[str, Any]]
    rng: np.random.Generator
    _opened: Dataset
    _reader: FeatureReader

    def relation(self, name: str, split: str = "train") -> Relation:
        """A table of annotations.

        Raises
        ------
        TrainingError
            For an evaluation split: assets come from training data only.
        """
        if split in EVALUATION_SPLITS:
            raise TrainingError(
                f"assets may not read the {split} split of {name!r}: they come from training data only"
            )
        return self._opened.relation(name, split)

    def read(self, clip: Clip, *, track: bool = False) -> dict[str, Any]:
        """Features of a clip (of a track with ``track``): modality → float32 array ``(T, ...)``."""
        return self._reader.read(clip, track=track)
