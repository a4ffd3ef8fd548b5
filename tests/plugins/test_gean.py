"""GEAN: equations on small cases, mirroring, padding, the rows of its tables, one gaze fit for all."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plugin_toys import WORDS, toy_context, toy_fit, toy_losses, toy_sentence
from scipy.ndimage import gaussian_filter
from torch.nn import functional

from reelbench import DataInfo, Example, FeatureSpec, Vocabulary, collate
from reelbench.plugins.baselines.gaze_maps import density
from reelbench.plugins.gean import gaze_model
from reelbench.plugins.gean.caption_examples import part_means, pool_places
from reelbench.plugins.gean.fixed_gaze import weights_of
from reelbench.plugins.gean.gaze_examples import counts
from reelbench.plugins.gean.method import GEAN
from reelbench.plugins.gean.model import GRU, Aggregation, TemporalAttention
from reelbench.resolution import variants_of

METHOD = GEAN()
MAPS = {name: FeatureSpec(name, (7, 7, 3), 2.0) for name in ("spatial", "spatial_mirrored")}
VECTORS = {
    name: FeatureSpec(name, (dim,), 4.0) for name, dim in {"appearance": 6, "motion": 4, "audio": 2}.items()
}
SPECS = MAPS | VECTORS


def moments(dim):
    return {"mean": np.zeros(dim, np.float32), "scale": np.ones(dim, np.float32)}


def fit(recipe="captions", variant="full", preset="tiny", **overrides):
    resolved = toy_fit(METHOD, recipe, variant, preset, **overrides)
    config = resolved.config
    specs = {name: SPECS[name] for name in METHOD.features(config, recipe)}
    sizes = {"projection": config.projection, "state": config.state, "upsampler": list(config.upsampler)}
    gaze = {"moments": moments(3), "sizes": sizes}
    captions = {
        "vocabulary": Vocabulary.from_sentences([WORDS]),
        "moments": {"scene": moments(6), "motion": moments(9), "fovea": moments(3)},
    }
    assets, upstream = (gaze, {}) if recipe == "gaze" else (captions, {"gaze": gaze})
    return toy_context(
        resolved, recipe, DataInfo("toy", specs, {}, assets, upstream), phase=resolved.phases[0]
    )


def built(ctx):
    torch.manual_seed(0)
    return METHOD.build(ctx.data, ctx.config)


def toy_video(rng, rows):
    maps = {name: rng.normal(size=(rows, 7, 7, 3)).astype(np.float32) for name in MAPS}
    return maps | {
        name: rng.normal(size=(2 * rows, spec.dim)).astype(np.float32) for name, spec in VECTORS.items()
    }


def gaze_example(rng, rows, frames=4):
    points = [rng.random((3, 2)) for _ in range(frames)]
    return Example("x", {"video": toy_video(rng, rows), "frames": frames}, {"fixations": points})


def caption_example(rng, rows):
    return Example(
        "x", {"video": toy_video(rng, rows), "sentence": toy_sentence(rng, int(rng.integers(2, 9)))}, {}
    )


def batch_of(ctx, make, rows=(5, 1, 9, 20), seed=0):
    rng = np.random.default_rng(seed)
    return collate([METHOD.prepare(make(rng, n), ctx) for n in rows])


# --- gaze -------------------------------------------------------------------------------------------------------------


def test_the_convolutional_gru_is_equations_3_1_to_3_4():
    torch.manual_seed(0)
    cell = gaze_model.ConvGRU(2, 3)
    x = torch.randn(1, 3, 2, 7, 7)
    w_z, w_r, w = cell.w.weight.chunk(3)
    u_z, u_r = cell.u_gates.weight.chunk(2)
    h = torch.zeros(1, 3, 7, 7)
    for t in range(3):
        z = torch.sigmoid(functional.conv2d(x[:, t], w_z, padding=1) + functional.conv2d(h, u_z, padding=1))
        r = torch.sigmoid(functional.conv2d(x[:, t], w_r, padding=1) + functional.conv2d(h, u_r, padding=1))
        new = torch.tanh(
            functional.conv2d(x[:, t], w, padding=1) + functional.conv2d(r * h, cell.u.weight, padding=1)
        )
        h = (1 - z) * h + z * new
        torch.testing.assert_close(cell(x)[:, t], h)


def test_one_kernel_does_what_the_four_layers_do_one_by_one():
    torch.manual_seed(0)
    upsampler = gaze_model.Upsampler(5, (4, 3, 2))
    x = torch.randn(2, 3, 5, 7, 7)
    first, second, third, last = upsampler.layers
    grown = second(first(x.flatten(0, 1)))
    assert grown.shape[-2:] == (49, 49)
    logits = last(functional.conv_transpose2d(grown, third.weight, padding=3))
    torch.testing.assert_close(upsampler(x).flatten(0, 1), logits.squeeze(1), atol=1e-6, rtol=1e-4)


def test_blur_is_the_gaussian_by_which_truth_is_blurred():
    points = np.random.default_rng(0).random((20, 2))
    ours = gaze_model.blur(torch.from_numpy(counts([points])))[0].numpy()
    theirs = gaussian_filter(counts([points])[0], 2.0, mode="constant", truncate=30)
    np.testing.assert_allclose(ours / ours.sum(), theirs / theirs.sum(), atol=1e-6)
    np.testing.assert_allclose(ours / ours.sum(), density(points), atol=1e-5)


def test_the_loss_is_the_cross_entropy_with_blurred_fixations_over_frames_that_were_seen():
    rng = np.random.default_rng(0)
    points = [rng.random((3, 2)), np.zeros((0, 2)), rng.random((1, 2))]
    logits = torch.randn(1, 3, 49, 49)
    frames = [
        functional.cross_entropy(logits[0, f].view(1, -1), torch.from_numpy(density(points[f])).view(1, -1))
        for f in (0, 2)
    ]
    got = gaze_model.gaze_loss(logits, torch.from_numpy(counts(points))[None])
    torch.testing.assert_close(got, torch.stack(frames).mean(), atol=1e-3, rtol=1e-4)


def test_a_mirrored_visit_has_mirrored_maps_and_fixations_and_prediction_has_none():
    ctx, rng = fit("gaze"), np.random.default_rng(0)
    shown = gaze_example(rng, 6)
    kinds = set()
    for _ in range(20):
        seen = METHOD.prepare(shown, ctx)
        name = next(m for m in MAPS if np.array_equal(seen["maps"], shown["video"][m]))
        straight = counts(shown.targets["fixations"])
        expected = straight[:, :, ::-1] if name == "spatial_mirrored" else straight
        np.testing.assert_array_equal(seen.targets["fixations"], expected)
        kinds.add(name)
    assert kinds == set(MAPS)
    asked = toy_context(toy_fit(METHOD, "gaze"), "gaze", ctx.data, training=False)
    for _ in range(20):
        np.testing.assert_array_equal(METHOD.prepare(shown, asked)["maps"], shown["video"]["spatial"])


def test_a_fixation_counts_in_its_cell_row_first():
    cells = counts([np.array([[0.99, 0.0], [0.5, 0.5]])])
    assert np.argwhere(cells[0]).tolist() == [[0, 48], [24, 24]]


def test_maps_are_distributions_that_padding_does_not_change():
    ctx = fit("gaze")
    module = built(ctx).eval()
    maps = METHOD.predict_step(module, batch_of(ctx, gaze_example), ctx)["maps"]
    assert maps.shape == (4, 4, 49, 49)
    torch.testing.assert_close(maps.sum((-2, -1)), torch.ones(4, 4))
    rng = np.random.default_rng(0)
    ctx = fit("gaze")
    for row, n in zip(maps, (5, 1, 9, 20), strict=True):
        alone = METHOD.predict_step(module, collate([METHOD.prepare(gaze_example(rng, n), ctx)]), ctx)["maps"]
        torch.testing.assert_close(alone[0], row, atol=1e-6, rtol=1e-4)


def test_gaze_learns_a_toy():
    ctx = fit("gaze")
    module, batch = built(ctx), batch_of(ctx, gaze_example)
    losses = toy_losses(METHOD, module, batch, ctx, steps=15, rate=1e-2)
    assert losses[0] == pytest.approx(np.log(49 * 49), abs=0.2)
    assert losses[-1] < losses[0] - 1.0


# --- pools ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "longest", "expected"),
    [(3, 5, [0, 1, 2, 0, 1]), (5, 5, [0, 1, 2, 3, 4]), (10, 5, [0, 2, 4, 6, 8]), (1, 3, [0, 0, 0])],
)
def test_pools_repeat_from_the_first_frame_or_sample_evenly(frames, longest, expected):
    assert pool_places(frames, longest).tolist() == expected


@pytest.mark.parametrize(
    ("rows", "parts", "expected"),
    [(4, 2, [0.5, 2.5]), (5, 2, [0.5, 3]), (1, 2, [0, 0]), (2, 4, [0, 0, 1, 1])],
)
def test_vectors_are_averaged_over_the_time_of_a_map(rows, parts, expected):
    got = part_means(np.arange(rows, dtype=np.float32)[:, None], parts)
    assert got.ravel().tolist() == expected


def test_motion_and_fovea_pools_are_maps_under_the_predicted_gaze():
    ctx = fit(uniform=0.0)
    module = built(ctx).eval()
    batch = batch_of(ctx, caption_example, rows=(4,))
    maps = batch["maps"].data
    gaze = module.gaze(maps).flatten(-2).softmax(-1).view(4, 7, 7, 7, 7).sum((2, 4))  # (T, 7, 7)
    fovea = torch.einsum("tij,tijk->tk", gaze, maps[0])
    pools = module.encode(batch)
    torch.testing.assert_close(pools["fovea"][0, :4], fovea, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(pools["motion"][0, :4, :3], fovea, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(pools["motion"][0, :4, 3:], batch["beside"].data[0])
    assert {name: pool.shape[1] for name, pool in pools.items()} == ctx.config.pool_lengths.model_dump()


@pytest.mark.parametrize("kind", ["uniform", "random", "central", "peripheral"])
def test_fixed_weights_are_distributions(kind):
    weights = weights_of(kind)
    torch.testing.assert_close(weights.sum((1, 2)), torch.ones(len(weights)))
    assert (weights >= 0).all()
    if kind == "central":
        assert weights[0].argmax() == 24
        assert weights[0, 3, 4] / weights[0, 3, 3] == pytest.approx(np.exp(-0.5))
    if kind == "peripheral":
        assert weights[0].argmin() == 24


# --- decoder ----------------------------------------------------------------------------------------------------------


def test_temporal_attention_is_equations_3_5_and_3_6():
    torch.manual_seed(0)
    attend = TemporalAttention(4, 3, 5)
    pool, last = torch.randn(1, 6, 4), torch.randn(1, 2, 3)
    got = attend(pool, attend.frames(pool), last)
    for t in range(2):
        inner = pool[0] @ attend.frames.weight.T + last[0, t] @ attend.words.weight.T + attend.frames.bias
        q = 1.7159 * torch.tanh(2 / 3 * inner) @ attend.score.weight[0]
        beta = q.exp() / q.exp().sum()
        torch.testing.assert_close(got[0, t], (beta[:, None] * pool[0]).sum(0))


def test_the_gru_is_equations_3_7_to_3_10():
    torch.manual_seed(0)
    gru = GRU(4, 3)
    x, h = torch.randn(1, 2, 4), torch.randn(1, 3)
    (w_z, w_r, w_h), (b_z, b_r, b_h) = gru.w.weight.chunk(3), gru.w.bias.chunk(3)
    u_z, u_r = gru.u_gates.weight.chunk(2)
    got = gru(x, h)
    for t in range(2):
        z = torch.sigmoid(x[:, t] @ w_z.T + h @ u_z.T + b_z)
        r = torch.sigmoid(x[:, t] @ w_r.T + h @ u_r.T + b_r)
        new = torch.tanh(x[:, t] @ w_h.T + (r * h) @ gru.u.weight.T + b_h)
        h = (1 - z) * h + z * new
        torch.testing.assert_close(got[:, t], h)
    torch.testing.assert_close(u_z @ u_z.T, torch.eye(3))


def test_aggregation_is_equation_3_11():
    torch.manual_seed(0)
    layer = Aggregation({"scene": 3, "fovea": 2}, {"scene": 4, "motion": 9, "fovea": 5}, 6, 0.5).eval()
    attended = {"scene": torch.randn(1, 1, 3), "fovea": torch.randn(1, 1, 2)}
    state = torch.randn(1, 1, 6)
    side = torch.cat([layer.pools[n].weight @ attended[n][0, 0] + layer.pools[n].bias for n in attended])
    expected = 1.7159 * torch.tanh(2 / 3 * side * (layer.state.weight @ state[0, 0]))
    torch.testing.assert_close(layer(attended, state)[0, 0], expected)


@pytest.mark.parametrize("variant", ["full", "random-gaze", "fovea"])
def test_words_one_by_one_score_as_all_at_once(variant):
    ctx = fit(variant=variant)
    module, batch = built(ctx).eval(), batch_of(ctx, caption_example)
    together = module(batch)
    _, state = module.start(batch)
    for t, words in enumerate(batch["words"].data[:, :-1].unbind(1)):
        logits, state = module.step(words, state)
        torch.testing.assert_close(logits, together[:, t], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("variant", sorted(variants_of(METHOD)))
def test_every_row_of_the_tables_takes_a_step_and_leaves_gaze_frozen(variant):
    ctx = fit(variant=variant, dropout=0.0)
    module = built(ctx)
    loss = METHOD.training_step(module, batch_of(ctx, caption_example), ctx)
    loss.backward()
    assert torch.isfinite(loss)
    for name, parameter in module.named_parameters():
        assert (parameter.grad is None) == name.startswith("gaze."), name


@pytest.mark.parametrize("variant", sorted(variants_of(METHOD)))
def test_every_row_of_the_tables_builds_at_the_papers_size(variant):
    ctx = fit(variant=variant, preset="paper")
    with torch.device("meta"):
        module = METHOD.build(ctx.data, ctx.config)
    widths = {"scene": 256, "motion": 256, "fovea": 512}
    assert module.multimodal_gru.w.in_features == 512 + sum(widths[n] for n in ctx.config.pools)


def test_every_variant_that_learns_gaze_asks_for_one_and_the_same_fit():
    asked = {
        v: METHOD.upstream(toy_fit(METHOD, "captions", v).config, "captions") for v in variants_of(METHOD)
    }
    learned = [ups for ups in asked.values() if ups]
    assert {v for v, ups in asked.items() if ups} == {"full", "greedy", "fovea", "fovea-motion"}
    assert all(ups == learned[0] and ups[0].variant == "full" for ups in learned)
    assert METHOD.upstream(toy_fit(METHOD, "gaze").config, "gaze") == ()


def test_a_caption_is_the_same_alone_and_in_a_batch():
    ctx = fit()
    module = built(ctx).eval()
    together = METHOD.predict_step(module, batch_of(ctx, caption_example), ctx)["caption"]
    rng = np.random.default_rng(0)
    alone = [
        METHOD.predict_step(module, collate([METHOD.prepare(caption_example(rng, n), ctx)]), ctx)["caption"][
            0
        ]
        for n in (5, 1, 9, 20)
    ]
    assert together == alone
    assert all(isinstance(caption, str) for caption in together)


def test_captions_learn_a_toy():
    ctx = fit(dropout=0.0)
    module, batch = built(ctx), batch_of(ctx, caption_example)
    optimiser = torch.optim.Adam([p for n, p in module.named_parameters() if not n.startswith("gaze.")], 1e-2)
    losses = []
    for _ in range(30):
        loss = METHOD.training_step(module, batch, ctx)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
