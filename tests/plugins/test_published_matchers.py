"""VSE-LSTM: last states, a loss worked by hand, padding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plugin_toys import example, toy_context, toy_data, toy_fit, toy_losses, toy_sentence, toy_video

from reelbench import collate
from reelbench.plugins.published.matchers.method import VSELSTM

METHOD = VSELSTM()


def fit(preset="tiny", **overrides):
    resolved = toy_fit(METHOD, "match", preset=preset, **overrides)
    return toy_context(resolved, "match", toy_data(), phase=resolved.phases[0]), toy_data()


def built(ctx, data):
    torch.manual_seed(0)
    return METHOD.build(data, ctx.config)


def pairs(ctx, count, seed=0):
    rng = np.random.default_rng(seed)
    fields = [
        {
            "video": toy_video(rng, int(rng.integers(1, 9))),
            "sentence": toy_sentence(rng, int(rng.integers(1, 9))),
        }
        for _ in range(count)
    ]
    return [METHOD.prepare(example(f | {"content": str(i)}, {}), ctx) for i, f in enumerate(fields)]


def test_an_embedding_is_the_projected_last_state_at_unit_length():
    ctx, data = fit()
    module = built(ctx, data)
    ids, mask = torch.randint(5, 16, (1, 5)), torch.tensor([[True, True, True, False, False]])
    states, (last, _) = module.read.lstm.onward(module.embed(ids[:, :3]))
    vector = module.read.project(last[0])[0]
    torch.testing.assert_close(module.sentences(ids, mask)[0], vector / vector.norm())
    assert states.shape[1] == 3


def test_the_loss_is_of_hinges_both_ways():
    ctx, data = fit(margin=0.5)
    module, batch = built(ctx, data), collate(pairs(ctx, 3))
    words = batch["sentence"]
    s = (module.sentences(words.data, words.mask) @ module.videos(batch["frames"]).T).tolist()
    expected = sum(
        max(0.0, s[i][j] - s[i][i] + 0.5) + max(0.0, s[j][i] - s[i][i] + 0.5)
        for i in range(3)
        for j in range(3)
        if i != j
    )
    assert METHOD.training_step(module, batch, ctx).item() == pytest.approx(expected / 3, rel=1e-4)


def test_two_renderings_of_a_script_are_no_negatives():
    ctx, data = fit()
    batch = collate(pairs(ctx, 3))
    batch.fields["content"][:] = ["same"] * 3
    assert METHOD.training_step(built(ctx, data), batch, ctx).item() == 0.0


def test_choices_and_queries_score_the_same_alone_and_in_a_batch():
    ctx, data = fit()
    module, rng = built(ctx, data), np.random.default_rng(0)
    videos = [toy_video(rng, n) for n in (1, 30, 4)]
    choices = [[toy_sentence(rng, int(rng.integers(1, 9))) for _ in range(5)] for _ in videos]
    asked = [
        METHOD.prepare(example({"video": v, "choices": c}), ctx) for v, c in zip(videos, choices, strict=True)
    ]
    together = METHOD.predict_step(module, collate(asked), ctx)["scores"]
    alone = torch.cat([METHOD.predict_step(module, collate([e]), ctx)["scores"] for e in asked])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    queries = collate([METHOD.prepare(example({"query": row[0]}), ctx) for row in choices])
    gallery = collate([METHOD.prepare(example({"video": v}), ctx) for v in videos])
    table = METHOD.score(
        module, METHOD.encode_query(module, queries, ctx), METHOD.encode_gallery(module, gallery, ctx), ctx
    )
    torch.testing.assert_close(table.diagonal(), together[:, 0], atol=1e-5, rtol=1e-4)


def test_it_learns_a_toy():
    ctx, data = fit()
    module, batch = built(ctx, data), collate(pairs(ctx, 8))
    losses = toy_losses(METHOD, module, batch, ctx, steps=20, rate=5e-3)
    assert losses[-1] < 0.5 * losses[0]


def test_the_paper_has_wide_lstms():
    ctx, data = fit("paper")
    with torch.device("meta"):
        module = METHOD.build(data, ctx.config)
    assert module.see.lstm.onward.hidden_size == 512
