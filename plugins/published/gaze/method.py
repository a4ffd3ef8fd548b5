"""Registration of the gaze predictors of GEAN's tables: four that learn, and two fixed maps. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.training.source import TrainingSource

TINY_TRAINING = {
    "gaze.steps": 250, "gaze.batch_size": 16, "gaze.learning_rate": 5e-3, "gaze.schedule": "cosine", "gaze.validate": None,
}  # fmt: skip


def _presets(**tiny: Any) -> dict[str, dict[str, Any]]:
    """``base`` is ``tiny`` with as many steps as GEAN's gaze has there."""
    narrow = {**TINY_TRAINING, **tiny}
    return {"tiny": narrow, "base": {**narrow, "gaze.steps": 1500}, "paper": {}}


class GazeSettings(Config):
    """Whether maps are blurred by two cells."""

    smooth: bool = True


class LearnedGaze(Method):
    """What the learned predictors share: GEAN's loss, optimiser, blur and mirroring. Not registered itself."""

    role = "baseline"
    Predict = GazeSettings
    reads: ClassVar[str]
    """The modality that the network sees."""
    recipes: ClassVar = {
        "gaze": Recipe(
            serves=("gaze",),
            phases=(Phase(name="gaze", relation="gaze", batch_size=28, learning_rate=1e-4, clip_norm=10.0),),
        )
    }

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        """Moments of cells or pixels."""
        from reelbench.plugins.layers.maps import map_moments

        return {"moments": map_moments(source, "gaze", self.reads)}

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Maps or frames, and fixations."""
        from reelbench.plugins.gean.gaze_examples import prepare_gaze

        video = example["video"]
        return prepare_gaze(example, ctx, video[self.reads], self.mirrored(video))

    def mirrored(self, video: Mapping[str, Any]) -> Any:
        """What the network would see of the mirrored pixels."""
        return video["spatial_mirrored"]

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Cross-entropy with the blurred fixations."""
        from reelbench.plugins.gean.gaze_model import gaze_loss

        assert batch.targets is not None
        logits = module.rows(batch["maps"].data, batch["rows"].data)
        return gaze_loss(logits, batch.targets["fixations"].data)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """``(B, F, 49, 49)``."""
        from reelbench.plugins.gean.gaze_model import distributions

        logits = module.rows(batch["maps"].data, batch["rows"].data)
        return {"maps": distributions(logits, smooth=ctx.settings.smooth)}


class ConvOnlyConfig(Config):
    """Released sizes."""

    projection: int = 512
    upsampler: tuple[int, int, int] = (64, 32, 12)


class C3DConv(LearnedGaze):
    """GEAN's gaze predictor without its recurrence: each frame by itself. Source: thesis §3.4.1, baseline C3D+Conv.

    Departures
    ----------
    Nothing stands between projection and upsampler, as in the released code, so that logits are linear in the maps.
    """

    name = "c3d-conv"
    title = "C3D+Conv"
    modalities = ("spatial", "spatial_mirrored")
    reads = "spatial"
    Config = ConvOnlyConfig
    presets: ClassVar = _presets(projection=32, upsampler=(8, 4, 2))

    def build(self, data: DataInfo, config: ConvOnlyConfig) -> torch.nn.Module:
        """Projection and upsampler."""
        from reelbench.plugins.published.gaze.model import ConvOnly

        return ConvOnly(data.assets["moments"], config.projection, config.upsampler)


class VectorGRUConfig(Config):
    """Released sizes: 7 x 7 x 32 + 49 units."""

    projection: int = 32
    hidden: int = 1617


