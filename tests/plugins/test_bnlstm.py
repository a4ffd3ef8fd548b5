"""BN-LSTM: Eq. 7 against numpy, the gate, the rows of its table."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from plugin_toys import SPECS, example, moments, toy_context, toy_data, toy_fit, toy_losses, toy_video

from reelbench import Clip, collate
from reelbench.plugins.bnlstm.losses import guidance, tag_scores
from reelbench.plugins.bnlstm.method import BNLSTM
from reelbench.plugins.bnlstm.model import Cell
from reelbench.plugins.layers.experts import MixtureOfExperts
from reelbench.resolution import variants_of

METHOD = BNLSTM()
EVERY = sorted(variants_of(METHOD))
PLACES = [0, 3, 1, 2, 4]  # of tags used 5, 1, 3, 3 and 0 times
DATA = toy_data(places=PLACES, longest=3, moments=moments(13))
END = 5


def fit(variant="full", preset="tiny", **overrides):
    resolved = toy_fit(METHOD, "tag", variant, preset, **overrides)
    return toy_context(resolved, "tag", DATA, generator=torch.Generator().manual_seed(0))


def built(ctx):
    torch.manual_seed(0)
    return METHOD.build(DATA, ctx.config)


def batch_of(ctx, count=8):
    rng = np.random.default_rng(0)
    rows = [
        example({"video": toy_video(rng, 4)}, {"labels": rng.permutation(5)[: rng.integers(1, 4)]})
        for _ in range(count)
    ]
    return collate([METHOD.prepare(row, ctx) for row in rows])


@pytest.mark.parametrize("variant", EVERY)
def test_every_row_of_the_table_builds_and_takes_a_step(variant):
    ctx = fit(variant)
    module = built(ctx)
    losses = METHOD.training_step(module, batch_of(ctx), ctx)
    losses["loss"].backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters() if p.grad is not None)
    scores = METHOD.predict_step(module.eval(), batch_of(ctx, 3), ctx)["scores"]
    assert scores.shape == (3, 5)
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("variant", EVERY)
def test_every_row_builds_at_the_papers_size(variant):
    ctx = fit(variant, "paper")
    with torch.device("meta"):
        module = METHOD.build(DATA, ctx.config)
    assert module.project.in_features == 256
    assert len(module.cells) == 2


def test_tags_are_spelt_most_frequent_first_and_end_in_end_marks():
    row = example({"video": toy_video(np.random.default_rng(0), 2)}, {"labels": np.array([1, 3, 0])})
    assert METHOD.prepare(row, fit()).targets["words"].tolist() == [0, 3, 1, END]
    row = row.with_targets(labels=np.array([2]))
    assert METHOD.prepare(row, fit()).targets["words"].tolist() == [2, END, END, END]


def assets_of(lists, tags, seed=0, variant="full"):
    """Assets of training videos with these tags."""
    rows = [
        example({"video": Clip(f"v{i}", 0.0, 1.0)}, {"labels": np.array(row)}) for i, row in enumerate(lists)
    ]
    source = SimpleNamespace(
        relation=lambda name: rows,
        read=lambda clip, track: toy_video(np.random.default_rng(int(clip.video[1:])), 4),
        features=SPECS,
        spaces={"tags": tuple(map(str, range(tags)))},
        rng=np.random.default_rng(seed),
    )
    return METHOD.assets(source, toy_fit(METHOD, "tag", variant).config, "tag")


def test_the_order_is_by_use_in_training_and_ties_go_by_number():
    lists = [[0, 2, 3], [3, 0], [0, 2], [0, 1], [0, 2, 3]]
    assets = assets_of(lists, 5)
    assert assets["places"] == PLACES
    assert assets["longest"] == 3


def test_a_random_order_is_one_order_of_all_tags_that_only_the_seed_changes():
    lists = [[0, 2, 3], [3, 29], [0, 2]]
    drawn = [assets_of(lists, 30, seed, "random-label-order") for seed in (0, 0, 1)]
    places = [assets["places"] for assets in drawn]
    assert sorted(places[0]) == list(range(30))
    assert places[0] == places[1]
    assert places[0] != places[2]
    by_use = assets_of(lists, 30)
    assert places[0] != by_use["places"]
    np.testing.assert_array_equal(drawn[0]["moments"]["mean"], by_use["moments"]["mean"])


def test_tags_are_spelt_in_the_order_drawn():
    ctx = fit("random-label-order")
    ctx = replace(ctx, data=replace(DATA, assets={**DATA.assets, "places": [2, 0, 4, 1, 3]}))
    row = example({"video": toy_video(np.random.default_rng(0), 2)}, {"labels": np.array([2, 3, 0, 1])})
    targets = METHOD.prepare(row, ctx).targets
    assert targets["words"].tolist() == [1, 3, 0, END]
    assert targets["labels"].tolist() == [1, 1, 1, 1, 0]


def test_the_cell_is_equation_7():
    torch.manual_seed(0)
    cell = Cell(3, 2, steps=2, normalised=True)
    x, h, c = torch.randn(6, 3), torch.randn(6, 2), torch.randn(6, 2)
    got_h, got_c = cell(cell.w(x), h, c, 1)

    def norm(a, scale):
        return scale * (a - a.mean(0)) / np.sqrt(a.var(0) + 1e-5)

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    w, u = cell.w.weight.detach().numpy(), cell.u.weight.detach().numpy()
    gates = norm(x.numpy() @ w.T, 0.1) + norm(h.numpy() @ u.T, 0.1)
    i, f, g, o = np.split(gates, 4, axis=1)
    new_c = sigmoid(f) * c.numpy() + sigmoid(i) * np.tanh(g)
    np.testing.assert_allclose(got_c.detach(), new_c, atol=1e-5)
    np.testing.assert_allclose(got_h.detach(), sigmoid(o) * np.tanh(norm(new_c, 0.1)), atol=1e-5)


def test_the_plain_cell_is_the_standard_one():
    cell, standard = Cell(3, 2, steps=2, normalised=False), torch.nn.LSTMCell(3, 2)
    with torch.no_grad():
        standard.weight_ih.copy_(cell.w.weight)
        standard.weight_hh.copy_(cell.u.weight)
        cell.bias.copy_(standard.bias_ih + standard.bias_hh)
    x, h, c = torch.randn(6, 3), torch.randn(6, 2), torch.randn(6, 2)
    torch.testing.assert_close(cell(cell.w(x), h, c, 0), standard(x, (h, c)))


def test_each_step_keeps_its_own_statistics():
    cell = Cell(3, 2, steps=3, normalised=True)
    cell(cell.w(torch.randn(6, 3) + 4), torch.zeros(6, 2), torch.zeros(6, 2), 1)
    assert cell.norm_x.mean[1].abs().sum() > 0
    assert cell.norm_x.mean[0].abs().sum() == cell.norm_x.mean[2].abs().sum() == 0


def test_the_gate_open_reads_true_tags_and_closed_reads_its_own():
    ctx = fit("guided-beta-0")
    module, video = built(ctx).eval(), batch_of(ctx, 2)["video"].data
    words, other = torch.tensor([[0, 1, 2, END]] * 2), torch.tensor([[3, 1, 2, END]] * 2)
    everywhere, nowhere = torch.ones(2, 4).bool(), torch.zeros(2, 4).bool()
    own = module(video)[0]
    torch.testing.assert_close(module(video, words, nowhere)[0], own)
    forced, changed = module(video, words, everywhere)[0], module(video, other, everywhere)[0]
    torch.testing.assert_close(forced[:, 0], own[:, 0])
    assert not torch.allclose(forced[:, 1], own[:, 1])
    torch.testing.assert_close(forced[:, 0], changed[:, 0])
    assert not torch.allclose(forced[:, 1], changed[:, 1])


def test_beta_is_the_share_of_injected_tags():
    ctx = fit("guided-beta-0.5")
    module, seen = built(ctx), []
    forward = module.forward
    module.forward = lambda video, words, injected: (seen.append(injected), forward(video, words, injected))[
        1
    ]
    for _ in range(40):
        METHOD.training_step(module, batch_of(ctx, 16), ctx)
    assert 0.45 < torch.cat(seen).float().mean() < 0.55


def test_the_word_loss_stops_after_the_first_end_mark():
    words = torch.tensor([[2, END, END, END]])
    logits = torch.zeros(1, 4, 6)
    assert guidance(logits, words, END, binary=False).item() == pytest.approx(np.log(6))
    assert guidance(logits, words, END, binary=True).item() == pytest.approx(6 * np.log(2))


def test_the_word_loss_is_a_mean_over_steps_and_then_over_videos():
    words = torch.tensor([[2, END, END, END], [0, 1, 2, END]])
    logits = torch.zeros(2, 4, 6)
    logits[1] += torch.tensor(
        [8.0, 0, 0, 0, 0, 0]
    )  # the second video's first step is right, its others wrong
    right, wrong = np.log(1 + 5 * np.exp(-8)), 8 + np.log(1 + 5 * np.exp(-8))
    expected = (np.log(6) + (right + 3 * wrong) / 4) / 2
    assert guidance(logits, words, END, binary=False).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("loss_word", ["softmax", "binary"])
def test_the_word_loss_is_chosen_apart_from_the_guidance(guided, loss_word):
    ctx = fit("guided-beta-0", guided=guided, loss_word=loss_word)
    module, batch, fed = built(ctx).eval(), batch_of(ctx), []
    module.embed.register_forward_pre_hook(lambda _, given: fed.append(given[0]))
    losses = METHOD.training_step(module, batch, ctx)
    logits, words = module(batch["video"].data)[0], batch.targets["words"].data
    binary = loss_word == "binary"
    assert losses["word"].item() == pytest.approx(guidance(logits, words, END, binary=binary).item())
    assert ("class" in losses) is guided
    expected = torch.sigmoid(logits[:, 0]) if binary else logits[:, 0].softmax(1)
    torch.testing.assert_close(fed[0], expected)  # the next cell reads the same activation


def test_only_the_base_model_and_its_variant_have_the_softmax():
    softmax = {v for v in EVERY if toy_fit(METHOD, "tag", v).config.loss_word == "softmax"}
    assert softmax == {"max-pooling", "softmax-word-loss"}
    assert toy_fit(METHOD, "tag", "softmax-word-loss").config.guided


@pytest.mark.parametrize("variant", ["guided-beta-0", "full"])
def test_the_video_enters_the_first_layer_at_every_step_and_the_second_reads_the_first(variant):
    ctx = fit(variant)
    module, video, seen = built(ctx).eval(), batch_of(ctx, 3)["video"].data, []
    for cell in module.cells:
        cell.register_forward_hook(lambda _, given, got: seen.append((given, got[0])))
    words = torch.tensor([[0, 1, 2, END]] * 3)
    module(video, words, torch.ones_like(words).bool())  # what each step reads beside the video is known
    first, second = seen[::2], seen[1::2]
    read = [module.start, *module.embed.weight.T[words[0]]]
    assert len(first) == len(second) == len(read) == module.steps + 1
    below, above = (cell.w.weight for cell in module.cells)
    for word, (wx, h), (upper, _) in zip(read, first, second, strict=True):
        x = torch.cat([module.standardise(video), word.expand(3, -1)], 1)
        torch.testing.assert_close(wx[0], x @ below.T)
        torch.testing.assert_close(upper[0], h @ above.T)


@pytest.mark.parametrize("variant", ["guided-beta-0", "full"])
def test_every_gates_block_starts_orthogonal_by_itself(variant):
    module = built(fit(variant))
    matrices = [p.detach() for p in module.cells.parameters() if p.ndim == 2]
    assert len(matrices) == 4
    blocks = [block for matrix in matrices for block in matrix.chunk(4)] + [module.embed.weight.detach()]
    for block in blocks:
        block = block if len(block) <= block.shape[1] else block.T
        torch.testing.assert_close(block @ block.T, torch.eye(len(block)), atol=1e-5, rtol=0)
    for matrix in matrices:
        i, f, g, o = matrix.chunk(4)
        assert not torch.allclose(i, f)
        assert not torch.allclose(g, o)


def test_norms_in_cells_and_on_words_start_small_and_the_classifiers_at_one():
    module = built(fit("beta-0.5-bnlstm-bn-layer"))
    norms = [n for cell in module.cells for n in (cell.norm_x, cell.norm_h, cell.norm_c)] + [
        module.norm_words
    ]
    assert all((norm.scale == 0.1).all() for norm in norms)
    assert (module.norm_last.weight == 1).all()


def test_the_class_loss_is_a_sum_over_tags_and_a_mean_over_videos():
    ctx = fit("guided-beta-0")
    module, batch = built(ctx).eval(), batch_of(ctx, 3)
    torch.nn.init.zeros_(module.classify.weight)
    torch.nn.init.zeros_(module.classify.bias)
    losses = METHOD.training_step(module, batch, ctx)
    assert losses["class"].item() == pytest.approx(5 * np.log(2))
    assert losses["loss"].item() == pytest.approx((losses["word"] + losses["class"]).item())


def ends_at_once(variant):
    ctx = fit(variant)
    module = built(ctx).eval()
    with torch.no_grad():
        module.project.bias[END] = 50.0
    return ctx, module


@pytest.mark.parametrize("variant", ["guided-beta-0", "guided-beta-1", "max-pooling"])
def test_after_its_end_mark_a_model_reads_end_marks_whatever_it_puts_out(variant):
    ctx, module = ends_at_once(variant)
    video = batch_of(ctx, 2)["video"].data
    marks = torch.full((2, module.steps), END)
    own, forced = module(video), module(video, marks, torch.ones_like(marks).bool())
    for mine, theirs in zip(own, forced, strict=True):
        if mine is not None:
            torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("loss_word", ["softmax", "binary"])
def test_a_step_after_the_end_mark_scores_no_tag(loss_word):
    logits = torch.full((2, 3, 6), -9.0)
    logits[:, 0, 1] = logits[:, 2, 3] = 9.0  # tag 1 first, tag 3 last
    logits[0, 1, END] = logits[1, 1, 2] = 9.0  # between them the first video ends, the second spells tag 2

    ctx = fit("max-pooling", loss_word=loss_word)
    module = built(ctx)
    module.forward = lambda video: (logits, None)
    ended, going = tag_scores(module, batch_of(ctx, 2))
    assert (ended > 0.9).tolist() == [False, True, False, False, False]
    assert (going > 0.9).tolist() == [False, True, True, True, False]


def test_tags_beyond_the_longest_sequence_are_still_labels():
    row = example({"video": toy_video(np.random.default_rng(0), 2)}, {"labels": np.array([4, 1, 3, 0, 2])})
    targets = METHOD.prepare(row, fit()).targets
    assert targets["words"].tolist() == [0, 2, 3, END]
    assert targets["labels"].tolist() == [1.0, 1.0, 1.0, 1.0, 1.0]


def test_the_class_loss_asks_for_every_tag():
    ctx = fit("guided-beta-0")
    module, batch = built(ctx).eval(), batch_of(ctx, 2)
    torch.nn.init.zeros_(module.classify.weight)
    with torch.no_grad():
        module.classify.bias.copy_(torch.tensor([9.0, -9.0, 9.0, -9.0, 9.0]))
        batch.targets["labels"].data.copy_(module.classify.bias > 0)
    assert METHOD.training_step(module, batch, ctx)["class"].item() < 0.01


def test_the_mixture_is_gated_experts_with_one_that_says_no():
    torch.manual_seed(0)
    mixture, x = MixtureOfExperts(4, 3, 2), torch.randn(5, 4)
    gates = mixture.gates(x).view(5, 3, 3).softmax(-1)
    expected = (gates[..., :2] * torch.sigmoid(mixture.experts(x).view(5, 3, 2))).sum(-1)
    torch.testing.assert_close(torch.sigmoid(mixture(x)), expected)


@pytest.mark.parametrize("variant", ["full", "max-pooling"])
def test_it_learns_a_toy(variant):
    ctx = fit(variant)
    module, batch = built(ctx), batch_of(ctx)
    losses = toy_losses(METHOD, module, batch, ctx, steps=40, rate=1e-2)
    assert losses[-1] < 0.5 * losses[0]
