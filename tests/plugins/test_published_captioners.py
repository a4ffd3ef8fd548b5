"""The captioners of the papers' tables: their equations on small cases, their searches, their losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from plugin_toys import SPECS, example, moments, toy_context, toy_data, toy_fit, toy_sentence
from plugin_toys import toy_video as vectors

from reelbench import FeatureSpec, collate
from reelbench.plugins.published.captioners.hierarchical import (
    ChannelAttention,
    ParagraphGenerator,
    scaled_tanh,
)
from reelbench.plugins.published.captioners.method import (
    HRNN,
    LSTME,
    S2VT,
    HRNNConfig,
    MeanPoolLSTM,
    SoftAttention,
)
from reelbench.plugins.published.captioners.model import TemporalAttention
from reelbench.resolution import variants_of

METHODS = [MeanPoolLSTM(), SoftAttention(), S2VT(), LSTME(), HRNN()]
SINGLE = METHODS[:-1]
MAPS = FeatureSpec("spatial", (7, 7, 3), 2.0)
GAZE_FIT = {"sizes": {"projection": 6, "state": 3, "upsampler": (4, 3, 2)}, "moments": moments(3)}
EVERY_FIT = [(m, recipe, variant) for m in METHODS for recipe in m.recipes for variant in variants_of(m)]
named = {"ids": lambda value: getattr(value, "name", None)}


def fit(method, recipe="captions", variant="full", preset="tiny", phase=0, task="captioning", **overrides):
    resolved = toy_fit(method, recipe, variant, preset, **overrides)
    specs = {name: {**SPECS, "spatial": MAPS}[name] for name in method.features(resolved.config, recipe)}
    data = replace(
        toy_data((), moments=moments(sum(s.dim for s in specs.values()))),
        features=specs,
        upstream={"gaze": GAZE_FIT},
    )
    return toy_context(resolved, recipe, data, phase=resolved.phases[phase], task=task), data


def toy_video(rng, frames):
    maps = rng.normal(size=(-(-frames // 2), *MAPS.shape)).astype(
        np.float32
    )  # at half the rate of the others
    return {**vectors(rng, frames), "spatial": maps}


def built(method, ctx, data):
    torch.manual_seed(0)
    return method.build(data, ctx.config)


def story(rng, clips):
    return {
        "videos": [toy_video(rng, int(rng.integers(1, 30))) for _ in range(clips)],
        "sentences": [toy_sentence(rng, int(rng.integers(1, 9))) for _ in range(clips)],
    }


def captioned(rng):
    return {
        "video": toy_video(rng, int(rng.integers(1, 30))),
        "sentence": toy_sentence(rng, int(rng.integers(1, 9))),
    }


def batch_of(method, ctx, fields):
    return collate([method.prepare(example(f, {}, str(i)), ctx) for i, f in enumerate(fields)])


def captions(method, ctx, count=4, seed=0):
    rng = np.random.default_rng(seed)
    return batch_of(method, ctx, [captioned(rng) for _ in range(count)])


def decisive(module):
    """Larger weights, and no favourite word, so that clips are told apart by what is said of them."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.mul_(0.0 if name.endswith("head.bias") else 5.0)
    return module.eval()


@pytest.mark.parametrize(("method", "recipe", "variant"), EVERY_FIT, **named)
def test_every_fit_takes_a_step_that_reaches_every_parameter(method, recipe, variant):
    ctx, data = fit(method, recipe, variant, phase=-1)
    module, rng = built(method, ctx, data), np.random.default_rng(0)
    fields = [story(rng, 3) if recipe == "stories" else captioned(rng) for _ in range(4)]
    losses = method.training_step(module, batch_of(method, ctx, fields), ctx)
    losses["loss"].backward()
    assert torch.isfinite(losses["loss"])
    own = {n: p for n, p in module.named_parameters() if not n.startswith("gaze.")}
    assert all(p.grad is None for n, p in module.named_parameters() if n not in own)  # gaze stays as it is
    idle = {n for n, p in own.items() if p.grad is None or not p.grad.any()}
    between = {n for n in idle if n.startswith("paragraph.")}
    assert idle == between if recipe == "captions" else not idle  # one sentence has no next one


