"""Registration of GEAN: gaze first, then captions. Loads neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from reelbench.hookspecs import hookimpl
from reelbench.method import Config, Context, DataInfo, Method, Phase, Recipe

if TYPE_CHECKING:
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example
    from reelbench.training.source import TrainingSource


class GEANConfig(Config):
    """The paper's numbers."""

    part: Literal["gaze", "captions"] = "gaze"
    maps: str = "spatial"
    mirrored: str | None = "spatial_mirrored"
    projection: int = 512
    state: int = 128
    upsampler: tuple[int, int, int] = (64, 32, 12)


class GEANSettings(Config):
    """How predictions are made."""

    smooth: bool = True


class GEAN(Method):
    """Gaze that was learnt weighs the features a captioner attends to. Source: Yu et al., CVPR 2017; thesis ch. 3."""

    name = "gean"
    title = "GEAN"
    Config = GEANConfig
    Predict = GEANSettings
    recipes: ClassVar = {
        "gaze": Recipe(
            serves=("gaze",),
            phases=(Phase(name="gaze", relation="gaze", batch_size=28, learning_rate=1e-4, clip_norm=10.0),),
            config={"part": "gaze"},
        ),
    }
    presets: ClassVar = {
        "tiny": {
            "projection": 32, "state": 16, "upsampler": (8, 4, 2),
            "gaze.steps": 400, "gaze.batch_size": 32, "gaze.learning_rate": 3e-3, "gaze.schedule": "cosine", "gaze.validate": None,
        },
        "paper": {},
    }  # fmt: skip

    def features(self, config: GEANConfig, recipe: str) -> tuple[str, ...]:
        """Maps, and those of mirrored pixels to learn gaze from."""
        return tuple(m for m in (config.maps, config.mirrored) if m)

    def assets(self, source: TrainingSource, config: GEANConfig, recipe: str) -> Mapping[str, Any]:
        """Moments of the maps' cells, and the sizes by which others rebuild the predictor."""
        from reelbench.plugins.layers.maps import map_moments

        sizes = {
            "projection": config.projection,
            "state": config.state,
            "upsampler": list(config.upsampler),
        }
        return {"moments": map_moments(source, "gaze", config.maps), "sizes": sizes}

    def build(self, data: DataInfo, config: GEANConfig) -> torch.nn.Module:
        """The gaze predictor."""
        from reelbench.plugins.gean.gaze_model import gaze_predictor

        return gaze_predictor(data.assets)

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Maps and fixations."""
        from reelbench.plugins.gean.gaze_examples import prepare_gaze

        return prepare_gaze(example, ctx, ctx.config.maps, ctx.config.mirrored)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> torch.Tensor:
        """Cross-entropy."""
        from reelbench.plugins.gean.gaze_model import gaze_loss

        assert batch.targets is not None
        return gaze_loss(
            module.rows(batch["maps"].data, batch["rows"].data), batch.targets["fixations"].data
        )

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """Maps."""
        from reelbench.plugins.gean.gaze_model import distributions

        logits = module.rows(batch["maps"].data, batch["rows"].data)
        return {"maps": distributions(logits, smooth=ctx.settings.smooth)}


@hookimpl
def reelbench_methods() -> list[type[Method]]:
    """GEAN."""
    return [GEAN]