class C3DGRU(LearnedGaze):
    """GEAN's gaze predictor with a plain GRU on the maps as one vector. Source: thesis §3.4.1, baseline C3D+GRU.

    Departures
    ----------
    Sizes are those of the released code, without its dropout.
    """

    name = "c3d-gru"
    title = "C3D+GRU"
    modalities = ("spatial", "spatial_mirrored")
    reads = "spatial"
    Config = VectorGRUConfig
    presets: ClassVar = _presets(projection=8, hidden=128)

    def build(self, data: DataInfo, config: VectorGRUConfig) -> torch.nn.Module:
        """Projection, GRU and a dense layer."""
        from reelbench.plugins.published.gaze.model import VectorGRU

        return VectorGRU(data.assets["moments"], config.projection, config.hidden)


class ShallowNetConfig(Config):
    """Sizes of Pan et al."""

    channels: tuple[int, int, int] = (32, 64, 64)
    dense: int = 2304


class ShallowNet(LearnedGaze):
    """A shallow convolutional network on single frames. Source: Pan et al., CVPR 2016; thesis §3.4.1.

    Departures
    ----------
    - It reads thumbnails of 14 x 14 pixels (96 x 96 in the paper) and gives 49 x 49 places (48 x 48).
    - It is trained by cross-entropy as the other predictors here, so that rows differ by their networks (squared error in
      the paper).
    """

    name = "shallownet"
    title = "ShallowNet"
    modalities = ("thumbnail",)
    reads = "thumbnail"
    recurrent: ClassVar[bool] = False
    Config = ShallowNetConfig
    presets: ClassVar = _presets(channels=(16, 32, 32), dense=128)

    def build(self, data: DataInfo, config: ShallowNetConfig) -> torch.nn.Module:
        """Convolutions, a GRU if there is one, maxout layers."""
        from reelbench.plugins.published.gaze import model

        size = data.features[self.reads].shape[0]
        return model.ShallowNet(
            data.assets["moments"], size, config.channels, config.dense, recurrent=self.recurrent
        )

    def mirrored(self, video: Mapping[str, Any]) -> Any:
        """Pixels from right to left."""
        return video[self.reads][:, :, ::-1]


class ShallowNetGRU(ShallowNet):
    """ShallowNet with a GRU over frames between its two dense layers. Source: thesis §3.4.1, baseline ShallowNet+GRU.

    Departures
    ----------
    Where the GRU stands is not given: on the first dense layer's units, with as many of its own.
    """

    name = "shallownet-gru"
    title = "ShallowNet+GRU"
    recurrent = True


class FixedMap(Method):
    """What the two fixed maps share. Not registered itself."""

    role = "baseline"
    deterministic = True
    recipes: ClassVar = {"none": Recipe(serves=("gaze",))}

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """One map for every frame: ``(B, F, 49, 49)``."""
        return {"maps": batch["maps"].data}


class CentralBias(FixedMap):
    """A Gaussian in the middle of the frame, whatever is shown. Source: thesis Table 3.3; Mathe & Sminchisescu, TPAMI 2015.

    Departures
    ----------
    Its width is not given: a deviation of a quarter of the frame. ``mean-map`` is the bias as learnt from training gaze.
    """

    name = "central-bias"
    title = "Central bias"

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The Gaussian, once a frame."""
        import numpy as np

        place = (np.arange(49) - 24) / (49 / 4)
        bell = np.exp(-0.5 * (place[:, None] ** 2 + place**2)).astype(np.float32)
        maps = (bell / bell.sum())[None].repeat(int(example["frames"]), 0)
        return Example(example.id, {"maps": maps}, example.targets)


class UniformMap(FixedMap):
    """Every place alike. Source: thesis Table 3.3, Random Uniform."""

    name = "uniform-map"
    title = "Uniform map"

    def prepare(self, example: Example, ctx: Context) -> Example:
        """A flat map, once a frame."""
        import numpy as np

        maps = np.full((int(example["frames"]), 49, 49), 1 / 49**2, np.float32)
        return Example(example.id, {"maps": maps}, example.targets)


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """Learned predictors and fixed maps."""
    return [ShallowNet, ShallowNetGRU, C3DConv, C3DGRU, CentralBias, UniformMap]