@pytest.mark.parametrize("method", METHODS, **named)
def test_the_papers_sizes_build(method):
    for recipe in method.recipes:
        ctx, data = fit(method, recipe, preset="paper")
        with torch.device("meta"):
            assert sum(p.numel() for p in method.build(data, ctx.config).parameters()) > 1e6


@pytest.mark.parametrize("method", [m for m in METHODS if "gaze" in m.variants], **named)
def test_gaze_that_looks_everywhere_pools_as_no_gaze_does(method):
    rng = np.random.default_rng(0)
    rows, seen = [captioned(rng) for _ in range(3)], {}
    for variant in ("full", "gaze"):
        ctx, data = fit(method, variant=variant)
        module = built(method, ctx, data)
        if module.gaze is not None:
            module.gaze.gaze_maps = lambda maps: maps.new_ones(*maps.shape[:2], 49, 49)
        seen[variant] = module.frames(batch_of(method, ctx, rows))
    torch.testing.assert_close(seen["gaze"], seen["full"])


def test_gaze_weighs_the_cells_that_are_looked_at():
    method, rng = METHODS[1], np.random.default_rng(0)
    ctx, data = fit(method, variant="gaze")
    module, row = built(method, ctx, data), captioned(rng)
    looked = torch.zeros(1, len(row["video"]["spatial"]), 49, 49)
    looked[..., 7:14, 21:28] = 1.0  # the cell in the second row, fourth column
    module.gaze.gaze_maps = lambda maps: looked
    pooled = module.frames(batch_of(method, ctx, [row]))[0, 0, :, -3:]  # (F, 3)
    maps = torch.from_numpy(row["video"]["spatial"])
    expected = (maps[:, 1, 3] + 0.6 * maps.mean((1, 2))) / 1.6
    places = np.arange(ctx.config.frames) * len(maps) // ctx.config.frames
    torch.testing.assert_close(pooled, expected[places])


def test_the_gaze_fit_is_geans_and_stays_frozen():
    ctx, _ = fit(METHODS[1], variant="gaze")
    (upstream,) = METHODS[1].upstream(ctx.config, "captions")
    assert (upstream.method, upstream.recipe, upstream.preset) == ("gean", "gaze", "tiny")
    assert upstream.frozen == ("gaze.",)
    assert not METHODS[1].upstream(fit(METHODS[1])[0].config, "captions")


@pytest.mark.parametrize("method", METHODS, **named)
def test_saying_word_by_word_scores_as_reading_the_sentence(method):
    ctx, data = fit(method)
    module, batch = built(method, ctx, data).eval(), captions(method, ctx)
    frames, words = batch["frames"].data[:, 0], batch["words"].data[:, 0]
    if method.name == "h-rnn":
        clip, begin = module.standardise(frames), module.first(len(frames))[0]
        expected, memory = module.sentence(clip, module.embed(words), begin)[0], (clip, begin)
    else:
        expected, memory = module(frames, words), module.watch(frames)
    for t in range(words.shape[1]):
        scores, memory = module.say(words[:, t], memory)
        torch.testing.assert_close(scores, expected[:, t], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS, **named)
def test_a_sentence_costs_the_same_whatever_padding_stands_behind_it(method):
    ctx, data = fit(method)
    module, rng = built(method, ctx, data).eval(), np.random.default_rng(3)
    short, long = captioned(rng) | {"sentence": ("a", "man")}, captioned(rng) | {"sentence": ("the",) * 9}
    one, other, both = (
        method.training_step(module, batch_of(method, ctx, fields), ctx)["loss"].item()
        for fields in ([short], [long], [short, long])
    )
    weights = (
        (1, 1) if method.name == "lstm-e" else (3, 10)
    )  # its losses are of sentences, the others' of words
    assert both == pytest.approx(np.average([one, other], weights=weights), rel=1e-5)


