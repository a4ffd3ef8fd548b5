"""TAPM: the coherence loss on small cases, generators step by step, masks, ablations, what trains what."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
import torch
from plugin_toys import example, toy_context, toy_data, toy_fit, toy_losses, toy_sentence, toy_video

from reelbench import Clip, Example, Relation, collate
from reelbench.errors import SkippedPair
from reelbench.plugins.layers.sentence_search import SentenceSearch
from reelbench.plugins.tapm import losses
from reelbench.plugins.tapm.coherence import Coherence, ReleasedCoherence
from reelbench.plugins.tapm.examples import consecutive, with_neighbours
from reelbench.plugins.tapm.generators import QuasiRecurrence, build_generator
from reelbench.plugins.tapm.method import TAPM, TAPMConfig
from reelbench.plugins.tapm.model import VisualEncoder
from reelbench.resolution import variants_of
from reelbench.training.optim import freeze

METHOD = TAPM()
VARIANTS = [v for v in variants_of(METHOD) if v != "gpt2"]
SMALL = TAPMConfig(generator="transformer", pretraining="none", width=8, layers=2, recurrent_layers=2, heads=2, seen=8, dropout=0.0, output_dropout=0.0, max_words=12)  # fmt: skip
KINDS = ["transformer", "lstm", "qrnn", pytest.param("gpt2", marks=pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="no transformers"))]  # fmt: skip


def fit(recipe="stories", variant="full", phase=-1, **overrides):
    small = {"width": 16, "seen": 8, "layers": 1, "heads": 2, "segments": 3} | overrides
    resolved = toy_fit(METHOD, recipe, variant, **small)
    data = toy_data(METHOD.features(resolved.config, recipe))
    return toy_context(resolved, recipe, data, phase=resolved.phases[phase], task="storytelling"), data


def built(ctx, data):
    torch.manual_seed(0)
    return METHOD.build(data, ctx.config)


def story(rng, clips, *, told=True):
    videos = [toy_video(rng, int(rng.integers(1, 9))) for _ in range(clips)]
    sentences = [toy_sentence(rng, int(rng.integers(0, 6))) for _ in range(clips)]
    return example({"videos": videos} | ({"sentences": sentences} if told else {}))


def training_batch(ctx, sizes=(3, 5, 1)):
    rng = np.random.default_rng(0)
    if ctx.recipe == "language":
        texts = [example({"sentences": [toy_sentence(rng, 4) for _ in range(n)]}) for n in sizes]
        return collate([METHOD.prepare(t, ctx) for t in texts])
    if ctx.recipe == "captions":
        clips = [
            {"video": toy_video(rng, 4), "sentence": toy_sentence(rng, 3), "content": str(n % 2)}
            for n in sizes
        ]
        return collate([METHOD.prepare(example(c), ctx) for c in clips])
    return collate([METHOD.prepare(story(rng, n), ctx) for n in sizes])


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("recipe", TAPM.recipes)
def test_every_variant_takes_a_step_that_reaches_every_parameter(recipe, variant):
    ctx, data = fit(recipe, variant)
    module, reached = built(ctx, data), set()
    for phase in toy_fit(METHOD, recipe, variant).phases:
        module.zero_grad(set_to_none=True)
        freeze(module, phase.frozen, frozenset(n for n, _ in module.named_parameters()))
        step = METHOD.training_step(module, training_batch(ctx), replace(ctx, phase=phase))
        loss = step if isinstance(step, torch.Tensor) else step["loss"]
        loss.backward()
        assert torch.isfinite(loss)
        reached |= {n for n, p in module.named_parameters() if p.grad is not None}
    assert reached == {n for n, _ in module.named_parameters()}


def test_a_story_is_learnt_by_heart():
    ctx, data = fit(width=32, dropout=0.0)
    module, rng = built(ctx, data), np.random.default_rng(0)
    learnt = story(rng, 4)
    batch = collate([METHOD.prepare(learnt, ctx)])
    losses_seen = toy_losses(METHOD, module, batch, ctx, steps=120, rate=1e-2)
    assert losses_seen[-1] < 0.05 * losses_seen[0]
    seen = replace(ctx, phase=None, training=False)
    shown = METHOD.prepare(example({"videos": learnt["videos"]}), seen)
    (found,) = METHOD.predict_step(module.eval(), collate([shown]), seen)["captions"]
    assert found == [" ".join(s) for s in learnt["sentences"]]


def test_adaptation_teaches_the_encoder_through_a_generator_that_stays():
    ctx, data = fit(phase=0)
    module = built(ctx, data)
    freeze(module, ctx.phase.frozen, frozenset(n for n, _ in module.named_parameters()))
    METHOD.training_step(module, training_batch(ctx), ctx)["loss"].backward()
    assert all(p.grad is None for p in module.generator.parameters())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.encoder.see.parameters())


def test_visual_adaptation_leaves_the_generator_out():
    ctx, data = fit(variant="visual-adaptation", phase=0)
    module = built(ctx, data)
    METHOD.training_step(module, training_batch(ctx), ctx)["loss"].backward()
    assert all(p.grad is None for p in module.generator.parameters())


def test_the_released_text_side_carries_no_gradient():
    ctx, data = fit(variant="as-released", phase=0)
    module = built(ctx, data)
    shown, told = module.represent(module.see(training_batch(ctx)["segments"]), None)
    assert shown.requires_grad
    assert not told.requires_grad


def cosine(a, b):
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_coherence_is_equation_7_3():
    torch.manual_seed(0)
    loss = Coherence(4, (-1, 0, 1))
    visual, text = torch.randn(2, 4, 4), torch.randn(2, 4, 4)
    valid = torch.tensor([[True] * 4, [True, True, False, False]])
    expected = 0.0
    for b, count in ((0, 4), (1, 2)):
        for i in range(count):
            for shift, f in zip((-1, 0, 1), loss.project, strict=True):
                if not 0 <= i + shift < count:
                    continue
                told = f(text[b, i]).detach().numpy()
                right = cosine(visual[b, i + shift].numpy(), told)
                others = [j for j in range(count) if j != i + shift]
                expected += sum(max(0.0, 1 + cosine(visual[b, j].numpy(), told) - right) for j in others)
    apart = ~torch.eye(4, dtype=torch.bool).expand(2, -1, -1)
    assert loss(visual, text, valid, apart).item() == pytest.approx(expected / 6, rel=1e-5)


def test_single_clips_of_equal_content_are_no_negatives():
    loss = Coherence(4, (0,))
    visual, text, valid = torch.randn(1, 2, 4), torch.randn(1, 2, 4), torch.ones(1, 2, dtype=torch.bool)
    assert float(loss(visual, text, valid, torch.zeros(1, 2, 2, dtype=torch.bool))) == 0
    assert float(loss(visual, text, valid, ~torch.eye(2, dtype=torch.bool)[None])) > 0


def test_the_released_coherence_goes_round_in_a_ring():
    torch.manual_seed(0)
    loss, valid = ReleasedCoherence(4, (-1, 0, 1)), torch.ones(1, 5, dtype=torch.bool)
    visual, text = torch.randn(1, 5, 4), torch.randn(1, 5, 4)
    told, expected = text[0] / text[0].norm(dim=0), 0.0
    for shift, f in zip((-1, 0, 1), loss.project, strict=True):
        shown = f(visual[0])
        shown = shown / shown.norm(dim=0)
        score = lambda i, j, shown=shown: float((told[i] * shown[j]).sum().detach())  # noqa: E731
        hinges = []
        for i in range(5):
            for k in range(5):
                if k == i or (shift and (k + shift - i) % 5 == (2 * shift) % 5):
                    continue
                wrong = score(i, (k + shift) % 5)
                hinges += [
                    max(0.0, 1 + wrong - score(i, (i + shift) % 5))
                    + max(0.0, 1 + wrong - score(k, (k + shift) % 5))
                ]
        expected += np.mean(hinges)
    apart = ~torch.eye(5, dtype=torch.bool)[None]
    assert float(loss(visual, text, valid, apart)) == pytest.approx(expected, rel=1e-4)


def test_neighbours_stand_before_a_clips_own_segments():
    torch.manual_seed(0)
    encoder = VisualEncoder(5, 8, SMALL)
    segments = torch.randn(2, 3, 4, 5)
    valid = torch.tensor([[True, True, True], [True, False, False]])
    got = encoder(segments, valid)  # (4, 6, 8)
    own = [encoder.attention(encoder.blocks(encoder.see(s[None])))[0] for s in (*segments[0], segments[1, 0])]
    torch.testing.assert_close(got[:, 2:], torch.stack(own))
    nothing = torch.zeros(8)
    before = [nothing, own[0].mean(0), own[1].mean(0), nothing]
    after = [own[1].mean(0), own[2].mean(0), nothing, nothing]
    torch.testing.assert_close(got[:, 0], torch.stack(before))
    torch.testing.assert_close(got[:, 1], torch.stack(after))


@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_with_memory_says_what_it_says_at_once(kind):
    torch.manual_seed(0)
    generator = build_generator(SMALL.model_copy(update={"generator": kind}), 20).eval()
    x, places = torch.randn(3, 7, 8), torch.arange(-2, 5).clamp_min(0)[None]
    whole, _ = generator(x, places)
    parts, memory = generator(x[:, :3], places[:, :3])
    outputs = [parts]
    for step in range(3, 7):
        part, memory = generator(x[:, step : step + 1], places[:, step : step + 1], memory)
        outputs.append(part)
    torch.testing.assert_close(torch.cat(outputs, 1), whole, atol=1e-5, rtol=1e-4)
    changed, _ = generator(torch.cat([x[:, :4], torch.randn(3, 3, 8)], 1), places)
    torch.testing.assert_close(changed[:, :4], whole[:, :4], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(changed[:, 4:], whole[:, 4:])


def test_words_are_scored_by_their_embeddings():
    generator = build_generator(SMALL, 20)
    outputs = torch.randn(2, 8)
    torch.testing.assert_close(generator.logits(outputs)[:, 3], outputs @ generator.embed(torch.tensor(3)))


def test_a_quasi_recurrence_is_a_gated_mean_of_new_values():
    torch.manual_seed(0)
    layer, x = QuasiRecurrence(3), torch.randn(1, 4, 3)
    got, (last, cell) = layer(x, None)
    weight, bias = layer.gates.weight.detach().numpy(), layer.gates.bias.detach().numpy()
    before, c = np.zeros(3), np.zeros(3)
    for t, now in enumerate(x[0].numpy()):
        z, f, o = np.split(weight @ np.concatenate([before, now]) + bias, 3)
        f, o = 1 / (1 + np.exp(-f)), 1 / (1 + np.exp(-o))
        c = f * c + (1 - f) * np.tanh(z)
        np.testing.assert_allclose(got[0, t].detach().numpy(), o * c, atol=1e-6)
        before = now
    np.testing.assert_allclose(cell[0].detach().numpy(), c, atol=1e-6)
    torch.testing.assert_close(last, x[:, -1])


def test_sides_are_read_at_visual_tokens_and_at_the_dummy():
    ctx, data = fit()
    module = built(ctx, data).eval()
    visual = module.see(training_batch(ctx)["segments"])
    words = torch.randint(5, 10, (len(visual), 4))
    words[:, 0] = module.tokens.start
    outputs, seen = module.read(visual, words), visual.shape[1]
    shown, told = module.represent(visual, None)
    torch.testing.assert_close(shown, outputs[:, :seen].mean(1))
    torch.testing.assert_close(told, outputs[:, seen + 1])
    words[0, 2:] = module.tokens.pad
    captioned = module.represent(visual, words)[1]
    torch.testing.assert_close(captioned[0], module.read(visual, words)[0, seen + 2])
    torch.testing.assert_close(captioned[1], outputs[1, seen + 2 :].mean(0))


@pytest.mark.parametrize("generator", ["transformer", "lstm", "qrnn"])
def test_greedy_speech_takes_the_best_next_word_of_the_whole_sentence_so_far(generator):
    ctx, data = fit(generator=generator)
    module = built(ctx, data).eval()
    for name, parameter in module.generator.named_parameters():
        parameter.data.mul_(10 if name == "words.weight" else 4)  # so that sentences differ from clip to clip
    visual = 10 * torch.randn(6, 5, 16)
    expected = []
    for row in visual:
        said = [module.tokens.start]
        while len(said) <= 6:
            outputs = module.read(row[None], torch.tensor([said]))
            said.append(int(module.generator.logits(outputs[0, -1]).argmax()))
        stop = said.index(module.tokens.end) if module.tokens.end in said else None
        expected.append(module.tokens.decode(said[1:stop]))
    assert module.speak(visual, SentenceSearch(beam=1, max_words=6)) == expected
    assert len(set(expected)) > 1


@pytest.mark.parametrize("kind", ["lstm", "qrnn"])
def test_a_clip_still_counts_at_the_end_of_a_sentence_before_anything_is_learnt(kind):
    """By gradients, beside the last word; torch's own first weights leave a hundred-thousandth of it after twenty."""
    torch.manual_seed(0)
    config = SMALL.model_copy(update={"generator": kind, "width": 64, "recurrent_layers": 1})
    generator = build_generator(config, 50)
    words = generator.embed(torch.randint(50, (1, 20)))
    x = torch.cat([torch.randn(1, 1, 64), words], 1).detach().requires_grad_()
    outputs, _ = generator(x, torch.zeros(1, 21, dtype=torch.long))
    (gradient,) = torch.autograd.grad(outputs[0, -1].norm(), x)
    assert gradient[0, 0].norm() > 0.1 * gradient[0, -1].norm()


