"""CCA, MCN and CTRL: their losses and projections on small cases, windows, invariance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plugin_toys import example, moments, toy_context, toy_data, toy_fit, toy_losses, toy_sentence, toy_video

from reelbench import Clip, Relation, collate
from reelbench.plugins.layers.ranking import different_contents
from reelbench.plugins.layers.segments import overlaps
from reelbench.plugins.published.localizers import canonical, examples
from reelbench.plugins.published.localizers.method import CCA, CTRL, MCN, CCAConfig, CTRLConfig

RECIPES = {"mcn": "rank", "ctrl": "align"}
LEARNED = [MCN(), CTRL()]


def fit(method, preset="tiny", *, training=True, **overrides):
    recipe = RECIPES[method.name]
    resolved = toy_fit(method, recipe, preset=preset, **overrides)
    data = toy_data(method.modalities)
    data = toy_data(method.modalities, moments=moments(data.dim()))
    return toy_context(resolved, recipe, data, training=training, phase=resolved.phases[0]), data


def built(method, ctx, data):
    torch.manual_seed(0)
    return method.build(data, ctx.config)


def moment(rng, film="a", duration_s=12.0, words=5, candidates=3):
    edges = np.linspace(0, duration_s, candidates + 1)
    thirds = np.stack([edges[:-1], edges[1:]], axis=1)
    fields = {
        "video": toy_video(rng, max(1, round(4 * duration_s))), "film": film, "query": toy_sentence(rng, words),
        "duration_s": duration_s, "candidates": thirds,
    }  # fmt: skip
    return example(fields, {"segments": thirds[[0, 0]], "span": np.array([[1.0, 5.0]])})


def batch_of(method, ctx, films="abcd"):
    rng = np.random.default_rng(0)
    return collate([method.prepare(moment(rng, film), ctx) for film in films])


def loss_of(method, module, batch, ctx):
    loss = method.training_step(module, batch, ctx)
    return loss["loss"] if isinstance(loss, dict) else loss


@pytest.mark.parametrize("method", LEARNED, ids=lambda m: m.name)
@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_gradients_reach_every_parameter(method, preset):
    ctx, data = fit(method, preset)
    module = built(method, ctx, data)
    loss = loss_of(method, module, batch_of(method, ctx), ctx)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in module.parameters())


@pytest.mark.parametrize("method", LEARNED, ids=lambda m: m.name)
def test_it_learns_a_toy(method):
    ctx, data = fit(method)
    module, batch = built(method, ctx, data), batch_of(method, ctx)
    losses = toy_losses(method, module, batch, ctx, steps=30, rate=3e-3)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("method", LEARNED, ids=lambda m: m.name)
def test_a_prediction_is_the_same_alone_and_beside_longer_ones(method):
    ctx, data = fit(method, training=False)
    module, rng = built(method, ctx, data).eval(), np.random.default_rng(0)
    rows = [
        moment(rng, duration_s=6.0, words=2, candidates=2),
        moment(rng, duration_s=60.0, words=9, candidates=6),
    ]
    prepared = [method.prepare(example(row.fields), ctx) for row in rows]
    with torch.no_grad():
        together = method.predict_step(module, collate(prepared), ctx)["segments"]
        alone = [method.predict_step(module, collate([p]), ctx)["segments"][0] for p in prepared]
    for got, single in zip(together, alone, strict=True):
        np.testing.assert_allclose(np.array(got)[:, :2], np.array(single)[:, :2], atol=1e-4)


def test_mcn_ranks_its_moment_before_others_of_the_video_and_the_same_of_other_videos():
    method = LEARNED[0]
    ctx, data = fit(method)
    module = built(method, ctx, data)
    batch = batch_of(method, ctx, "aabc")
    films, chosen = "aabc", batch.targets["chosen"].tolist()
    expected = 0.0
    for moved, said in module._embedded(batch):
        inside, outside = [], []
        for i in range(4):
            right = (moved[i, chosen[i]] - said[i]).square().sum()
            for k in range(3):
                if k != chosen[i]:
                    inside.append(
                        (right - (moved[i, k] - said[i]).square().sum() + ctx.config.margin).clamp_min(0)
                    )
            for j in range(4):
                if films[i] != films[j]:
                    other = (moved[j, chosen[i]] - said[i]).square().sum()
                    outside.append((right - other + ctx.config.margin).clamp_min(0))
        expected += 0.8 * sum(inside) / len(inside) + 0.2 * sum(outside) / len(outside)
    torch.testing.assert_close(module.loss(batch), expected)


def test_mcn_weighs_motion_as_the_paper_does():
    method = LEARNED[0]
    ctx, data = fit(method)
    module = built(method, ctx, data)
    batch = batch_of(method, ctx)
    appearance, motion = [(m - s.unsqueeze(1)).square().sum(-1) for m, s in module._embedded(batch)]
    torch.testing.assert_close(module.distances(batch), appearance + 2.33 * motion)


def test_ctrl_aligns_every_pair_of_different_videos():
    method = LEARNED[1]
    ctx, data = fit(method)
    module = built(method, ctx, data)
    batch = batch_of(method, ctx, "aabc")
    clips, said = module._encoded(batch)
    scores = [[module(clips[j, 0], said[i])[0] for j in range(4)] for i in range(4)]
    expected = 0.0
    for i in range(4):
        expected += torch.log(1 + torch.exp(-scores[i][i])) / 4
        for j in range(4):
            if "aabc"[i] != "aabc"[j]:
                expected += torch.log(1 + torch.exp(scores[i][j])) / 16
    torch.testing.assert_close(module.loss(batch)["alignment"], expected)


def test_ctrl_trains_on_windows_that_lie_in_the_span():
    spans, rng = examples.sliding_windows(30.0, CTRLConfig()), np.random.default_rng(0)
    wanted = np.array([10.0, 15.0])
    for _ in range(20):
        near = examples.near(spans, wanted, rng)
        shared = min(near[1], wanted[1]) - max(near[0], wanted[0])
        assert overlaps(near[None], wanted[None])[0, 0] > 0.5
        assert 1 - shared / np.ptp(near) < 0.15
    best = overlaps(spans, np.array([[10.0, 10.5]]))[:, 0].max()
    tiny = examples.near(spans, np.array([10.0, 10.5]), rng)
    assert overlaps(tiny[None], np.array([[10.0, 10.5]]))[0, 0] == best


def test_a_window_is_read_beside_as_long_a_stretch_before_and_after():
    ctx, _ = fit(CTRL())
    rng = np.random.default_rng(0)
    shown = moment(rng)
    got = examples.with_context(shown, np.array([[2.0, 5.0], [10.0, 12.0]]), ctx)
    frames = np.concatenate([shown["video"][name] for name in ctx.data.features], axis=1)  # 4 rows a second
    stretches = [
        [(0, 8), (8, 20), (20, 32)],
        [(32, 40), (40, 48), (47, 48)],
    ]  # the last row where nothing is left
    expected = [np.concatenate([frames[a:b].mean(0) for a, b in row]) for row in stretches]
    np.testing.assert_allclose(got, np.stack(expected), rtol=1e-5, atol=1e-6)


def test_windows_reach_from_start_to_end_and_a_short_video_is_one():
    spans = examples.sliding_windows(30.0, CTRLConfig(windows_s=(5.0, 10.0)))
    assert np.unique(np.ptp(spans, axis=1).round(6)).tolist() == [5, 10]
    assert (spans.min(), spans.max()) == (0, 30)
    assert examples.sliding_windows(1.0, CTRLConfig()).tolist() == [[0, 1]]


def test_the_video_of_an_example_is_noted_before_it_is_read():
    for method in LEARNED:
        ctx, _ = fit(method)
        asked = example({"video": Clip("film-7")})
        assert method.sample(asked, Relation("segments", "train", {}, [asked]), ctx)["film"] == "film-7"
    assert different_contents(["x", "x"], torch.device("cpu")).any().item() is False


def test_cca_finds_what_two_sides_have_in_common():
    rng = np.random.default_rng(0)
    common, n = rng.normal(size=(400, 2)), 400
    x = np.concatenate([common @ rng.normal(size=(2, 3)), rng.normal(size=(n, 4))], axis=1) + 3
    y = np.concatenate([rng.normal(size=(n, 5)), common @ rng.normal(size=(2, 2))], axis=1) - 1
    found = canonical.correlate(x, y, CCAConfig(directions=4, ridge=1e-6))
    seen, said = (x - found["seen_mean"]) @ found["seen"], (y - found["said_mean"]) @ found["said"]
    correlation = [np.corrcoef(seen[:, k], said[:, k])[0, 1] for k in range(4)]
    assert min(correlation[:2]) > 0.999
    assert max(correlation[2:]) < 0.4
    assert seen[:, :2].var(axis=0) == pytest.approx(
        [1, 1], abs=1e-3
    )  # unit variance, times a correlation of one


def test_cca_ranks_the_moment_that_looks_like_its_words_first():
    method = CCA()
    data = toy_data(method.modalities)
    width, words = data.dim(), len(data.assets["vocabulary"])
    rng = np.random.default_rng(0)
    code = rng.normal(size=(3, width))
    tokens = ("red", "box", "ball")
    x = code[np.arange(90) % 3] + 0.1 * rng.normal(size=(90, width))
    y = np.stack([canonical.word_shares((tokens[k % 3],), data.assets["vocabulary"]) for k in range(90)])
    assert y.shape == (90, words)
    data.assets["projections"] = canonical.correlate(x, y, CCAConfig())
    ctx = toy_context(toy_fit(method, "correlate"), "correlate", data, training=False)
    rows = code.repeat(8, axis=0).astype(np.float32)  # two seconds of each
    asked = example(
        {
            "video": {"appearance": rows[:, :6], "motion": rows[:, 6:10], "audio": rows[:, 10:]}, "query": ("box",), "duration_s": 6.0,
            "candidates": np.array([[0.0, 2.0], [2.0, 4.0], [4.0, 6.0]]),
        }
    )  # fmt: skip
    assert method.prepare(asked, ctx)["segments"][0] == [2.0, 4.0]