def test_attention_is_a_softmax_over_frames():
    torch.manual_seed(0)
    attend, frames, state = TemporalAttention(3, 4, 5), torch.randn(2, 6, 3), torch.randn(2, 4)
    w, u, v = attend.of_state.weight, attend.of_frame.weight, attend.score.weight[0]
    for b in range(2):
        e = torch.stack([v @ torch.tanh(w @ state[b] + u @ f + attend.of_frame.bias) for f in frames[b]])
        expected = sum(a * f for a, f in zip(e.exp() / e.exp().sum(), frames[b], strict=True))
        torch.testing.assert_close(attend(frames, attend.of_frame(frames), state)[b], expected)


def test_each_channel_is_weighed_by_the_state_before_the_word():
    torch.manual_seed(0)
    attend, frames, states = ChannelAttention(3, 4, 5), torch.randn(2, 6, 3), torch.randn(2, 7, 4)
    w, u, v = attend.of_state.weight, attend.of_frame.weight, attend.score.weight[0]
    for b, t in np.ndindex(2, 7):
        e = torch.stack([v @ scaled_tanh(w @ states[b, t] + u @ f + attend.of_frame.bias) for f in frames[b]])
        expected = e.softmax(0) @ frames[b]
        torch.testing.assert_close(attend(frames, states)[b, t], expected)


def test_s2vt_reads_no_word_before_the_last_frame_and_no_frame_after_it():
    ctx, data = fit(METHODS[2])
    module, batch = built(METHODS[2], ctx, data).eval(), captions(METHODS[2], ctx, 2)
    frames, words = batch["frames"].data[:, 0], batch["words"].data[:, 0]
    lower = upper = None
    zero = torch.zeros(2, ctx.config.word)
    for t in range(frames.shape[1]):
        h, lower = module.lower(module.see(frames[:, t])[:, None], lower)
        _, upper = module.upper(torch.cat([h[:, 0], zero], 1)[:, None], upper)
    h, lower = module.lower(zero[:, None], lower)
    first, _ = module.upper(torch.cat([h[:, 0], module.embed(words[:, 0])], 1)[:, None], upper)
    torch.testing.assert_close(module(frames, words)[:, 0], module.head(first[:, 0]))


def test_relevance_is_the_squared_distance_of_video_and_summed_words():
    ctx, data = fit(METHODS[3], coherence=0.7)
    module, batch = built(METHODS[3], ctx, data).eval(), captions(METHODS[3], ctx, 3)
    frames, words = batch["frames"].data[:, 0], batch["words"].data[:, 0]
    losses = module.loss(frames, words)
    expected = []
    for clip, sentence in zip(frames, words, strict=True):
        said = [int(w) for w in sentence if int(w) > 2]  # no padding, start or end
        space = module.embed.weight[said].sum(0) - module.see(clip.mean(0))
        expected.append(space @ space)
    torch.testing.assert_close(losses["relevance"], torch.stack(expected).mean())
    torch.testing.assert_close(losses["loss"], 0.3 * losses["relevance"] + 0.7 * losses["coherence"])


def test_coherence_is_the_sum_over_the_words_of_a_sentence():
    ctx, data = fit(METHODS[3])
    module, batch = built(METHODS[3], ctx, data).eval(), captions(METHODS[3], ctx, 3)
    frames, words = batch["frames"].data[:, 0], batch["words"].data[:, 0]
    log_p = module(frames, words[:, :-1]).log_softmax(-1)
    sums = [-sum(log_p[b, t, w] for t, w in enumerate(words[b, 1:].tolist()) if w) for b in range(3)]
    torch.testing.assert_close(module.loss(frames, words)["coherence"], torch.stack(sums).mean())