@pytest.mark.parametrize(("variant", "width"), [("full", 5), ("greedy", 1)])
def test_a_story_is_told_alike_among_others(variant, width):
    ctx, data = fit("stories", variant)
    ctx = replace(ctx, phase=None, training=False)
    assert ctx.settings.beam == width
    module = built(ctx, data).eval()
    rng = np.random.default_rng(1)
    stories = [METHOD.prepare(story(rng, n, told=False), ctx) for n in (5, 1, 3)]
    together = METHOD.predict_step(module, collate(stories), ctx)["captions"]
    alone = [METHOD.predict_step(module, collate([s]), ctx)["captions"][0] for s in stories]
    assert together == alone
    assert [len(s) for s in together] == [5, 1, 3]


def test_a_story_fit_captions_a_single_clip():
    ctx, data = fit()
    ctx = replace(ctx, phase=None, training=False, task="captioning")
    clip = METHOD.prepare(example({"video": toy_video(np.random.default_rng(0), 1)}), ctx)
    (caption,) = METHOD.predict_step(built(ctx, data).eval(), collate([clip]), ctx)["caption"]
    assert isinstance(caption, str)


def test_padding_of_stories_and_words_changes_no_loss():
    ctx, data = fit(variant="joint")
    module = built(ctx, data).eval()
    rng = np.random.default_rng(2)
    stories = [METHOD.prepare(story(rng, n), ctx) for n in (5, 2)]
    together = losses.of_videos(module, collate(stories), ctx)
    parts = [losses.of_videos(module, collate([s]), ctx) for s in stories]
    clips = np.asarray([5, 2])
    said = np.asarray([sum(len(w) - 1 for w in s["words"]) for s in stories])
    for name, weight in (("coherence", clips), ("words", said)):
        mean = sum(float(p[name]) * w for p, w in zip(parts, weight, strict=True)) / weight.sum()
        assert float(together[name]) == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize("variant", ["full", "caption-side"])
