"""The storytellers of TAPM's tables: contexts, masks, and speech that follows the training's recurrence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from plugin_toys import example, toy_context, toy_data, toy_fit, toy_losses, toy_sentence, toy_video

from reelbench import collate
from reelbench.plugins.published.storytellers.method import MultiSentence, StoryXE

METHODS = [StoryXE, MultiSentence]


def fit(cls, **sizes):
    method = cls()
    resolved = toy_fit(method, "stories", **({"segments": 3, "word": 6, "hidden": 8} | sizes))
    data = toy_data()
    ctx = toy_context(resolved, "stories", data, phase=resolved.phases[0], task="storytelling")
    torch.manual_seed(0)
    return method, method.build(data, resolved.config).eval(), ctx


def stories(method, ctx, sizes, *, told=True):
    for videos, sentences in drawn(sizes):
        fields = {"videos": videos} | ({"sentences": sentences} if told else {})
        yield method.prepare(example(fields), ctx)


def drawn(sizes):
    rng = np.random.default_rng(0)
    for size in sizes:
        videos = [toy_video(rng, int(rng.integers(1, 9))) for _ in range(size)]
        yield videos, [toy_sentence(rng, int(rng.integers(0, 6))) for _ in range(size)]


@pytest.mark.parametrize("cls", METHODS)
def test_a_step_reaches_every_parameter(cls):
    method, module, ctx = fit(cls)
    method.training_step(module, collate([*stories(method, ctx, (3, 5))]), ctx).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in module.parameters())


@pytest.mark.parametrize("cls", METHODS)
def test_two_stories_are_learnt_by_heart(cls):
    method, module, ctx = fit(cls, word=16, hidden=32)
    batch = collate([*stories(method, ctx, (3, 5))])
    losses = toy_losses(method, module, batch, ctx, steps=80, rate=2e-2)
    assert losses[-1] < 0.05 * losses[0]
    said = [" ".join(s) for _, sentences in drawn((3, 5)) for s in sentences]
    seen = replace(ctx, phase=None, training=False)
    found = method.predict_step(module, collate([*stories(method, seen, (3, 5), told=False)]), seen)
    assert [s for story in found["captions"] for s in story] == said


@pytest.mark.parametrize("cls", METHODS)
def test_padding_changes_no_loss(cls):
    method, module, ctx = fit(cls)
    made = [*stories(method, ctx, (3, 5))]
    together = float(method.training_step(module, collate(made), ctx))
    alone = [float(method.training_step(module, collate([s]), ctx)) for s in made]
    words = [sum(len(w) - 1 for w in s["words"]) for s in made]
    assert together == pytest.approx(np.average(alone, weights=words), rel=1e-5)


@pytest.mark.parametrize("cls", METHODS)
def test_a_story_is_told_alike_among_others(cls):
    method, module, ctx = fit(cls)
    ctx = replace(ctx, phase=None, training=False)
    module.embed.weight.data.mul_(10)  # so that sentences differ
    made = [*stories(method, ctx, (5, 1, 3), told=False)]
    together = method.predict_step(module, collate(made), ctx)["captions"]
    assert together == [method.predict_step(module, collate([s]), ctx)["captions"][0] for s in made]
    assert [len(s) for s in together] == [5, 1, 3]


def test_the_context_of_a_clip_is_its_own_vector_and_both_directions():
    _, module, _ = fit(StoryXE)
    segments, valid = torch.randn(1, 3, 2, 13), torch.tensor([[True, True, False]])
    clips = module.see(module.standardise(segments).mean(2))[:, :2]
    onward, backward = module.onward(clips)[0], module.back(clips.flip(1))[0].flip(1)
    expected = torch.relu(clips + torch.cat([onward, backward], -1))
    torch.testing.assert_close(module.encode(segments, valid)[:, :2], expected)


def test_a_sentence_begins_from_the_last_state_of_the_one_before():
    _, module, _ = fit(MultiSentence)
    segments, words = torch.randn(1, 2, 3, 13), torch.tensor([[[1, 7, 8, 2], [1, 9, 2, 0]]])
    state = module._watch(segments[:, 0], None)
    for word in (1, 7, 8):
        scores, state = module.say(torch.tensor([word]), state)
    torch.testing.assert_close(module._reread([[7, 8]], module._watch(segments[:, 0], None)), state["hidden"])
    second, losses = module._watch(segments[:, 1], state["hidden"]), []
    for word, following in ((1, 9), (9, 2)):
        scores, second = module.say(torch.tensor([word]), second)
        losses.append(-scores.log_softmax(-1)[0, following])
    whole = module.loss(segments, torch.ones(1, 2, dtype=torch.bool), words)
    first = _first_losses(module, segments)
    torch.testing.assert_close(whole, (sum(losses) + sum(first)) / 5)


def _first_losses(module, segments):
    state, losses = module._watch(segments[:, 0], None), []
    for word, following in ((1, 7), (7, 8), (8, 2)):
        scores, state = module.say(torch.tensor([word]), state)
        losses.append(-scores.log_softmax(-1)[0, following])
    return losses