def test_a_sentence_begins_from_the_one_before_it():
    """Eq. by eq.: the mean word and the last state of sentence 1, through the paragraph, set the state of sentence 2."""
    method = METHODS[4]
    ctx, data = fit(method, "stories", phase=1)
    module, rng = built(method, ctx, data).eval(), np.random.default_rng(0)
    told = story(rng, 2) | {"sentences": [("a", "man", "walks"), ("the", "ball")]}
    batch = batch_of(method, ctx, [told])
    frames, words = batch["frames"].data, batch["words"].data
    clips, zero = module.standardise(frames)[0], torch.zeros(1, ctx.config.hidden)
    first = module.embed(words[0, 0, :4])[None]  # start and three words
    logits_1, states = module.sentence(clips[:1], first, zero)
    mean, last = first[:, 1:].mean(1), states[:, 3]
    begin, _ = module.paragraph(mean, last, torch.zeros(1, ctx.config.paragraph))
    logits_2, _ = module.sentence(clips[1:], module.embed(words[0, 1, :3])[None], begin)
    log_p = torch.cat([logits_1[0], logits_2[0]]).log_softmax(-1)
    answers = torch.cat([words[0, 0, 1:5], words[0, 1, 1:4]])
    expected = -log_p[torch.arange(7), answers].mean()
    torch.testing.assert_close(method.training_step(module, batch, ctx)["loss"], expected)


def test_the_paragraph_is_a_gated_recurrence_over_sentences():
    torch.manual_seed(0)
    generator = ParagraphGenerator(HRNNConfig(word=3, hidden=4, paragraph=5))
    mean, last, history = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 5)
    begin, now = generator(mean, last, history)
    sentence = scaled_tanh(generator.sentence(torch.cat([mean, last], 1)))
    torch.testing.assert_close(now, generator.gru(sentence, history))
    torch.testing.assert_close(begin, scaled_tanh(generator.next(torch.cat([now, sentence], 1))))


def test_stories_of_any_length_get_a_sentence_a_clip_and_the_same_ones_in_any_batch():
    method = METHODS[4]
    ctx, data = fit(method, "stories", task="storytelling")
    module, rng = decisive(built(method, ctx, data)), np.random.default_rng(0)
    stories = [{"videos": story(rng, clips)["videos"]} for clips in (1, 4, 2)]
    together = method.predict_step(module, batch_of(method, ctx, stories), ctx)["captions"]
    alone = [method.predict_step(module, batch_of(method, ctx, [s]), ctx)["captions"][0] for s in stories]
    assert together == alone
    assert [len(s) for s in together] == [1, 4, 2]


def test_what_was_said_changes_what_is_said_next():
    method = METHODS[4]
    ctx, data = fit(method, "stories")
    module = built(method, ctx, data).eval()
    read = torch.tensor([[1, 6, 7, 0], [1, 8, 6, 9]])
    states = torch.randn(2, 4, ctx.config.hidden)
    mean, last = module.said(read, states)
    torch.testing.assert_close(last, torch.stack([states[0, 2], states[1, 3]]))
    torch.testing.assert_close(mean[0], module.embed.weight[[6, 7]].mean(0))
    begin, _ = module.paragraph(mean, last, module.first(2)[1])
    assert not torch.allclose(begin[0], begin[1])


@pytest.mark.parametrize("method", METHODS, **named)
def test_it_learns_sentences_by_heart_and_says_each_alone_as_among_others(method):
    ctx, data = fit(method, word=16, hidden=32)
    module, rng = built(method, ctx, data), np.random.default_rng(0)
    told = [("a", "man", "walks"), ("the", "red", "ball"), ("woman",), ("a", "woman", "holds", "the", "box")]
    shown = [toy_video(rng, frames) for frames in (1, 9, 30, 100)]
    rows = [{"video": v, "sentence": s} for v, s in zip(shown, told, strict=True)]
    batch = batch_of(method, ctx, rows)
    optimizer = torch.optim.Adam(module.parameters(), 2e-2)
    for _ in range(120):
        optimizer.zero_grad()
        method.training_step(module, batch, ctx)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 5.0)
        optimizer.step()
    module.eval()
    for beam in (1, 3):
        asked = replace(ctx, settings=ctx.settings.model_copy(update={"beam": beam}))
        alone = [method.predict_step(module, batch_of(method, asked, [r]), asked)["caption"][0] for r in rows]
        assert alone == [" ".join(s) for s in told]
        assert method.predict_step(module, batch, asked)["caption"] == alone