def test_padding_of_stories_and_words_changes_no_coherence(variant):
    ctx, data = fit(variant=variant, phase=0)
    assert ctx.phase.losses == ("coherence",)
    module = built(ctx, data).eval()
    rng = np.random.default_rng(2)
    stories = [METHOD.prepare(story(rng, n), ctx) for n in (5, 2)]
    together = losses.of_videos(module, collate(stories), ctx)["coherence"]
    parts = [float(losses.of_videos(module, collate([s]), ctx)["coherence"]) for s in stories]
    assert float(together) == pytest.approx((5 * parts[0] + 2 * parts[1]) / 7, rel=1e-4)


def test_joint_training_weighs_words_as_equation_7_4_which_is_a_sum_over_words():
    ctx, data = fit(variant="joint")
    module = built(ctx, data).eval()
    batch = training_batch(ctx)
    parts = losses.of_videos(module, batch, ctx)
    visual, said = module.see(batch["segments"]), batch["words"].data[batch["words"].mask[:, :, 0]]
    outputs = module.read(visual, said[:, :-1])[:, visual.shape[1] + 1 :]
    scores = module.generator.logits(outputs).log_softmax(-1).gather(2, said[:, 1:, None])[..., 0]
    of_sentences = -(scores * (said[:, 1:] != module.tokens.pad)).sum(1)
    assert float(parts["loss"] - parts["coherence"]) == pytest.approx(float(of_sentences.mean()), rel=1e-4)


