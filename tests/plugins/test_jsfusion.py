"""JSFusion: equations on small cases, masks, ablations, recipes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from plugin_toys import example, toy_context, toy_data, toy_fit, toy_losses, toy_sentence, toy_video

from reelbench import Relation, collate
from reelbench.plugins.jsfusion.method import JSFusion, JSFusionConfig, LayerSizes
from reelbench.plugins.jsfusion.model import (
    HierarchicalDecoder,
    JointSemanticTensor,
    linear_of_products,
    score_all,
)
from reelbench.plugins.layers.ranking import ranking_hinges
from reelbench.resolution import variants_of

METHOD = JSFusion()
SMALL = LayerSizes(joint=4, attention=5, fusion=6, conv=3, decision=(4, 4, 4))
EVERY_FIT = [(recipe, variant) for recipe in JSFusion.recipes for variant in variants_of(METHOD)]
TRAININGS = [("match", "full"), ("match", "choice-batches"), ("fill", "full")]


def fit(recipe="match", variant="full", preset="tiny", **overrides):
    resolved = toy_fit(METHOD, recipe, variant, preset, **overrides)
    data = toy_data(METHOD.features(resolved.config, recipe))
    return toy_context(resolved, recipe, data, phase=resolved.phases[0]), data


def built(ctx, data):
    torch.manual_seed(0)
    return METHOD.build(data, ctx.config)


def training_batch(ctx, count=6, seed=0):
    rng = np.random.default_rng(seed)
    return collate([METHOD.prepare(training_example(ctx.phase.relation, rng, i), ctx) for i in range(count)])


def training_example(relation, rng, number):
    fields = {"video": toy_video(rng, int(rng.integers(2, 14)))}
    if relation == "choices":
        choices = [toy_sentence(rng, int(rng.integers(1, 9))) for _ in range(5)]
        return example(fields | {"choices": choices}, {"answer": int(rng.integers(5))})
    sentence = toy_sentence(rng, int(rng.integers(2, 9)))
    if relation == "blanks":
        return example(
            fields | {"sentence": (*sentence[:-1], "_____"), "blank": len(sentence) - 1}, {"answer": "ball"}
        )
    return example(fields | {"sentence": sentence, "content": str(number)}, {})


@pytest.mark.parametrize(("recipe", "variant"), EVERY_FIT)
def test_every_ablation_builds_and_takes_a_step(recipe, variant):
    ctx, data = fit(recipe, variant)
    module = built(ctx, data)
    loss = METHOD.training_step(module, training_batch(ctx), ctx)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in module.parameters())


@pytest.mark.parametrize(("recipe", "variant"), EVERY_FIT)
def test_every_ablation_builds_at_the_papers_size(recipe, variant):
    ctx, data = fit(recipe, variant, "paper")
    with torch.device("meta"):
        module = METHOD.build(data, ctx.config)
    assert module.d8.in_features == (1024 if recipe == "fill" else 128)


def test_the_tensor_is_equation_5_2_and_5_3():
    torch.manual_seed(0)
    tensor = JointSemanticTensor(SMALL, 0.5).eval()
    video, words = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    got = tensor(video, words, torch.ones(2, 3, 5, dtype=torch.bool)).detach().numpy()

    def dense(layer, x):
        return np.tanh((layer.linear.weight.detach().numpy() @ x) / np.sqrt(1 + 1e-5))

    for p, n, m in np.ndindex(2, 3, 5):
        t = video[p, n].numpy() * words[p, m].numpy()
        alpha = 1 / (1 + np.exp(-tensor.w.weight.detach().numpy() @ dense(tensor.d2, t)))
        np.testing.assert_allclose(got[p, n, m], alpha * dense(tensor.d4, dense(tensor.d3, t)), atol=1e-5)


@pytest.mark.parametrize("rows", [2, 9])
def test_a_linear_map_of_products_needs_no_products(rows):
    torch.manual_seed(0)
    left, right, weight = torch.randn(rows, 4), torch.randn(3, 4), torch.randn(5, 4)
    expected = (left.unsqueeze(1) * right) @ weight.T  # (N, M, outputs)
    torch.testing.assert_close(linear_of_products(left, right, weight), expected.flatten(0, 1))


def test_the_decoder_is_equation_5_4_on_a_full_grid():
    torch.manual_seed(0)
    decoder = HierarchicalDecoder(SMALL, JSFusionConfig())
    joint = torch.randn(2, 11, 9, 6)
    full = torch.tensor([11, 11]), torch.tensor([9, 9])
    expected = joint.permute(0, 3, 1, 2)
    for stage in decoder.stages:
        expected = stage.conv(expected) * torch.sigmoid(stage.gate(expected))
    torch.testing.assert_close(decoder(joint, *full), expected.mean((2, 3)))


def test_lstm_fusion_is_the_product_of_final_states():
    ctx, data = fit(variant="lstm-fusion")
    module = built(ctx, data).eval()
    x, ids, seen, said = torch.randn(1, 4, data.dim()), torch.randint(5, 16, (1, 3)), mask(4, 4), mask(3, 3)
    last = module.video.d1(module.video.context(module.standardise(x), seen)[:, -1]) * module.words.d1(
        module.words.context(module.embed(ids), said)[:, -1]
    )
    got = module.score(module.encode_video(x, seen), seen, module.encode_sentence(ids, said), said)
    torch.testing.assert_close(got, module.d8(module.decision(last)).squeeze(1))


def test_forty_by_forty_cells_become_seventeen_by_seventeen():
    lengths = torch.tensor([40])
    for stage in HierarchicalDecoder(SMALL, JSFusionConfig()).stages:
        lengths = stage.lengths(lengths)
    assert lengths.item() == 17


def test_hinges_leave_the_answer_out():
    scores = torch.tensor([[1.0, 0.5, 3.0], [0.0, 2.0, 1.5]])
    hinges = ranking_hinges(scores, torch.tensor([0, 1]), 1.0)
    torch.testing.assert_close(hinges, torch.tensor([[0.0, 0.5, 3.0], [0.0, 0.0, 0.5]]))


@settings(max_examples=25)
@given(
    st.integers(1, 12),
    st.integers(1, 14),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from(sorted(variants_of(METHOD))),
)
def test_padding_never_changes_a_score(frames, words, more_frames, more_words, variant):
    ctx, data = fit(variant=variant)
    module = built(ctx, data).eval()
    x, ids = torch.randn(1, frames, data.dim()), torch.randint(5, 16, (1, words))
    padded_x, padded_ids = (
        torch.randn(1, frames + more_frames, data.dim()),
        torch.randint(0, 16, (1, words + more_words)),
    )
    padded_x[:, :frames], padded_ids[:, :words] = x, ids
    got = [
        score_all(module, module.encode_video(v, vm), vm, module.encode_sentence(s, sm), sm)
        for v, vm, s, sm in [
            (x, mask(frames, frames), ids, mask(words, words)),
            (padded_x, mask(frames, frames + more_frames), padded_ids, mask(words, words + more_words)),
        ]
    ]
    torch.testing.assert_close(got[0], got[1], atol=1e-5, rtol=1e-4)


def mask(valid, length):
    return (torch.arange(length) < valid)[None]


@pytest.mark.parametrize("variant", sorted(variants_of(METHOD)))
def test_all_against_all_scores_as_pair_by_pair(variant):
    ctx, data = fit(variant=variant)
    module, videos = built(ctx, data).eval(), 4
    rng = np.random.default_rng(0)
    examples = [training_example("captions", rng, i) for i in range(videos)]
    batch = collate([METHOD.prepare(e, ctx) for e in examples])
    frames, words = batch["frames"], batch["sentence"]
    seen, said = module.encode_video(frames.data, frames.mask), module.encode_sentence(words.data, words.mask)
    got = score_all(module, seen, frames.mask, said[:3], words.mask[:3])
    for s, v in np.ndindex(3, videos):
        pair = module.score(seen[v][None], frames.mask[v][None], said[s][None], words.mask[s][None])
        torch.testing.assert_close(got[s, v], pair[0], atol=1e-5, rtol=1e-4)


def test_a_query_scores_the_same_alone_and_in_a_batch():
    ctx, data = fit()
    module = built(ctx, data).eval()
    rng = np.random.default_rng(1)
    queries = [METHOD.prepare(example({"query": toy_sentence(rng, n)}), ctx) for n in (3, 8, 5)]
    videos = collate([METHOD.prepare(example({"video": toy_video(rng, n)}), ctx) for n in (4, 20, 9)])
    gallery = METHOD.encode_gallery(module, videos, ctx)
    together = METHOD.score(module, METHOD.encode_query(module, collate(queries), ctx), gallery, ctx)
    alone = [
        METHOD.score(module, METHOD.encode_query(module, collate([q]), ctx), gallery, ctx) for q in queries
    ]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)
    assert together.shape == (3, 3)


def test_two_renderings_of_a_script_are_no_negatives():
    ctx, data = fit()
    module = built(ctx, data)
    batch = training_batch(ctx, 4)
    batch.fields["content"][:] = ["same"] * 4
    assert METHOD.training_step(module, batch, ctx).item() == 0.0


def test_released_scores_have_the_variance_of_batch_norm_whatever_is_learnt():
    ctx, data = fit(variant="as-released")
    module = built(ctx, data)
    x, ids = torch.randn(8, 4, data.dim()), torch.randint(5, 16, (8, 3))
    seen, said = torch.ones(8, 4).bool(), torch.ones(8, 3).bool()
    with torch.no_grad():
        module.d8.weight *= 100
        scores = score_all(
            module, module.encode_video(x, seen), seen, module.encode_sentence(ids, said), said
        )
    assert not list(module.last.parameters())
    assert scores.std(unbiased=False).item() == pytest.approx(1.0, abs=1e-3)


def test_five_random_sentences_join_the_choices():
    ctx, _ = fit(variant="choice-batches")
    rng = np.random.default_rng(0)
    questions = [training_example("choices", rng, i) for i in range(4)]
    sampled = METHOD.sample(questions[0], Relation("choices", "train", {}, questions), ctx)
    right = {q["choices"][q.targets["answer"]] for q in questions}
    assert sampled["choices"][:5] == questions[0]["choices"]
    assert len(sampled["choices"]) == 10
    assert set(sampled["choices"][5:]) <= right - {questions[0]["choices"][questions[0].targets["answer"]]}


def test_a_blank_outside_the_vocabulary_teaches_nothing():
    ctx, data = fit("fill")
    rng = np.random.default_rng(0)
    unknown = training_example("blanks", rng, 0).with_targets(answer="zebra")
    batch = collate([METHOD.prepare(unknown, ctx), METHOD.prepare(unknown, ctx)])
    assert METHOD.training_step(built(ctx, data), batch, ctx).item() == 0.0


def test_predictions_have_one_score_a_choice_and_a_word():
    for recipe, variant, width in (("match", "choice-batches", 5), ("fill", "full", 3)):
        ctx, data = fit(recipe, variant)
        scores = METHOD.predict_step(built(ctx, data).eval(), training_batch(ctx, 3), ctx)["scores"]
        assert scores.shape == (3, width)


@pytest.mark.parametrize(("recipe", "variant"), TRAININGS)
def test_it_learns_a_toy(recipe, variant):
    ctx, data = fit(recipe, variant, match_dropout=0.0, blank_dropout=0.0)
    module, batch = built(ctx, data), training_batch(ctx, 8)
    losses = toy_losses(METHOD, module, batch, ctx, steps=30, rate=3e-3)
    assert losses[-1] < 0.5 * losses[0]


def test_a_last_batch_of_one_pair_is_borne():
    ctx, data = fit()
    assert METHOD.training_step(built(ctx, data), training_batch(ctx, 1), ctx).item() == 0.0
