"""From gaze maps to spatially pooled features: the 49 x 49 map of a frame becomes a 7 x 7 attention, and weighs feature maps.

Source: Yu et al., CVPR 2017 (GEAN); thesis §3.3.3. A method that borrows the gaze of GEAN does so in four places::

    # method.py: the one fit that every reader of gaze shares (``preset`` is one of GEAN's; it follows yours by your config)
    from reelbench.plugins.gean.upstream import gaze_upstream

    def features(self, config, recipe):
        return ("appearance", "motion", "spatial")  # the modality that GEAN's gaze was learnt from, at its own rate

    def upstream(self, config, recipe):
        return (gaze_upstream(preset=config.gaze_preset),) if config.gaze else ()

    # prepare: the maps as they are read, example["video"]["spatial"], (T, 7, 7, C); collate makes them Padded

    # model.py, in __init__: the frozen predictor; its attribute must be called ``gaze``
    from reelbench.plugins.gean.gaze_model import gaze_predictor

    self.gaze = gaze_predictor(data.upstream["gaze"])

    # model.py, in forward: (B, T, 7, 7) attention without gradient, then (B, T, C) pooled maps
    attention = gaze_attention(self.gaze.gaze_maps(maps)) if self.gaze else uniform_attention(maps)
    pooled = spatial_pool(standardised_maps, attention)
"""

from __future__ import annotations

import torch
from torch.nn import functional

UNIFORM = 0.6


def gaze_attention(gaze: torch.Tensor, uniform: float = UNIFORM, cells: int = 7) -> torch.Tensor:
    """Average-pooled gaze maps with a uniform distribution of weight ``uniform`` added, summing to one.

    Parameters
    ----------
    gaze
        ``(..., H, W)`` non-negative maps, ``H`` and ``W`` multiples of ``cells``.

    Returns
    -------
    torch.Tensor
        ``(..., cells, cells)``.
    """
    kernel = (gaze.shape[-2] // cells, gaze.shape[-1] // cells)
    pooled = functional.avg_pool2d(gaze.reshape(-1, 1, *gaze.shape[-2:]), kernel)
    return with_uniform(pooled.reshape(*gaze.shape[:-2], cells, cells), uniform)


def with_uniform(weights: torch.Tensor, uniform: float = UNIFORM) -> torch.Tensor:
    """Weights ``(..., h, w)`` as a distribution, plus ``uniform`` times the uniform one, summing to one again."""
    weights = weights / weights.sum((-2, -1), keepdim=True).clamp_min(1e-12)
    even = 1.0 / (weights.shape[-2] * weights.shape[-1])
    return (weights + uniform * even) / (1.0 + uniform)


def uniform_attention(maps: torch.Tensor) -> torch.Tensor:
    """The same weight for every cell of maps ``(..., h, w, C)``: ``(..., h, w)``, what there is without gaze."""
    return maps.new_full(maps.shape[:-1], 1.0 / (maps.shape[-3] * maps.shape[-2]), dtype=torch.float32)


def spatial_pool(maps: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
    """Cells ``(..., h, w, C)`` weighed by attention ``(..., h, w)``: ``(..., C)``."""
    return (maps.flatten(-3, -2) * attention.flatten(-2).unsqueeze(-1)).sum(-2)
