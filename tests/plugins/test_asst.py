"""ASST: equations on small cases, clips and their targets, ablations, recipes, averaging."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from plugin_toys import example, moments, toy_context, toy_data, toy_fit, toy_losses, toy_sentence, toy_video
from torch.nn import functional

from reelbench import Predictions, collate
from reelbench.plugins.asst import losses, samplers, spans
from reelbench.plugins.asst.method import ASST, ASSTConfig, Suppression
from reelbench.plugins.asst.model import (
    ChannelDropout,
    CrossModalAttention,
    GatedConvolution,
    TemporalLayer,
    VideoSubnet,
    expand,
    linear_weights,
    pool_clips,
    shorten,
)
from reelbench.resolution import variants_of

METHOD = ASST()
DURATION_S = 6.0
FUSED = ("late-fusion", "two-fused")
EVERY_FIT = [(recipe, variant) for recipe in ASST.recipes for variant in variants_of(METHOD)]
SMALL = ASSTConfig(
    word=5, state=6, dilation=8, squeezing=4, attention=3, rows=16, dropout=0.0, input_dropout=0.0
)


def fit(recipe="candidates", variant="full", preset="tiny", *, training=True, **overrides):
    resolved = toy_fit(METHOD, recipe, variant, preset, **overrides)
    features = METHOD.features(resolved.config, recipe)
    data = toy_data(features)
    data = toy_data(features, moments=moments(data.dim()))
    task = "detection" if recipe == "events" else "localization"
    phase = resolved.phases[0]
    return toy_context(
        resolved, recipe, data, training=training, phase=phase, task=task, protocol=recipe
    ), data


def built(ctx, data):
    torch.manual_seed(0)
    return METHOD.build(data, ctx.config)


def moment(rng, recipe, duration_s=DURATION_S, words=6):
    thirds = np.array([[a, b] for a in range(3) for b in range(a + 1, 4)]) * duration_s / 3
    start = rng.uniform(0, duration_s / 2)
    span = np.array([[start, start + duration_s / 4]])
    fields = {"video": toy_video(rng, max(1, round(4 * duration_s))), "duration_s": duration_s}
    if recipe == "events":
        return example(fields, {"segments": span, "labels": np.array([1])})
    fields |= {
        "query": toy_sentence(rng, words),
        "candidates": thirds if recipe == "candidates" else thirds[:0],
    }
    return example(fields, {"segments": thirds[[0, 0, 1]], "span": span})


def batch_of(ctx, count=4, seed=0, **more):
    rng = np.random.default_rng(seed)
    return collate([METHOD.prepare(moment(rng, ctx.recipe, **more), ctx) for _ in range(count)])


def loss_of(ctx, module, batch):
    loss = METHOD.training_step(module, batch, ctx)
    return loss["loss"] if isinstance(loss, dict) else loss


# --- the video subnet ---------------------------------------------------------------------------------------------------


def test_attention_is_equations_4_to_6():
    torch.manual_seed(0)
    attention = CrossModalAttention(6, 8, 3).requires_grad_(False)
    v, words = torch.randn(1, 5, 8), torch.randn(1, 4, 6)
    mask = torch.tensor([[True, True, True, False]])
    got = attention(v, words, mask)

    def gated(layer, x):
        q = layer.linear.weight @ x + layer.linear.bias
        half = len(q) // 2
        return q[:half] * torch.sigmoid(q[half:])

    for j in range(5):
        scores = [
            gated(attention.word_key, words[0, i]) @ gated(attention.row_key, v[0, j]) / 3 for i in range(3)
        ]
        total = sum(math.exp(s) for s in scores)
        attended = sum(
            math.exp(s) / total * gated(attention.word_value, words[0, i]) for i, s in enumerate(scores)
        )
        torch.testing.assert_close(got[0, j], attended * v[0, j])


def test_a_layer_adds_the_normalised_context_to_what_it_reads():
    torch.manual_seed(0)
    layer = TemporalLayer(4, 4, SMALL, fed=False, dilation=2)
    x = torch.randn(3, 7, 4)
    linear = layer.convolution.gated.linear
    kernel = linear.weight.unflatten(1, (3, 4)).transpose(1, 2)  # (outputs, inputs, 3)
    q = functional.conv1d(x.transpose(1, 2), kernel, linear.bias, padding=2, dilation=2).transpose(1, 2)
    v = q[..., :4] * torch.sigmoid(q[..., 4:])
    normal = (v - v.mean((0, 1))) / torch.sqrt(v.var((0, 1), unbiased=False) + 1e-5)
    torch.testing.assert_close(layer(x, None, None), x + normal.clamp_min(0), atol=1e-5, rtol=1e-4)


def test_dilation_doubles_and_squeezing_sees_everything():
    config = SMALL.model_copy(update={"feed": "none", "rows": 64})
    video = VideoSubnet(config).eval()
    x = torch.randn(1, 64, 8, requires_grad=True)
    y = x
    for layer in video.dilated:
        y = layer(y, None, None)
    reached = torch.autograd.grad(y[0, 32].sum(), x)[0].abs().sum(-1)[0].nonzero().squeeze(-1).tolist()
    assert reached == list(range(32 - 15, 32 + 16))  # 1 + 2 + 4 + 8 rows each way
    whole = video(x, None, None)
    assert whole.shape == (1, 64, 4)
    assert torch.autograd.grad(whole[0, 0].sum(), x)[0].abs().sum(-1)[0].count_nonzero() == 64


def test_squeezing_halves_the_sequence_and_expansion_restores_it():
    lengths = []
    video = VideoSubnet(SMALL.model_copy(update={"feed": "none"})).eval()
    for layer in video.squeezed:
        layer.register_forward_hook(lambda module, inputs, output: lengths.append(output.shape[1]))
    assert video(torch.randn(2, 128, 8), None, None).shape == (2, 128, 4)
    assert lengths == [64, 32, 16, 8, 4, 2]


def test_dropout_takes_a_channel_of_a_window_in_all_rows_and_nothing_in_evaluation():
    torch.manual_seed(0)
    dropout, x = ChannelDropout(0.5), torch.ones(4, 6, 10)
    dropped = dropout(x)
    assert (dropped == dropped[:, :1]).all()
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert (dropout.eval()(x) == x).all()


@pytest.mark.parametrize("length", [3, 4, 7])
@pytest.mark.parametrize(("stride", "pad"), [(1, False), (2, True)])
def test_convolutions_with_strides_and_without_padding(length, stride, pad):
    torch.manual_seed(0)
    layer, x = GatedConvolution(5, 2, stride=stride, pad=pad), torch.randn(2, length, 5)
    kernel = layer.gated.linear.weight.unflatten(1, (3, 5)).transpose(1, 2)
    q = functional.conv1d(x.transpose(1, 2), kernel, layer.gated.linear.bias, stride, int(pad))
    torch.testing.assert_close(layer(x), functional.glu(q, dim=1).transpose(1, 2))


@pytest.mark.parametrize("length", [1, 2, 5])
def test_expansion_is_linear_interpolation(length):
    x = torch.randn(2, length, 3)
    expected = functional.interpolate(x.transpose(1, 2), size=9, mode="linear", align_corners=False)
    torch.testing.assert_close(expand(x, 9), expected.transpose(1, 2))


def test_shortening_takes_means_of_neighbours_and_keeps_an_odd_last_one():
    x = torch.tensor([[[1.0], [3.0], [5.0], [7.0], [9.0]]])
    assert shorten(x, 2).squeeze().tolist() == [2.0, 6.0, 9.0]


def test_clips_are_seven_rows_read_between_rows():
    x = torch.arange(10.0)[None, :, None] ** 2
    pooled = pool_clips(x, torch.tensor([[[0.2, 0.9], [0.0, 0.01]]]))
    assert pooled.shape == (1, 2, 7, 1)
    for k in range(7):
        place = 10 * (0.2 + (k + 0.5) / 7 * 0.7) - 0.5
        low = math.floor(place)
        share = place - low
        expected = (1 - share) * low**2 + share * (low + 1) ** 2
        assert pooled[0, 0, k, 0].item() == pytest.approx(expected, rel=1e-5)
    assert pooled[0, 1].abs().max() == 0  # before the first row's middle the first row counts
    assert linear_weights(torch.tensor([-3.0, 1.25, 99.0]), 3).tolist() == [
        [1, 0, 0],
        [0, 0.75, 0.25],
        [0, 0, 1],
    ]


# --- clips and what they should say -------------------------------------------------------------------------------------


def test_groups_have_as_many_clips_as_the_paper_says():
    grid = samplers.clip_grid(6)
    length = np.ptp(grid, axis=1)
    assert [int(np.isclose(length, 0.5**i).sum()) for i in range(6)] == [2 ** (i + 2) - 3 for i in range(6)]
    assert grid.min() == 0
    assert grid.max() == 1


def test_equation_1_undoes_the_targets():
    rng = np.random.default_rng(0)
    segments = np.array([[0.1, 0.35], [0.5, 0.62]])
    clips, targets = samplers.sample_clips(segments, np.array([3, 4]), ASSTConfig(), rng)
    moved = spans.move(clips, targets["offset"])
    for clip, label, got in zip(clips, targets["label"], moved, strict=True):
        shared = samplers.overlaps(clip[None].astype(float), segments)[0]
        assert label == ([3, 4][int(shared.argmax())] if shared.max() >= 0.5 else -1)
        np.testing.assert_allclose(got, segments[shared.argmax()], atol=1e-5)


@pytest.mark.parametrize("negatives", [1, 5])
def test_positive_and_negative_clips_stand_in_the_papers_ratio(negatives):
    config = ASSTConfig(negatives=negatives, positives=4)
    _, targets = samplers.sample_clips(
        np.array([[0.2, 0.4]]), np.zeros(1, int), config, np.random.default_rng(0)
    )
    assert (targets["label"] >= 0).sum() == 4
    assert (targets["label"] < 0).sum() == 4 * negatives


def test_a_window_without_the_span_still_has_a_negative_clip():
    _, targets = samplers.sample_clips(
        np.array([[1.5, 1.6]]), np.zeros(1, int), ASSTConfig(), np.random.default_rng(0)
    )
    assert targets["label"].tolist() == [-1]


def test_annotations_that_overlap_no_other_are_left_out():
    segments = np.array([[0.0, 5.0], [0.0, 10.0], [20.0, 25.0]])
    assert samplers.agreeing(segments).tolist() == [[0, 5], [0, 10]]
    assert samplers.agreeing(segments[1:]).tolist() == segments[1:].tolist()
    assert samplers.agreeing(segments[:1]).tolist() == segments[:1].tolist()


def test_an_annotation_that_agrees_is_drawn_anew_at_each_visit():
    ctx, data = fit()
    asked = moment(np.random.default_rng(0), "candidates").with_targets(
        segments=np.array([[0.0, 2.0], [0.0, 4.0], [4.0, 6.0]])
    )
    lone = moment(np.random.default_rng(1), "candidates").with_targets(segments=np.array([[4.0, 6.0]]))
    batch, module = collate([METHOD.prepare(e, ctx) for e in (asked, lone)]), built(ctx, data).eval()
    where = [tuple(c) for c in asked["candidates"].tolist()]
    first, second, other = (where.index(c) for c in ((0.0, 2.0), (0.0, 4.0), (4.0, 6.0)))
    scores, generator = losses.clip_scores(module, batch), torch.Generator().manual_seed(0)
    drawn = torch.stack([losses.classify(module, batch, generator) for _ in range(40)])
    for k in (first, second):
        expected = -(scores[0, k] + scores[1, other]) / 2
        assert torch.isclose(drawn, expected).float().mean().item() == pytest.approx(0.5, abs=0.25)


def test_windows_slide_by_half_until_the_end_is_seen():
    assert samplers.window_starts(30.0, 32.0).tolist() == [0]
    assert samplers.window_starts(48.0, 32.0).tolist() == [0, 16]
    assert samplers.window_starts(50.0, 32.0).tolist() == [0, 16, 32]


def test_rows_are_means_of_their_frames_as_far_as_the_video_goes():
    _, data = fit(variant="appearance")
    frames = np.arange(12.0, dtype=np.float32)[:, None].repeat(6, axis=1)  # 3 s at 4 Hz
    half = samplers.window_rows({"appearance": frames}, data.features, 8, (0.0, 4.0), 3.0)
    assert half[:, 0].tolist() == [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]
    fine = samplers.window_rows({"appearance": frames}, data.features, 8, (2.5, 3.5), 3.0)
    assert fine[:, 0].tolist() == [10, 10, 11, 11]


def test_stretching_shows_longer_and_shorter_windows():
    ctx, _ = fit("spans")
    asked = moment(np.random.default_rng(0), "spans", duration_s=60.0)
    offsets = [METHOD.prepare(asked, ctx) for _ in range(20)]
    still = {tuple(e["clips"].shape) for e in offsets}
    assert len(still) > 1  # the span is now nearer, now further, and so other clips hit it
    bounds = []
    for _ in range(200):
        scale = math.exp(ctx.rng.uniform(*map(math.log, ctx.config.stretch)))
        bounds.append(scale)
    assert 0.8 <= min(bounds) < 0.85 < 1.2 < max(bounds) <= 1.25


# --- fits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("recipe", "variant"), EVERY_FIT)
def test_every_ablation_builds_and_takes_a_step(recipe, variant):
    ctx, data = fit(recipe, variant)
    module = built(ctx, data)
    loss = loss_of(ctx, module, batch_of(ctx))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in module.parameters())


@pytest.mark.parametrize("recipe", ASST.recipes)
def test_the_papers_sizes(recipe):
    ctx, _ = fit(recipe, preset="paper")
    with torch.device("meta"):
        video = VideoSubnet(ctx.config)
    assert [layer.convolution.gated.linear.out_features for layer in video.dilated] == [2 * 1024] * 4
    assert [layer.convolution.dilation for layer in video.dilated] == [1, 2, 4, 8]
    assert [layer.convolution.gated.linear.out_features for layer in video.squeezed] == [2 * 512] * 6
    assert len(video.laterals) == 6


@pytest.mark.parametrize(
    ("variant", "places"),
    [
        ("full", [*(f"dilated.{k}" for k in range(4)), *(f"squeezed.{k}" for k in range(6))]),
        ("no-language", []),
        ("final-layer", ["final"]),
        ("last-dilation", ["dilated.3"]),
        ("first-dilation", ["dilated.0"]),
    ],
)
def test_language_is_fed_where_the_variant_says(variant, places):
    ctx, _ = fit(variant=variant)
    modules = VideoSubnet(ctx.config).named_modules()
    found = [
        n.removesuffix(".feeding.attend").removesuffix(".attend")
        for n, m in modules
        if isinstance(m, CrossModalAttention)
    ]
    assert found == places


def test_without_language_and_for_events_no_word_is_read():
    for recipe, variant in (("candidates", "no-language"), ("events", "full")):
        ctx, data = fit(recipe, variant)
        assert built(ctx, data).language is None


@pytest.mark.parametrize(
    ("recipe", "variant"),
    [*((r, "full") for r in ASST.recipes), ("candidates", "endpoints"), ("spans", "final-layer")],
)
def test_a_prediction_is_the_same_alone_and_beside_longer_ones(recipe, variant):
    ctx, data = fit(recipe, variant, training=False)
    module, rng = built(ctx, data).eval(), np.random.default_rng(1)
    rows = [METHOD.prepare(moment(rng, recipe, duration_s=d, words=w), ctx) for d, w in ((4.0, 2), (90.0, 9))]
    with torch.no_grad():
        together = METHOD.predict_step(module, collate(rows), ctx)
        alone = [METHOD.predict_step(module, collate([row]), ctx) for row in rows]
    for name, column in together.items():
        for got, single in zip(column, alone, strict=True):
            # scores that differ in the last digits only may change places
            np.testing.assert_allclose(by_place(got), by_place(single[name][0]), atol=1e-4)


def by_place(segments: list[list[float]]) -> np.ndarray:
    """Segments by where they begin and end, whatever their score."""
    rows = np.array(segments)
    return rows[np.lexsort((rows[:, 1].round(3), rows[:, 0].round(3)))]


@pytest.mark.parametrize("recipe", ASST.recipes)
@pytest.mark.parametrize("duration_s", [0.25, 300.0])
def test_the_shortest_and_the_longest_video(recipe, duration_s):
    ctx, data = fit(recipe, training=False)
    module = built(ctx, data).eval()
    (column,) = METHOD.predict_step(module, batch_of(ctx, 1, duration_s=duration_s), ctx).values()
    bounds = np.array(column[0])[:, :2]
    assert bounds.min() >= 0
    assert bounds.max() <= duration_s + 1e-6
    assert (bounds[:, 1] > bounds[:, 0]).all()


def test_a_sentence_of_unknown_words_is_borne():
    ctx, data = fit(training=False)
    asked = moment(np.random.default_rng(0), "candidates").with_fields(query=("zebra",))
    rows = METHOD.predict_step(built(ctx, data).eval(), collate([METHOD.prepare(asked, ctx)]), ctx)[
        "segments"
    ][0]
    assert sum(score for *_, score in rows) == pytest.approx(1.0, abs=1e-4)


def test_a_fit_reads_the_streams_of_its_variant():
    read = {v: METHOD.features(fit(variant=v)[0].config, "candidates") for v in variants_of(METHOD)}
    assert read["full"] == ("appearance", "motion", "audio")
    assert read["motion"] == ("motion",)
    assert read["late-fusion"] == read["two-streams"] == ("appearance", "motion")
    assert METHOD.features(fit("events", "late-fusion")[0].config, "events") == read["full"]


def test_background_and_negative_clips_teach_no_offset():
    ctx, data = fit("spans")
    module, batch = built(ctx, data), batch_of(ctx)
    batch.targets["label"].data.fill_(-1)
    assert losses.detect(module, batch)["offset"].item() == 0.0


# --- late fusion and averaging ------------------------------------------------------------------------------------------


def test_late_fusion_weighs_probabilities_of_members_that_see_their_own_stream():
    ctx, data = fit(variant="late-fusion", training=False)
    module, batch = built(ctx, data).eval(), batch_of(ctx, 2)
    parts = [out.squeeze(-1).softmax(-1) for out in losses.outputs(module, batch)]
    with torch.no_grad():
        module.weights.copy_(torch.tensor([1.0, 2.0, 2.3]).log())
    expected = sum(w * p for w, p in zip((1.0, 2.0, 2.3), parts, strict=True)) / 5.3
    torch.testing.assert_close(losses.clip_scores(module, batch).exp(), expected)
    batch["frames"].data[..., 6:] += 1.0  # motion
    moved = [out.squeeze(-1).softmax(-1) for out in losses.outputs(module, batch)]
    assert [torch.allclose(a, b) for a, b in zip(parts, moved, strict=True)] == [True, False, False]


@pytest.mark.parametrize("variant", FUSED)
def test_late_fusion_starts_from_the_fits_it_fuses_and_learns_their_weights_on_validation(variant):
    ctx, data = fit(variant=variant)
    assert (ctx.phase.name, ctx.phase.split, ctx.phase.frozen) == ("fuse", "validation", ("members.",))
    module = built(ctx, data)
    for up in METHOD.upstream(ctx.config, "candidates"):
        other, its = fit(variant=up.variant)
        theirs = built(other, its).state_dict()
        own = {k: v.shape for k, v in module.state_dict().items() if k.startswith(up.parameters[""])}
        assert own == {up.parameters[""] + k: v.shape for k, v in theirs.items()}
    assert METHOD.upstream(ctx.config, "events") != ()
    assert fit("events", variant)[0].phase.name == "detect"


def predictions(name, *columns):
    return [Predictions(("q",), {name: [rows]}) for rows in columns]


def combined(recipe, members):
    ctx, _ = fit(recipe, training=False)
    (column,) = METHOD.combine(members, ctx).columns.values()
    return column[0]


def test_members_scores_of_a_candidate_are_averaged():
    members = predictions(
        "segments", [[0, 5, 0.6], [5, 10, 0.3], [0, 10, 0.1]], [[5, 10, 0.8], [0, 10, 0.2], [0, 5, 0.0]]
    )
    got = combined("candidates", members)
    assert [row[:2] for row in got] == [[5, 10], [0, 5], [0, 10]]
    assert [row[2] for row in got] == pytest.approx([0.55, 0.3, 0.15])


def test_members_spans_are_averaged_where_they_meet():
    members = predictions("segments", [[0, 10, 0.6], [20, 25, 0.4]], [[0.5, 10.5, 0.2], [12, 15, 0.3]])
    got = combined("spans", members)
    assert got[0] == pytest.approx([0.125, 10.125, 0.4])
    assert [row[2] for row in got[1:]] == pytest.approx([0.2, 0.15])


def test_detections_of_two_classes_are_not_averaged():
    members = predictions("detections", [[0, 10, 1, 0.6]], [[0, 10, 2, 0.4]])
    assert combined("events", members) == [[0, 10, 1, pytest.approx(0.3)], [0, 10, 2, pytest.approx(0.2)]]


def test_settings_say_what_suppression_leaves():
    found = np.array([[0.0, 10.0], [0.0, 9.5], [20.0, 30.0]])
    scores = np.array([0.5, 0.9, 0.1])
    assert [r[:2] for r in spans.best_spans(found, scores, Suppression())] == [[0, 9.5], [20, 30]]
    assert len(spans.best_spans(found, scores, Suppression(span_overlap=0.96))) == 3
    events = spans.best_detections(found, np.stack([scores, scores], 1), Suppression(event_score=0.2))
    assert events == [[0, 9.5, 0, 0.9], [0, 9.5, 1, 0.9]]


@pytest.mark.parametrize("recipe", ASST.recipes)
def test_it_learns_a_toy(recipe):
    ctx, data = fit(recipe, dilation=16, squeezing=16, state=16, attention=8, dropout=0.0, input_dropout=0.0)
    module, batch = built(ctx, data), batch_of(ctx, 4)
    losses = toy_losses(METHOD, module, batch, ctx, steps=15, rate=1e-2)
    assert losses[-1] < 0.6 * losses[0]


def test_a_batch_of_one_window_squeezed_to_one_row_is_borne():
    ctx, data = fit()
    assert torch.isfinite(loss_of(ctx, built(ctx, data), batch_of(ctx, 1)))


def test_a_window_in_which_nothing_happens_is_all_background():
    clips, targets = samplers.sample_clips(
        np.zeros((0, 2)), np.zeros(0, np.int64), ASSTConfig(), np.random.default_rng(0)
    )
    assert len(clips) > 0
    assert (targets["label"] == -1).all()
