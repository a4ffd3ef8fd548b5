"""Gaze predictors that GEAN is compared with: shapes, what they can see of time, masks, fixed maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plugin_toys import toy_context, toy_fit, toy_losses

from reelbench import DataInfo, Example, FeatureSpec, collate
from reelbench.plugins.gean.gaze_examples import counts
from reelbench.plugins.published.gaze.method import (
    C3DGRU,
    C3DConv,
    CentralBias,
    ShallowNet,
    ShallowNetGRU,
    UniformMap,
)
from reelbench.plugins.published.gaze.model import Maxout

SPECS = {
    "spatial": FeatureSpec("spatial", (7, 7, 3), 2.0),
    "spatial_mirrored": FeatureSpec("spatial_mirrored", (7, 7, 3), 2.0),
    "thumbnail": FeatureSpec("thumbnail", (14, 14, 3), 2.0),
}
LEARNED = [ShallowNet, ShallowNetGRU, C3DConv, C3DGRU]
FRAMEWISE = [ShallowNet, C3DConv]


def fit(cls, preset="tiny"):
    method = cls()
    resolved = toy_fit(method, "gaze", preset=preset)
    moments = {"mean": np.zeros(3, np.float32), "scale": np.ones(3, np.float32)}
    data = DataInfo("toy", {m: SPECS[m] for m in method.modalities}, {}, {"moments": moments})
    torch.manual_seed(0)
    return method, toy_context(resolved, "gaze", data, phase=resolved.phases[0])


def gaze_example(rng, rows, frames=4):
    video = {m: rng.normal(size=(rows, *s.shape)).astype(np.float32) for m, s in SPECS.items()}
    return Example("x", {"video": video, "frames": frames}, {"fixations": [rng.random((3, 2))] * frames})


def batch_of(method, ctx, rows=(6, 1, 11)):
    rng = np.random.default_rng(0)
    return collate([method.prepare(gaze_example(rng, n), ctx) for n in rows])


@pytest.mark.parametrize("cls", LEARNED)
def test_a_predictor_learns_a_toy(cls):
    method, ctx = fit(cls)
    module, batch = method.build(ctx.data, ctx.config), batch_of(method, ctx)
    losses = toy_losses(method, module, batch, ctx, steps=15, rate=1e-2)
    assert all(p.grad is not None for p in module.parameters())
    assert losses[0] == pytest.approx(np.log(49 * 49), abs=0.5)
    assert losses[-1] < losses[0] - 0.2


@pytest.mark.parametrize("cls", LEARNED)
def test_a_prediction_is_a_distribution_that_batch_mates_do_not_change(cls):
    method, ctx = fit(cls)
    module, rng = method.build(ctx.data, ctx.config).eval(), np.random.default_rng(0)
    examples = [method.prepare(gaze_example(rng, n), ctx) for n in (6, 1, 11)]
    batch = collate(examples)
    together = method.predict_step(module, batch, ctx)["maps"]
    torch.testing.assert_close(together.sum((-2, -1)), torch.ones(3, 4))
    for i, rows in enumerate(batch["maps"].lengths.tolist()):
        alone = module.rows(batch["maps"].data[i, None, :rows], batch["rows"].data[i, None])
        from_alone = method.predict_step(module, collate([examples[i]]), ctx)["maps"][0]
        torch.testing.assert_close(from_alone, together[i], atol=0, rtol=1e-3)  # cells are about 4e-4
        torch.testing.assert_close(
            alone[0], module.rows(batch["maps"].data, batch["rows"].data)[i], atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("cls", LEARNED)
def test_only_the_recurrent_ones_see_the_past_and_none_sees_the_future(cls):
    method, ctx = fit(cls)
    module = method.build(ctx.data, ctx.config).eval()
    shown = torch.randn(1, 6, *SPECS[method.reads].shape)
    rows = torch.tensor([[3]])
    before, after = shown.clone(), shown.clone()
    before[:, 1] += 1.0
    after[:, 4] += 1.0
    same = module.rows(shown, rows)
    assert torch.equal(module.rows(after, rows), same)
    assert torch.equal(module.rows(before, rows), same) == (cls in FRAMEWISE)


@pytest.mark.parametrize("cls", LEARNED)
def test_the_papers_size_builds(cls):
    method, ctx = fit(cls, "paper")
    with torch.device("meta"):
        module = method.build(ctx.data, ctx.config)
    assert sum(p.numel() for p in module.parameters()) > 10**5


def test_maxout_is_the_larger_of_two_values_a_unit():
    torch.manual_seed(0)
    layer, x = Maxout(3, 4), torch.randn(2, 3)
    one, other = layer.linear(x).chunk(2, -1)
    torch.testing.assert_close(layer(x), torch.maximum(one, other))


def test_mirrored_pixels_are_turned_round_together_with_fixations():
    method, ctx = fit(ShallowNet)
    shown = gaze_example(np.random.default_rng(0), 5)
    kinds = set()
    for _ in range(20):
        seen = method.prepare(shown, ctx)
        straight = np.array_equal(seen["maps"], shown["video"]["thumbnail"])
        fixations = counts(shown.targets["fixations"])
        if not straight:
            np.testing.assert_array_equal(seen["maps"], shown["video"]["thumbnail"][:, :, ::-1])
        np.testing.assert_array_equal(
            seen.targets["fixations"], fixations if straight else fixations[:, :, ::-1]
        )
        kinds.add(straight)
    assert kinds == {True, False}


@pytest.mark.parametrize("cls", [CentralBias, UniformMap])
def test_fixed_maps_sum_to_one_whatever_is_shown(cls):
    prepared = cls().prepare(gaze_example(np.random.default_rng(0), 5), None)
    maps = cls().predict_step(None, collate([prepared]), None)["maps"]
    torch.testing.assert_close(maps.sum((-2, -1)), torch.ones(1, 4))
    if cls is CentralBias:
        assert maps[0, 0].argmax() == 24 * 49 + 24
        torch.testing.assert_close(maps[0], maps[0].flip(-1))
    else:
        assert maps.unique().numel() == 1
