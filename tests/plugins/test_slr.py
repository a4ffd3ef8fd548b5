"""SLR: equations on small cases, channels that are away, re-pairing, what shares and what does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from plugin_toys import example, toy_context, toy_curve, toy_data, toy_fit, toy_sentence, toy_video
from torch.distributions import Normal, kl_divergence

from reelbench import FeatureSpec, Relation, collate
from reelbench.plugins.slr import losses
from reelbench.plugins.slr.method import SIGHT, SLR
from reelbench.plugins.slr.model import FrameDecoder, VariationalLatent
from reelbench.resolution import variants_of
from reelbench.tasks.reconstruction import FRAMES
from reelbench.vocabulary import PAD

METHOD = SLR()
FRAME = (2, 2, 3)
EVERY_FIT = [(recipe, variant) for recipe in SLR.recipes for variant in variants_of(METHOD)]
ASKED = {
    "captioning": ("video",),
    "reconstruction:video": ("video", "first_frame"),
    "reconstruction:sentence": ("sentence", "first_frame"),
    "reconstruction:caption": ("sentence",),
}


def toys(recipe="shared", matches=None):
    data = toy_data(SIGHT, matches=matches or {})
    thumbnail = FeatureSpec("thumbnail", FRAME, 2.0, "uint8")
    return (
        data if recipe == "to-sentence" else replace(data, features={**data.features, "thumbnail": thumbnail})
    )


def fit(recipe="shared", variant="full", preset="tiny", phase=0, matches=None, **overrides):
    resolved = toy_fit(METHOD, recipe, variant, preset, **overrides)
    data = toys(recipe, matches)
    return toy_context(resolved, recipe, data, phase=resolved.phases[phase]), data


def built(ctx, data):
    torch.manual_seed(0)
    return METHOD.build(data, ctx.config)


def video(rng, frames=None):
    frames = frames or int(rng.integers(2, 14))
    thumbnail = rng.integers(0, 256, size=(frames, *FRAME)).astype(np.float32)
    return {**toy_video(rng, frames), "thumbnail": thumbnail}


def training_batch(ctx, count=6):
    rng = np.random.default_rng(0)
    fields = [
        {
            "video": video(rng),
            "sentence": toy_sentence(rng, 4),
            "said": toy_sentence(rng, 5),
            "shown": video(rng),
        }
        for _ in range(count)
    ]
    return collate([METHOD.prepare(example(f, {}, str(i)), ctx) for i, f in enumerate(fields)])


def asked_batch(ctx, wanted, count=3, frames=None, words=None):
    rng = np.random.default_rng(1)
    made = []
    for i in range(count):
        known = {
            "video": toy_video(rng, frames or int(rng.integers(1, 14))),
            "sentence": toy_sentence(rng, int(rng.integers(1, 9)) if words is None else words),
            "first_frame": rng.random(FRAME, dtype=np.float32),
        }
        made.append(METHOD.prepare(example({k: known[k] for k in wanted}, name=str(i)), ctx))
    return made


@pytest.mark.parametrize(("recipe", "variant"), EVERY_FIT)
def test_every_ablation_builds_and_every_parameter_is_trained(recipe, variant):
    ctx, data = fit(recipe, variant)
    module = built(ctx, data)
    # the weights of a frame decoder that changes nothing yet pass nothing on: give them some
    for name, parameter in module.named_parameters():
        if name.endswith("head.weight"):
            torch.nn.init.normal_(parameter, std=0.1)
    terms = METHOD.training_step(module, training_batch(ctx), ctx)
    terms["loss"].backward()
    assert all(
        p.grad is not None and torch.isfinite(p.grad).all() and p.grad.any() for p in module.parameters()
    )


@pytest.mark.parametrize(("recipe", "variant"), EVERY_FIT)
def test_every_ablation_builds_at_the_papers_size(recipe, variant):
    ctx, data = fit(recipe, variant, "paper")
    with torch.device("meta"):
        module = METHOD.build(data, ctx.config)
    for star in module.stars.values():
        assert star.latent.width == 512
        assert all(decoder.first_state.linear.out_features == 1024 for decoder in star.decoders.values())


@pytest.mark.parametrize(("recipe", "variant"), EVERY_FIT)
def test_tuned_recipes_start_from_the_shared_one_in_every_parameter(recipe, variant):
    start = set(built(*fit("shared", variant)).state_dict())
    assert set(built(*fit(recipe, variant)).state_dict()) <= start


def test_the_latent_vector_is_equation_5_and_its_divergence_is_from_the_unit_normal():
    config = toy_fit(METHOD, "shared").config
    torch.manual_seed(0)
    latent, x = VariationalLatent(7, config), torch.randn(3, 7)
    z, divergence = latent(x, torch.Generator().manual_seed(5))
    mean, sigma = latent.mean(x), torch.exp(latent.log_variance(x) / 2)
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(z, mean + sigma * noise)
    of_each = kl_divergence(Normal(mean, sigma), Normal(0.0, 1.0))  # (3, Z)
    torch.testing.assert_close(divergence, of_each.mean(1))
    torch.testing.assert_close(latent.eval()(x)[0], mean)


@pytest.mark.parametrize("frames", ["drawn", "changed"])
def test_frames_are_equation_6_step_by_step(frames):
    config = toy_fit(METHOD, "shared", frames=frames, hidden=4).config
    torch.manual_seed(0)
    decoder = FrameDecoder(5, 3, config)
    torch.nn.init.normal_(decoder.head.weight)
    z, first = torch.randn(1, 3), torch.rand(1, 5)
    got = decoder(z, first, 3)[0].detach().numpy()

    def numbers(parameter):
        return parameter.detach().numpy().astype(np.float64)

    def logistic(x):
        return 1 / (1 + np.exp(-x))

    h, c = np.split(
        np.tanh(
            numbers(decoder.first_state.linear.weight) @ z[0].numpy()
            + numbers(decoder.first_state.linear.bias)
        ),
        2,
    )
    frame = first[0].numpy().astype(np.float64)
    for step in range(3):
        gates = numbers(decoder.lstm.weight_ih) @ (frame - 0.5) + numbers(decoder.lstm.bias_ih)
        i, f, u, o = np.split(gates + numbers(decoder.lstm.weight_hh) @ h + numbers(decoder.lstm.bias_hh), 4)
        c = logistic(i) * np.tanh(u) + logistic(f) * c
        h = logistic(o) * np.tanh(c)
        drawn = numbers(decoder.head.weight) @ h + numbers(decoder.head.bias)
        frame = frame + np.tanh(drawn) if frames == "changed" else logistic(drawn)
        np.testing.assert_allclose(got[step], frame, atol=1e-5)


def test_a_decoder_of_changes_that_has_learnt_nothing_repeats_the_first_frame():
    ctx, data = fit()
    star = built(ctx, data).star("video", "video")
    first = torch.tensor([[0.0, 1.0, 0.25] * 4])
    got = star.decoders["video"](torch.randn(1, star.latent.width), first, 2)
    torch.testing.assert_close(got, first.expand(2, -1)[None])


def test_telling_word_by_word_gives_the_logits_of_the_whole_sentence():
    ctx, data = fit()
    decoder = built(ctx, data).star("video", "sentence").decoders["sentence"]
    z, words = torch.randn(2, decoder.first_state.linear.in_features), torch.randint(5, 16, (2, 4))
    whole, state = decoder(z, words), decoder.first_state(z)
    for t in range(4):
        logits, state = decoder.step(words[:, t], state)
        torch.testing.assert_close(logits, whole[:, t])


def test_each_medium_has_length_one_and_one_that_is_away_is_zeros():
    ctx, data = fit()
    star = built(ctx, data).star("video", "sentence")
    media = losses.shown(training_batch(ctx, 3))
    both = star.encode(media).view(3, 2, -1)  # (B, medium, H)
    torch.testing.assert_close(both.norm(dim=2), torch.ones(3, 2))
    for row, medium, column in ((1, "video", 1), (2, "sentence", 0)):
        kept = star.encode(media, losses.KEPT[row].expand(3, 2))
        torch.testing.assert_close(kept, star.encode({medium: media[medium]}))
        torch.testing.assert_close(kept.view(3, 2, -1)[:, column], both[:, column])
        assert not kept.view(3, 2, -1)[:, 1 - column].any()


@pytest.mark.parametrize(
    ("variant", "phase", "expected"),
    [
        ("full", 0, (1, 0, 0)),
        ("full", 1, (0.5, 0.25, 0.25)),
        ("no-full-phase", 0, (0.5, 0.25, 0.25)),
        ("no-partial-phase", 1, (1, 0, 0)),
    ],
)
def test_media_are_kept_by_the_phases_chances(variant, phase, expected):
    ctx, _ = fit(variant=variant, phase=phase)
    kept = losses.draw_kept(replace(ctx, generator=torch.Generator().manual_seed(0)), 4000)
    shares = [(kept == row).all(1).float().mean().item() for row in losses.KEPT]
    assert shares == pytest.approx(expected, abs=0.03)


def relation(contents):
    rng = np.random.default_rng(0)
    rows = [
        example({"video": f"clip {i // 2}", "sentence": toy_sentence(rng, 3), "content": c}, name=str(i))
        for i, c in enumerate(contents)
    ]
    return Relation("captions", "train", {}, rows)


def test_what_is_told_and_drawn_is_another_of_the_same_content():
    source = relation("aaaabb")
    ctx, _ = fit(matches={"a": [0, 1, 2, 3], "b": [4, 5]})
    drawn = [METHOD.sample(source[0], source, ctx) for _ in range(60)]
    assert {d["said"] for d in drawn} == {source[i]["sentence"] for i in (1, 2, 3)}
    assert {d["shown"] for d in drawn} == {"clip 0", "clip 1"}
    assert all(d["sentence"] == source[0]["sentence"] for d in drawn)


def test_a_sentence_that_is_alone_is_its_own_match_and_tuning_to_frames_draws_the_clip_itself():
    source = relation("ab")
    ctx, _ = fit(matches={"a": [0], "b": [1]})
    assert METHOD.sample(source[0], source, ctx)["said"] == source[0]["sentence"]
    tuned, _ = fit("to-video", matches={"a": [0], "b": [1]})
    assert "shown" not in METHOD.sample(source[0], source, tuned).fields


def test_frames_are_compared_by_their_squared_euclidean_distance():
    drawn, true = torch.zeros(1, 2, 4), torch.tensor([[[3.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 1.0]]])
    assert losses.frame_loss(drawn, true).item() == pytest.approx((25 + 1) / 2)


def test_the_loss_is_equation_9():
    ctx, data = fit(video_weight=2.0, sentence_weight=3.0, prior_weight=0.5)
    terms = METHOD.training_step(built(ctx, data), training_batch(ctx), ctx)
    expected = 2 * terms["video"] + 3 * terms["sentence"] + 0.5 * terms["prior"]
    torch.testing.assert_close(terms["loss"].detach(), expected)


@pytest.mark.parametrize(
    ("term", "reached"),
    [
        ("sentence", {"encoders.sentence", "encoders.video", "latent", "decoders.sentence"}),
        ("video", {"encoders.sentence", "encoders.video", "latent", "decoders.video"}),
        ("prior", {"encoders.sentence", "encoders.video", "latent"}),
    ],
)
def test_each_term_reaches_its_own_side_of_the_star(term, reached):
    ctx, data = fit(frames="drawn")
    module = built(ctx, data)
    star = module.star("video", "video")
    losses.of_star(star, training_batch(ctx), ctx, data.assets["vocabulary"].index[PAD])[term].backward()
    touched = {n for n, p in star.named_parameters() if p.grad is not None and p.grad.any()}
    parts = {"latent" if n.startswith("latent") else ".".join(n.split(".")[:2]) for n in touched}
    assert parts == reached


def test_without_sharing_each_pair_of_media_has_parameters_of_its_own():
    ctx, data = fit(variant="s2s-vae")
    module = built(ctx, data)
    assert set(module.stars) == {f"{i}-to-{o}" for i in ("video", "sentence") for o in ("video", "sentence")}
    owners = [{id(p) for p in star.parameters()} for star in module.stars.values()]
    assert len(set.union(*owners)) == sum(map(len, owners))


@pytest.mark.parametrize("variant", ["full", "s2s-vae", "lstm"])
@pytest.mark.parametrize("asked", ASKED)
def test_a_prediction_does_not_change_with_its_batch_mates(asked, variant):
    ctx, data = fit(variant=variant, frames="drawn")
    module = built(ctx, data).eval()
    examples = asked_batch(ctx, ASKED[asked])
    together = METHOD.predict_step(module, collate(examples), ctx)
    for i, one in enumerate(examples):
        for name, value in METHOD.predict_step(module, collate([one]), ctx).items():
            if isinstance(value, list):
                assert value[0] == together[name][i]
            else:
                assert value.shape == (1, FRAMES - 1, *FRAME)
                torch.testing.assert_close(value[0], together[name][i])


@pytest.mark.parametrize(("frames", "words"), [(1, 0), (1, 1), (200, 60)])
@pytest.mark.parametrize("asked", ASKED)
def test_the_shortest_and_the_longest_inputs_are_borne(asked, frames, words):
    ctx, data = fit()
    module = built(ctx, data).eval()
    batch = collate(asked_batch(ctx, ASKED[asked], 2, frames, words))
    for value in METHOD.predict_step(module, batch, ctx).values():
        assert len(value) == 2


@pytest.mark.parametrize("variant", ["full", "s2s-vae", "lstm"])
def test_it_learns_a_toy(variant):
    ctx, data = fit(variant=variant)
    module, batch = built(ctx, data), training_batch(ctx)
    curve = toy_curve(METHOD, module, batch, ctx, steps=60, rate=1e-2)
    assert curve[-1]["sentence"] < 0.5 * curve[0]["sentence"]
    assert curve[-1]["video"] < 0.8 * curve[0]["video"]