def unlabelled(captions):
    clips = [Example(f"{v}-{k}", {"video": Clip(v, 6.0 * k, 6.0 * k + 6)}, {"caption": f"{v} {k}"} if captions else None) for v, k in (("a", 1), ("b", 0), ("a", 0))]  # fmt: skip
    return Relation("clips", "unlabelled", {}, clips)


def test_unlabelled_clips_are_found_among_their_neighbours():
    clips = unlabelled(captions=False)
    assert consecutive(clips) == {"a-1": [2, 0], "b-0": [1], "a-0": [2, 0]}
    assert [v.start_s for v in with_neighbours(clips, [2, 0])["videos"]] == [0.0, 6.0]


def test_captions_of_another_fit_are_told_in_order():
    ctx, _ = fit()
    made = with_neighbours(unlabelled(captions=True), [2, 0])
    assert made.targets == {"captions": ["a 0", "a 1"]}
    rng = np.random.default_rng(0)
    shown = made.with_fields(videos=[toy_video(rng, 3), toy_video(rng, 3)])
    words = METHOD.prepare(replace(shown, targets={"captions": ["a man runs", "left"]}), ctx)["words"]
    index = ctx.data.assets["vocabulary"].index
    assert [w.tolist() for w in words] == [
        [1, index["a"], index["man"], index["runs"], 2],
        [1, index["left"], 2],
    ]


