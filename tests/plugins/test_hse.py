"""HSE: encoders, losses and reconstruction against the equations; every row of its tables; padding; what is read."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from plugin_toys import SPACES, example, toy_context, toy_data, toy_fit, toy_sentence, toy_video

from reelbench import Clip, Relation, Vocabulary
from reelbench.batching import Batch, collate
from reelbench.errors import UsageError
from reelbench.plugins.hse import losses
from reelbench.plugins.hse.method import HSE, HSEConfig
from reelbench.plugins.hse.model import (
    Embedding,
    SequenceDecoder,
    SequenceEncoder,
    TowerDecoder,
    cosines,
    in_a_row,
)
from reelbench.plugins.hse.text import compose, label_ids, vectors_and_names
from reelbench.resolution import variants_of

METHOD = HSE()
SMALL = {"width": 6, "word": 5, "caption_word": 7, "caption_lstm": 8, "classifier_hidden": 9}
ROWS = sorted(set(variants_of(METHOD)) - {"fine-tuned"})
TASK = {"match": "retrieval", "caption": "captioning", "classify": "action_recognition"}


def fit(recipe="match", variant="full", preset="tiny", **changes):
    resolved = toy_fit(METHOD, recipe, variant, preset, **({} if preset == "paper" else SMALL) | changes)
    words = toy_data().assets["vocabulary"]
    rng = np.random.default_rng(0)
    data = toy_data(
        HSE.modalities,
        vectors=rng.normal(size=(len(words), resolved.config.word)).astype(np.float32),
        labels=label_ids([name.split() for name in SPACES["actions"]], words),
        caption_words=words,
    )
    return toy_context(resolved, recipe, data, phase=resolved.phases[-1], task=TASK[recipe])


def built(ctx):
    torch.manual_seed(0)
    return METHOD.build(ctx.data, ctx.config)


def story(rng, clips=3, sentences=None, frames=(2, 9), words=(1, 7)):
    return example(
        {
            "shown": [f"clip {rng.integers(1 << 30)}" for _ in range(clips)],
            "videos": [toy_video(rng, int(rng.integers(*frames))) for _ in range(clips)],
            "sentences": [toy_sentence(rng, int(rng.integers(*words))) for _ in range(sentences or clips)],
        },
        {},
    )


def clip(rng, recipe="caption"):
    fields = {"video": toy_video(rng, int(rng.integers(2, 12)))}
    if recipe == "caption":
        return example(fields | {"sentence": toy_sentence(rng, int(rng.integers(1, 6)))}, {})
    return example(fields, {"label": int(rng.integers(len(SPACES["actions"])))})


def training_batch(ctx, count=4, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        story(rng, int(n)) if ctx.recipe == "match" else clip(rng, ctx.recipe)
        for n in rng.integers(1, 5, count)
    ]
    return collate([METHOD.prepare(row, ctx) for row in rows])


@pytest.mark.parametrize(("recipe", "variant"), list(itertools.product(HSE.recipes, variants_of(METHOD))))
def test_every_row_of_the_tables_builds_and_every_parameter_that_is_not_frozen_learns(recipe, variant):
    ctx = fit(recipe, variant)
    module = built(ctx)
    loss = METHOD.training_step(module, training_batch(ctx), ctx)
    loss = loss["loss"] if isinstance(loss, dict) else loss
    loss.backward()
    assert torch.isfinite(loss)
    learning = {n: p for n, p in module.named_parameters() if not n.startswith(ctx.phase.frozen or ("-",))}
    idle = (
        {"video.parts.gru.weight_hh_l0"} if recipe == "caption" else set()
    )  # a video of one clip has no earlier state
    missed = {n for n, p in learning.items() if p.grad is None or not p.grad.abs().sum()}
    assert missed <= idle


@pytest.mark.parametrize("recipe", HSE.recipes)
def test_the_papers_size_is_the_released_codes(recipe):
    ctx = fit(recipe, preset="paper")
    with torch.device("meta"):
        module = METHOD.build(ctx.data, ctx.config)
    assert module.video.steps.gru.hidden_size == module.video.parts.gru.input_size == 1024
    assert [p.name for p in METHOD.recipes["match"].phases if p.epochs or p.steps] == ["match"]


def test_an_encoder_is_the_last_valid_state_of_a_gru():
    torch.manual_seed(0)
    encoder = SequenceEncoder(3, 4, "last", remember=1.0)
    x, h = torch.randn(1, 5, 3), torch.zeros(4)
    gru = encoder.gru
    for t in range(3):  # the recurrence of Chung et al., gate by gate
        inner = gru.weight_ih_l0 @ x[0, t] + gru.bias_ih_l0
        outer = gru.weight_hh_l0 @ h + gru.bias_hh_l0
        reset, update = (torch.sigmoid(inner[i : i + 4] + outer[i : i + 4]) for i in (0, 4))
        h = (1 - update) * torch.tanh(inner[8:] + reset * outer[8:]) + update * h
    torch.testing.assert_close(encoder(x, torch.tensor([[1, 1, 1, 0, 0]]).bool())[0], h)
    assert (gru.bias_hh_l0[4:8] == 1.0).all()


def test_the_released_readout_is_the_maximum_over_valid_states():
    torch.manual_seed(0)
    encoder, x, start = SequenceEncoder(3, 4, "max"), torch.randn(2, 5, 3), torch.randn(2, 4)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]).bool()
    states = encoder.gru(x, start[None])[0]
    torch.testing.assert_close(
        encoder(x, mask, start), torch.stack([states[0, :3].amax(0), states[1].amax(0)])
    )


def test_a_decoder_hears_its_vector_at_every_step():
    torch.manual_seed(0)
    decoder, vector = SequenceDecoder(4, 3), torch.randn(2, 4)
    hidden, steps = None, []
    for _ in range(3):
        out, hidden = decoder.gru(vector.unsqueeze(1), hidden)
        steps.append(decoder.read(out[:, 0]))
    torch.testing.assert_close(decoder(vector, 3), torch.stack(steps, 1))


def naive_match(left, right, margin):
    """Eq. 4 with its sign turned, term by term; ``left[k]`` and ``right[k]`` are a pair."""

    def cos(a, b):
        return float(a @ b / a.norm() / b.norm())

    return sum(
        max(0.0, margin - cos(left[k], right[k]) + cos(left[j], right[k]))
        + max(0.0, margin - cos(left[k], right[k]) + cos(left[k], right[j]))
        for k, j in itertools.permutations(range(len(left)), 2)
    )


def naive_cluster(rows, margin):
    return sum(
        max(0.0, margin - 1 + float(torch.cosine_similarity(rows[k], rows[j], dim=0)))
        for k, j in itertools.permutations(range(len(rows)), 2)
    )


def test_matching_and_clustering_are_equations_4_to_7_with_their_sign_turned():
    torch.manual_seed(0)
    v, p = torch.randn(5, 6), torch.randn(5, 6)
    others = ~torch.eye(5, dtype=torch.bool)
    got = losses.match(cosines(p, v), others, 0.3).item()
    assert got == pytest.approx(naive_match(v, p, 0.3), rel=1e-4)
    assert losses.cluster(v, others, 0.9).item() == pytest.approx(naive_cluster(v, 0.9), rel=1e-4)


def test_matched_pairs_cost_less_than_crossed_ones():
    v = torch.eye(3)
    others = ~torch.eye(3, dtype=torch.bool)
    assert losses.match(cosines(v, v), others, 0.2).item() == 0.0
    assert losses.match(cosines(v, v.roll(1, 0)), others, 0.2).item() > 1.0


def batch_of(shown, said, **fields):
    return Batch(tuple(map(str, range(len(shown)))), {"shown": shown, "said": said, **fields}, None)


def test_equal_clips_and_equal_sentences_are_no_negatives():
    batch = batch_of([["a", "b"], ["a"], ["c"]], [["he sings", "he runs"], ["she waves"], ["he sings"]])
    parts = losses.apart_parts(batch, torch.device("cpu"))
    assert parts.shown.int().tolist() == [[0, 1, 0, 1], [1, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 0]]
    assert parts.said.int().tolist() == [[0, 1, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 0]]
    assert parts.pairs.int().tolist() == [[0, 1, 0, 0], [1, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]]
    wholes = losses.apart_wholes(batch, torch.device("cpu"))
    assert wholes.pairs.equal(~torch.eye(3, dtype=torch.bool))  # other wholes, though they share parts


def test_no_loss_pushes_a_rendering_from_the_same_told_again():
    torch.manual_seed(0)
    rows = torch.randn(1, 4).expand(2, 4)
    video = text = Embedding(rows, rows, None)
    same, other = (batch_of([["a"], [shown]], [["he sings"], ["he runs"]]) for shown in ("a", "b"))
    for level in (losses.high_level, losses.low_level):
        assert level(video, text, same, HSEConfig()).item() == pytest.approx(
            0.4
        )  # the words differ: two texts
        assert level(video, text, other, HSEConfig()).item() == pytest.approx(
            1.6
        )  # 4 of 0.2 across, and both sides


def test_a_trained_story_says_what_its_clips_show_as_far_as_is_known():
    ctx = fit()
    ctx = replace(ctx, data=replace(ctx.data, assets={**ctx.data.assets, "contents": {"v 0.0 1.0": "x"}}))
    told = example({"videos": [Clip("v", 0.0, 1.0), Clip("v", 1.0, 2.0)], "sentences": [("a",), ("b",)]}, {})
    sampled = METHOD.sample(told, Relation("stories", "train", {}, [told]), ctx)
    assert sampled["shown"] == ["x", "v 1.0 2.0"]


def test_weak_matching_is_equations_13_and_14():
    torch.manual_seed(0)
    clips, sentences = [torch.randn(n, 4) for n in (2, 3, 1)], [torch.randn(n, 4) for n in (3, 1, 2)]

    def mean_match(i, j):  # Eq. 13
        return sum(float(torch.cosine_similarity(c, s, dim=0)) for c in clips[i] for s in sentences[j]) / (
            len(clips[i]) * len(sentences[j])
        )

    expected = sum(
        max(0.0, 0.5 - mean_match(k, k) + mean_match(j, k))
        + max(0.0, 0.5 - mean_match(k, k) + mean_match(k, j))
        for k, j in itertools.permutations(range(3), 2)
    )
    video, text = (Embedding(torch.zeros(3, 4), torch.cat(parts), None) for parts in (clips, sentences))
    frames, words = (there(map(len, parts)) for parts in (clips, sentences))
    names = [[f"{k} {i}" for i in range(len(part))] for k, part in enumerate(clips)]
    spoken = [[f"{k} {i}" for i in range(len(part))] for k, part in enumerate(sentences)]
    batch = batch_of(names, spoken, frames=frames, words=words)
    config = HSEConfig(low_level="weak", weak_beta=0.5, eta=-1.0)  # a margin of −1 leaves no clustering
    assert losses.low_level(video, text, batch, config).item() == pytest.approx(expected, rel=1e-4)


def there(lengths):
    """Padded wholes of so many parts of one step each."""
    return collate([example({"x": [np.zeros((1, 1), np.float32)] * n}) for n in lengths])["x"]


@pytest.mark.parametrize("normalise", [False, True])
def test_reconstruction_is_equation_10_or_the_released_mean(normalise):
    torch.manual_seed(0)
    config = HSEConfig(width=4, tau=0.5, tau_steps=0.1, normalise=normalise)
    decoder = TowerDecoder(3, config)
    mask = torch.zeros(2, 2, 3, dtype=torch.bool)
    mask[0, 0, :3], mask[0, 1, :1], mask[1, 0, :2] = True, True, True
    steps, whole, parts = torch.randn(2, 2, 3, 3), torch.randn(2, 4), torch.randn(3, 4)
    got = losses.reconstruct(decoder, Embedding(whole, parts, None), steps, mask, config).item()
    made = decoder.parts(whole, 2)
    far_parts, far_steps, means = [], [], []
    for number, (k, i) in enumerate([(0, 0), (0, 1), (1, 0)]):
        frames = decoder.steps(made[k, i][None], 3)[0]
        apart = [(frames[j] - steps[k, i, j]).square().sum().item() for j in range(int(mask[k, i].sum()))]
        far_parts.append((made[k, i] - parts[number]).square().sum().item())
        far_steps += apart
        means.append(np.mean(apart))
    expected = 0.5 * sum(far_parts) + 0.5 * sum(means)
    if normalise:
        expected = 0.5 * np.mean(np.sqrt(far_parts)) + 0.1 * np.mean(np.sqrt(far_steps))
    assert got == pytest.approx(expected, rel=1e-4)


def test_what_is_to_be_reconstructed_gets_no_gradient():
    ctx = fit()
    module, batch = built(ctx), training_batch(ctx)
    video = module.videos(batch["frames"])
    parts = video.parts.detach().requires_grad_()
    loss = losses.reconstruct(
        module.video_decoder,
        replace(video, parts=parts),
        module.standardise(batch["frames"].data),
        batch["frames"].mask,
        ctx.config,
    )
    loss.backward()
    assert parts.grad is None
    assert module.video.parts.gru.weight_hh_l0.grad.abs().sum() > 0


def test_the_total_is_equation_11():
    ctx = fit()
    named = METHOD.training_step(built(ctx), training_batch(ctx), ctx)
    assert set(named) == {"loss", "high", "low", "reconstruct"}
    torch.testing.assert_close(named["loss"], named["high"] + named["low"] + named["reconstruct"])


@pytest.mark.parametrize(
    ("variant", "terms"),
    [
        ("fse", {"high"}),
        ("tau-0-no-low-level", {"high"}),
        ("no-low-level", {"high", "reconstruct"}),
        ("tau-0-weak", {"high", "low"}),
    ],
)
def test_a_row_without_a_loss_has_none_of_its_parts(variant, terms):
    ctx = fit(variant=variant)
    module = built(ctx)
    assert set(METHOD.training_step(module, training_batch(ctx), ctx)) == {"loss", *terms}
    assert any("decoder" in name for name, _ in module.named_parameters()) == ("reconstruct" in terms)


def test_contexts_are_the_low_encoder_on_everything_and_start_the_high_one():
    ctx = fit(variant="as-released")
    module, batch = built(ctx), training_batch(ctx, 1)
    x, mask = module.standardise(batch["frames"].data), batch["frames"].mask
    every = torch.cat([x[0, i][mask[0, i]] for i in range(x.shape[1])])[None]
    got = module.videos(batch["frames"])
    torch.testing.assert_close(got.context, module.video.steps.gru(every)[0].amax(1))
    states = module.video.parts.gru(got.parts[None], got.context[None])[0]
    torch.testing.assert_close(got.whole, states.amax(1))


def test_the_flat_model_ignores_where_clips_end():
    ctx = fit(variant="fse")
    module, rng = built(ctx), np.random.default_rng(0)
    steps = rng.normal(size=(6, 13)).astype(np.float32)
    cuts = [[steps], [steps[:2], steps[2:]], [steps[:1], steps[1:5], steps[5:]]]
    got = [module.videos(collate([example({"x": cut})])["x"]).whole for cut in cuts]
    torch.testing.assert_close(got[0], got[1])
    torch.testing.assert_close(got[0], got[2])


def test_steps_in_a_row_keep_their_order():
    mask = torch.tensor([[[1, 1, 0], [1, 0, 0]], [[1, 1, 1], [0, 0, 0]]]).bool()
    x = torch.arange(12.0).view(2, 2, 3, 1)
    steps, valid = in_a_row(x, mask)
    assert [row[m].flatten().tolist() for row, m in zip(steps, valid, strict=True)] == [[0, 1, 3], [6, 7, 8]]


@pytest.mark.parametrize("variant", ROWS)
def test_padding_and_batch_mates_never_change_an_embedding(variant):
    ctx = fit(variant=variant)
    module, rng = built(ctx).eval(), np.random.default_rng(3)
    stories = [METHOD.prepare(story(rng, n), ctx) for n in (1, 4, 2)]
    batch = collate(stories)
    query, gallery = METHOD.encode_query(module, batch, ctx), METHOD.encode_gallery(module, batch, ctx)
    for i, one in enumerate(stories):
        alone = collate([one])
        torch.testing.assert_close(query[i], METHOD.encode_query(module, alone, ctx)[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            gallery[i], METHOD.encode_gallery(module, alone, ctx)[0], atol=1e-5, rtol=1e-4
        )
    assert METHOD.score(module, query, gallery, ctx).shape == (3, 3)


@pytest.mark.parametrize("variant", ["full", "fse", "as-released"])
def test_the_order_of_clips_counts(variant):
    ctx = fit(variant=variant)
    module, rng = built(ctx).eval(), np.random.default_rng(0)
    told = story(rng, 3)
    turned = told.with_fields(videos=told["videos"][::-1])
    v, w = (METHOD.encode_gallery(module, collate([METHOD.prepare(s, ctx)]), ctx) for s in (told, turned))
    assert (v - w).abs().max() > 1e-3


def test_a_gallery_video_is_cut_at_its_segments():
    ctx = fit(frame_step=2, min_frames=1, max_frames=3)
    video = toy_video(np.random.default_rng(0), 20)  # 4 rows a second
    prepared = METHOD.prepare(example({"video": video, "segments": np.array([[0.0, 0.5], [1.0, 5.0]])}), ctx)
    first, second = prepared["frames"]
    np.testing.assert_array_equal(first[:, :6], video["appearance"][:1])
    np.testing.assert_array_equal(second[:, :6], video["appearance"][[4, 9, 14]])


@pytest.mark.parametrize(("rows", "read"), [(2, 2), (9, 6), (24, 6), (32, 8), (200, 20)])
def test_one_frame_of_four_is_read_but_six_of_a_short_clip(rows, read):
    ctx = fit(frame_step=4, min_frames=6, max_frames=20)
    (frames,) = METHOD.prepare(example({"video": toy_video(np.random.default_rng(0), rows)}), ctx)["frames"]
    assert len(frames) == read


def test_a_composed_story_has_the_clips_of_one_video_in_order_and_one_caption_of_each():
    ctx = fit()
    starts = {"v": (0.0, 4.0, 9.0), "w": (0.0,)}
    rows = [
        example({"video": Clip(v, s, s + 1), "sentence": (v, str(s), str(n))}, {}, f"{v}{s}{n}")
        for n in range(2)
        for v, times in starts.items()
        for s in reversed(times)
    ]
    index = {"v": [[2, 6], [1, 5], [0, 4]], "w": [[3, 7]]}
    ctx = replace(ctx, data=replace(ctx.data, assets={**ctx.data.assets, "captions": index}))
    source = Relation("captions", "train", {}, rows)
    made = [compose(rows[0], source, replace(ctx, rng=np.random.default_rng(i))) for i in range(8)]
    assert all([c.start_s for c in m["videos"]] == [0.0, 4.0, 9.0] for m in made)
    assert all([s[:2] for s in m["sentences"]] == [("v", "0.0"), ("v", "4.0"), ("v", "9.0")] for m in made)
    assert len({tuple(s[2] for s in m["sentences"]) for m in made}) > 1


def test_actions_are_named_by_words_spelled_alike():
    vocabulary = Vocabulary.from_sentences([("walks", "left", "sings")])
    got = label_ids([("walk", "left"), ("sing",), ("give",)], vocabulary)
    assert [vocabulary.decode(ids) for ids in got] == [["walks", "left"], ["sings"], ["<unk>"]]


def test_published_vectors_bring_the_words_of_labels(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text("walk 1 2\nwalks 3 4\nother 5 6\n", encoding="utf-8")
    vocabulary = Vocabulary.from_sentences([("walks", "left")])
    extended, vectors = vectors_and_names(path, vocabulary, [["walk", "left"]], 2)
    assert extended.words == (*vocabulary.words, "walk")
    assert vectors[extended.index["walk"]].tolist() == [1, 2]
    assert vectors[extended.index["left"]].tolist() == [0, 0]
    with pytest.raises(UsageError, match="vectors of 2 numbers, but config 'word' of hse is 3"):
        vectors_and_names(path, vocabulary, [["walk"]], 3)


def test_zero_shot_scores_are_cosines_of_clips_with_names():
    ctx = fit()
    module, rng = built(ctx).eval(), np.random.default_rng(0)
    batch = collate([METHOD.prepare(clip(rng, "classify"), ctx) for _ in range(3)])
    scores = METHOD.predict_step(module, batch, ctx)["scores"]
    frames = batch["frames"]
    for i, ids in itertools.product(range(3), range(len(SPACES["actions"]))):
        c = module.video.steps.gru(
            module.standardise(frames.data[i : i + 1, 0][frames.mask[i : i + 1, 0]])[None]
        )[0][0, -1]
        s = module.text.steps.gru(module.embed(torch.from_numpy(ctx.data.assets["labels"][ids]))[None])[0][
            0, -1
        ]
        assert scores[i, ids].item() == pytest.approx(torch.cosine_similarity(c, s, dim=0).item(), abs=1e-5)


@pytest.mark.parametrize("variant", ["full", "fse"])
def test_captions_are_the_same_alone_and_in_a_batch(variant):
    ctx = fit("caption", variant)
    module, rng = built(ctx).eval(), np.random.default_rng(0)
    with torch.no_grad():  # so that captions differ without training
        for layer in (module.tell, module.say):
            layer.weight *= 20
    rows = [METHOD.prepare(clip(rng), ctx) for _ in range(4)]
    together = METHOD.predict_step(module, collate(rows), ctx)["caption"]
    assert together == [METHOD.predict_step(module, collate([r]), ctx)["caption"][0] for r in rows]
    assert len(set(together)) > 1


def test_the_captioner_steps_as_it_is_trained():
    ctx = fit("caption")
    module, batch = built(ctx).eval(), training_batch(ctx, 3)
    words = batch["caption"].data[:, :-1]
    taught, state = module(batch["frames"], words), module.begin(batch["frames"])
    for t in range(words.shape[1]):
        logits, state = module.step(words[:, t], state)
        torch.testing.assert_close(logits, taught[:, t], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("recipe", ["caption", "classify"])
def test_the_matched_encoder_stays_frozen_unless_it_is_fine_tuned(recipe):
    full = toy_fit(METHOD, recipe).phases[-1].frozen
    tuned = toy_fit(METHOD, "caption", "fine-tuned").phases[-1].frozen
    (matched,) = METHOD.upstream(toy_fit(METHOD, recipe).config, recipe)
    assert (full, tuned) == (("video",), ())
    assert matched.recipe == "match"
    assert set(matched.parameters.values()) == {"video"}
    assert METHOD.upstream(toy_fit(METHOD, "match").config, "match") == ()


@pytest.mark.parametrize(
    ("recipe", "variant"),
    [
        ("match", "full"),
        ("match", "fse"),
        ("match", "as-released"),
        ("caption", "full"),
        ("classify", "full"),
    ],
)
def test_it_learns_a_toy(recipe, variant):
    ctx = fit(recipe, variant, width=16, caption_lstm=16, classifier_hidden=16)
    module, batch = built(ctx), training_batch(ctx, 6)
    optimiser = torch.optim.Adam(module.parameters(), 1e-2)
    curve = []
    for _ in range(60):
        loss = METHOD.training_step(module, batch, ctx)
        loss = loss.get("high", loss["loss"]) if isinstance(loss, dict) else loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        curve.append(loss.item())
    assert curve[-1] < 0.5 * curve[0]


def test_one_frame_one_word_and_the_longest_are_borne():
    ctx = fit(max_frames=5, frame_step=1, max_words=4)
    module, rng = built(ctx).eval(), np.random.default_rng(0)
    edge = METHOD.prepare(story(rng, 1, frames=(1, 2), words=(1, 2)), ctx)
    long = METHOD.prepare(story(rng, 6, 3, frames=(30, 31), words=(20, 21)), ctx)
    assert edge["frames"][0].shape[0] == 1
    assert {len(f) for f in long["frames"]} == {5}
    assert {len(w) for w in long["words"]} == {4}
    unknown = METHOD.prepare(example({"sentences": [("zebra",), ()]}), ctx)
    assert [len(w) for w in unknown["words"]] == [1, 1]
    assert torch.isfinite(METHOD.encode_gallery(module, collate([edge, long]), ctx)).all()
    assert torch.isfinite(METHOD.encode_query(module, collate([unknown]), ctx)).all()


def test_the_captioner_begins_by_remembering_the_clip():
    lstm = built(fit("caption")).lstm
    for name, bias in lstm.named_parameters():
        if name.startswith("bias_ih"):
            assert bias.view(4, -1).mean(1).tolist() == [0.0, 1.0, 0.0, 0.0]  # input, forget, cell, output