@pytest.mark.parametrize("variant", ["full", "joint", "no-adaptation", "more-videos", "as-released"])
def test_ablations_start_from_one_generator(variant):
    config = toy_fit(METHOD, "stories", variant).config
    (up,) = METHOD.upstream(config, "stories")
    assert (up.recipe, up.variant, up.shared, up.assets) == ("language", "full", True, ("vocabulary",))


@pytest.mark.parametrize("variant", ["scratch", "lstm-scratch", "qrnn-scratch"])
def test_scratch_starts_from_nothing(variant):
    assert METHOD.upstream(toy_fit(METHOD, "stories", variant).config, "stories") == []


def test_gpt2_without_its_library_is_left_out_with_a_reason(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SkippedPair, match=r"pip install 'reelbench\[language\]'"):
        METHOD.upstream(toy_fit(METHOD, "stories", "gpt2").config, "stories")


@pytest.fixture
def checkpoint(tmp_path):
    """A two-layer GPT-2 with byte pairs of its own, as a folder."""
    transformers, tokenizers = pytest.importorskip("transformers"), pytest.importorskip("tokenizers")
    pairs = tokenizers.ByteLevelBPETokenizer()
    pairs.train_from_iterator(["____ ________ a man walks left", "________"] * 3, vocab_size=300, min_frequency=1, special_tokens=["<|endoftext|>"])  # fmt: skip
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=pairs._tokenizer, eos_token="<|endoftext|>")
    fast.save_pretrained(tmp_path)
    size = transformers.GPT2Config(vocab_size=len(fast), n_positions=40, n_embd=12, n_layer=2, n_head=2)
    transformers.GPT2Model(size).save_pretrained(tmp_path)
    return str(tmp_path)


def test_a_gpt2_checkpoint_tells_in_byte_pairs(checkpoint):
    ctx, data = fit("stories", "gpt2", pretraining="checkpoint", checkpoint=checkpoint)
    module = built(ctx, data)
    transformers = pytest.importorskip("transformers")
    published = transformers.GPT2Model.from_pretrained(checkpoint)
    torch.testing.assert_close(module.generator.embed(torch.arange(5)), published.wte(torch.arange(5)))
    assert module.encoder.see[1][0].out_features == 12
    tokens = module.tokens
    ids = tokens.encode(("a", "man", "walks"), 20)
    assert (ids[0], ids[-1]) == (tokens.start, tokens.end)
    assert len({tokens.start, tokens.end, tokens.pad}) == 3
    assert tokens.decode(ids.tolist()) == "a man walks"
    METHOD.training_step(module, training_batch(ctx), ctx)["loss"].backward()
    assert module.generator.body.wte.weight.grad is not None
    told = METHOD.predict_step(module.eval(), training_batch(ctx), ctx)["captions"]
    assert [len(s) for s in told] == [3, 5, 1]


def test_an_untrained_gpt2_takes_a_step():
    pytest.importorskip("transformers")
    ctx, data = fit("stories", "gpt2")
    module = built(ctx, data)
    METHOD.training_step(module, training_batch(ctx), ctx)["loss"].backward()
    assert all(p.grad is not None for n, p in module.named_parameters() if not n.startswith("coherence."))
