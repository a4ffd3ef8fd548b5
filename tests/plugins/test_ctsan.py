"""CT-SAN: equations on small cases, masks, ablations, the four models."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from plugin_toys import (
    SPECS,
    WORDS,
    example,
    moments,
    toy_context,
    toy_curve,
    toy_data,
    toy_fit,
    toy_sentence,
    toy_video,
)

from reelbench import FeatureSpec, Padded, collate
from reelbench.errors import SkippedPair, UsageError
from reelbench.plugins.ctsan.concepts import STOP_LIST, concept_vector, concept_words
from reelbench.plugins.ctsan.detector import ConceptDetector, FrameGrid, SpatialAttention
from reelbench.plugins.ctsan.frames import window_means
from reelbench.plugins.ctsan.losses import attention_cost, captions, concept_loss, pair_scores
from reelbench.plugins.ctsan.method import CTSAN, CTSANConfig
from reelbench.plugins.ctsan.model import CompactBilinear, InputAttention, OutputAttention
from reelbench.plugins.ctsan.recurrence import LASTING, DeepLSTM, NormalisedLSTM, SentenceReader
from reelbench.resolution import variants_of

METHOD = CTSAN()
MAP = FeatureSpec("spatial", (7, 7, 3), 2.0)
CONCEPTS = ["walks", "runs", "ball", "box", "red", "man"]
SAME_MODEL = {"ensemble", "stop-list", "parsed"}  # what differs is not the network
EVERY_FIT = list(itertools.product(CTSAN.recipes, [v for v in variants_of(METHOD) if v not in SAME_MODEL]))


def fit(recipe="captions", variant="full", preset="tiny", **overrides):
    resolved = toy_fit(METHOD, recipe, variant, preset, **overrides)
    vectors = resolved.config.vectors
    data = toy_data(vectors, concepts=CONCEPTS, map_moments=moments(3))
    data = replace(data, features={"spatial": MAP, **{name: SPECS[name] for name in vectors}})
    return toy_context(resolved, recipe, data, phase=resolved.phases[0]), data


def built(ctx, data):
    torch.manual_seed(0)
    return METHOD.build(data, ctx.config)


def video(rng, frames):
    maps = rng.normal(size=(frames, 7, 7, 3)).astype(np.float32)
    return {"spatial": maps, **toy_video(rng, 2 * frames)}


def training_example(recipe, rng, number):
    fields = {"video": video(rng, int(rng.integers(2, 9))), "content": str(number)}
    if recipe == "choices":
        choices = [toy_sentence(rng, int(rng.integers(1, 9))) for _ in range(5)]
        return example(fields | {"choices": choices}, {"answer": int(rng.integers(5))})
    sentence = toy_sentence(rng, int(rng.integers(2, 9)))
    if recipe == "blanks":
        place = int(rng.integers(len(sentence)))
        told = (*sentence[:place], "_____", *sentence[place + 1 :])
        return example(fields | {"sentence": told, "blank": place}, {"answer": "ball"})
    return example(fields | {"sentence": sentence}, {})


def training_batch(ctx, count=6, seed=0):
    rng = np.random.default_rng(seed)
    return collate([METHOD.prepare(training_example(ctx.recipe, rng, i), ctx) for i in range(count)])


# --- every ablation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("recipe", "variant"), EVERY_FIT)
def test_every_ablation_builds_and_every_parameter_learns(recipe, variant):
    ctx, data = fit(recipe, variant)
    module = built(ctx, data)
    losses = METHOD.training_step(module, training_batch(ctx), ctx)
    losses["loss"].backward()
    assert torch.isfinite(losses["loss"])
    unreached = {
        n for n, p in module.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()
    }
    assert not unreached


def test_the_paper_has_its_sizes():
    ctx, data = fit("retrieval", preset="paper")
    with torch.device("meta"):
        module = METHOD.build(data, ctx.config)
    assert module.detector.read.in_features == 500 * 16
    assert module.detector.attend.first.weight.shape == (500, 500, 3, 3)
    assert (module.w_p.in_features, module.w_s.in_features) == (8000, 1500)
    assert len(module.video.layers) == 2


def test_base_san_has_no_detector_and_starts_from_its_own_captions():
    ctx, data = fit("blanks", "base-san")
    module = built(ctx, data)
    assert module.detector is None
    (upstream,) = METHOD.upstream(ctx.config, "blanks")
    assert upstream.variant is None
    assert set(upstream.parameters) == {"embed.", "grid.", "video."}
    names = {name.split(".")[-2] for name, _ in module.named_parameters() if "." in name}
    assert not names & {"w_gamma", "w_beta"}
    assert "concepts" not in METHOD.training_step(module, training_batch(ctx), ctx)


@pytest.mark.parametrize("recipe", ["blanks", "choices", "retrieval"])
def test_the_detector_of_captioning_fits_into_the_other_models(recipe):
    ctx, data = fit(recipe)
    source, target = built(*fit("captions")).state_dict(), built(ctx, data).state_dict()
    (upstream,) = METHOD.upstream(ctx.config, recipe)
    assert upstream.recipe == "captions"
    taken = {k for k in source if k.startswith(tuple(upstream.parameters))}
    assert {k: source[k].shape for k in taken} == {k: target[k].shape for k in taken}
    assert taken == {k for k in target if k.startswith(tuple(upstream.parameters))}


# --- the detector ----------------------------------------------------------------------------------------------------


def test_a_seven_by_seven_map_becomes_a_four_by_four_grid_of_maxima():
    ctx, data = fit(variant="map-only")
    grid = FrameGrid(data, ctx.config)
    maps = torch.randn(2, 3, 7, 7, 3)
    pooled = torch.stack(
        [
            maps[:, :, 2 * j : 2 * j + 2, 2 * k : 2 * k + 2].amax((2, 3))
            for j, k in itertools.product(range(4), range(4))
        ],
        dim=2,
    )  # (B, N, 16, C)
    square = pooled.unflatten(2, (4, 4)).movedim(-1, 2).flatten(0, 1)
    expected = grid.conv(square).flatten(2).transpose(1, 2).unflatten(0, (2, 3))
    torch.testing.assert_close(grid(maps, None), expected)


def test_vectors_of_a_frame_are_added_to_every_region():
    ctx, data = fit()
    grid, maps, vectors = FrameGrid(data, ctx.config), torch.randn(1, 2, 7, 7, 3), torch.randn(1, 2, 13)
    added = grid(maps, vectors) - grid(maps, None)
    torch.testing.assert_close(added, grid.add(vectors).unsqueeze(2).expand_as(added), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("hidden", [2, 40])
def test_spatial_attention_is_equation_4_3_and_4_4_however_it_is_computed(hidden):
    torch.manual_seed(0)
    attend = SpatialAttention(3, hidden, (4, 4))
    grid, h = torch.randn(2, 2, 16, 3), torch.randn(2, 16, 3)
    for n, read in enumerate(attend.of_frames(grid)):
        got = read(h)
        for b, trace in itertools.product(range(2), (0, 7)):
            e = (grid[b, n] * h[b, trace]).T.reshape(1, 3, 4, 4)
            logits = attend.second(attend.first(e).relu())
            torch.testing.assert_close(got[b, trace], logits.flatten().softmax(0), atol=1e-6, rtol=1e-4)


def test_traces_are_equations_4_1_and_4_2():
    torch.manual_seed(0)
    detector = ConceptDetector(CTSANConfig(grid=3, attention=2), (2, 2), 5)
    grid, cell = torch.randn(1, 3, 4, 3), torch.nn.LSTMCell(3, 3)
    order = [0, 1, 3, 2]  # torch's gates are i, f, g, o; ours are i, f, o, g

    def reordered(weight):
        return torch.cat([weight.chunk(4)[k] for k in order])

    with torch.no_grad():
        cell.weight_ih.copy_(reordered(detector.w.weight))
        cell.bias_ih.copy_(reordered(detector.w.bias))
        cell.weight_hh.copy_(reordered(detector.u.weight))
        cell.bias_hh.zero_()
    expected = []
    for trace in range(4):
        h = c = torch.zeros(1, 3)
        alpha = torch.eye(4)[trace]
        for n in range(3):
            if n:
                alpha = detector.attend.of_products(grid[:, n], h[None])[0, 0]
            h, c = cell((alpha @ grid[0, n])[None], (h, c))
        expected.append(h[0])
    got = detector.last_states(grid, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(got[0], torch.stack(expected))
    torch.testing.assert_close(detector(grid, torch.ones(1, 3).bool()), detector.read(got.flatten(1)))


def test_traces_end_at_the_last_valid_frame():
    torch.manual_seed(0)
    detector = ConceptDetector(CTSANConfig(grid=3, attention=2), (2, 2), 5)
    grid = torch.randn(2, 4, 4, 3)
    mask = torch.tensor([[True, False, False, False], [True, True, True, False]])
    got = detector.last_states(grid, mask)
    torch.testing.assert_close(got[:1], detector.last_states(grid[:1, :1], mask[:1, :1]))
    torch.testing.assert_close(got[1:], detector.last_states(grid[1:, :3], mask[1:, :3]))


def test_concepts_are_the_commonest_nouns_verbs_and_adjectives():
    vocabulary = toy_data().assets["vocabulary"]
    said = [
        (("the", "man", "holds", "the", "red", "ball"), ("DET", "NOUN", "VERB", "DET", "ADJ", "NOUN")),
        (("a", "man", "walks", "right"), ("DET", "NOUN", "VERB", "ADV")),
        (("a", "zebra", "walks"), ("DET", "NOUN", "VERB")),
    ]
    tagged = [example({"sentence": words, "sentence_pos": tags}) for words, tags in said]
    assert concept_words(tagged, vocabulary, 4, "data") == ["man", "walks", "ball", "holds"]
    plain = [example({"sentence": words}) for words, _ in said]
    by_stop_list = ["man", "walks", "ball", "holds", "red", "right"]
    with pytest.raises(UsageError, match="run its variant stop-list, or parsed"):
        concept_words(plain, vocabulary, 9, "data")
    assert concept_words(plain, vocabulary, 9, "none") == by_stop_list
    assert concept_words(tagged, vocabulary, 9, "none") == by_stop_list
    assert {"the", "a"} <= STOP_LIST


def test_a_parser_tags_sentences_where_there_is_one():
    pytest.importorskip("spacy")
    vocabulary = toy_data().assets["vocabulary"]
    said = [example({"sentence": ("a", "man", "holds", "the", "red", "ball")})]
    found = set(concept_words(said, vocabulary, 9, "parser"))
    assert {"man", "holds", "ball"} <= found
    assert not found & {"a", "the"}


def test_a_parser_that_is_not_installed_is_a_reason_to_skip(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SkippedPair, match=r"reelbench\[parse\]"):
        METHOD.upstream(CTSANConfig(tags="parser"), "captions")


def test_the_ensemble_is_of_blanks_and_starts_from_the_full_models_detector():
    config = toy_fit(METHOD, "blanks", "ensemble").config
    assert METHOD.upstream(config, "blanks")[0].variant == "full"
    for recipe in ("captions", "choices", "retrieval"):
        with pytest.raises(SkippedPair, match="blanks only"):
            METHOD.upstream(config, recipe)


def test_the_reference_vector_has_the_concepts_that_are_said():
    np.testing.assert_array_equal(concept_vector(["ball", "box", "red"], ("a", "red", "ball")), [1, 0, 1])


@pytest.mark.parametrize(
    ("recipe", "said"), [("captions", {"ball", "red"}), ("blanks", {"ball", "red"}), ("choices", {"box"})]
)
def test_reference_concepts_are_those_of_the_true_words(recipe, said):
    ctx, _ = fit(recipe)
    seen = {"video": video(np.random.default_rng(0), 3)}
    examples = {
        "captions": example(seen | {"sentence": ("the", "red", "ball")}, {}),
        "blanks": example(seen | {"sentence": ("the", "red", "_____"), "blank": 2}, {"answer": "ball"}),
        "choices": example(seen | {"choices": [("ball",), ("the", "box")]}, {"answer": 1}),
    }
    vector = METHOD.prepare(examples[recipe], ctx)["concepts"]
    assert {word for word, on in zip(CONCEPTS, vector, strict=True) if on} == said


def test_concept_loss_is_equation_4_6():
    p, reference = np.array([0.9, 0.2, 0.5]), np.array([1.0, 0.0, 1.0])
    expected = -np.mean(reference * np.log(p) + (1 - reference) * np.log(1 - p))
    logits = torch.tensor(np.log(p / (1 - p)))[None]
    assert concept_loss(logits, torch.tensor(reference)[None]).item() == pytest.approx(expected)


# --- semantic attention ----------------------------------------------------------------------------------------------


def test_input_attention_is_equation_4_9_and_4_10():
    torch.manual_seed(0)
    attend = InputAttention(4, 5, attends=True)
    attend.scale.data.normal_()
    words, concepts = torch.randn(2, 3, 4), torch.randn(2, 6, 4)
    x, gamma = attend(words, concepts)
    for r, t in itertools.product(range(2), range(3)):
        e = torch.stack([words[r, t] @ attend.w_gamma.weight @ a for a in concepts[r]]).exp()
        expected = e / e.sum()
        mixed = sum(g * a for g, a in zip(expected, concepts[r], strict=True))
        torch.testing.assert_close(gamma[r, t], expected)
        torch.testing.assert_close(
            x[r, t], attend.w_x.weight @ (words[r, t] + torch.diag(attend.scale) @ mixed)
        )


def test_output_attention_is_equation_4_11_and_4_12():
    torch.manual_seed(0)
    attend = OutputAttention(4, 5, attends=True)
    attend.scale.data.normal_()
    states, concepts = torch.randn(2, 3, 5), torch.randn(2, 6, 4)
    p, beta = attend(states, concepts)
    for r, t in itertools.product(range(2), range(3)):
        values = [attend.w_beta.weight @ torch.tanh(a) for a in concepts[r]]
        e = torch.stack([states[r, t] @ v for v in values]).exp()
        expected = e / e.sum()
        mixed = sum(b * v for b, v in zip(expected, values, strict=True))
        torch.testing.assert_close(beta[r, t], expected)
        torch.testing.assert_close(p[r, t], states[r, t] + attend.scale * mixed)


def test_the_attention_cost_is_equation_4_15_over_valid_steps():
    weights = torch.tensor([[[0.5, 0.5], [1.0, 0.0], [0.3, 0.7]]])
    mask = torch.tensor([[True, True, False]])
    of_concepts = math.sqrt((0.5 + 1.0) ** 2 + 0.5**2)
    of_steps = (math.sqrt(0.5) + math.sqrt(0.5)) ** 2 + 1.0
    assert attention_cost(weights, mask).item() == pytest.approx(of_concepts + of_steps, abs=1e-4)


def test_the_attention_cost_has_a_gradient_where_a_weight_is_nothing():
    logits = torch.tensor([[[200.0, -200.0]]], requires_grad=True)
    attention_cost(logits.softmax(-1), torch.ones(1, 1).bool()).backward()
    assert torch.isfinite(logits.grad).all()


# --- recurrences -----------------------------------------------------------------------------------------------------


def test_a_layer_without_normalisation_is_the_standard_lstm():
    torch.manual_seed(0)
    ours, theirs = NormalisedLSTM(3, 4, normalise=False), torch.nn.LSTM(3, 4, batch_first=True)
    with torch.no_grad():
        for own, other in ((ours.w.weight, theirs.weight_ih_l0), (ours.u.weight, theirs.weight_hh_l0)):
            other.copy_(torch.cat([own.chunk(4)[k] for k in (0, 1, 3, 2)]))
        theirs.bias_ih_l0.copy_(torch.cat([ours.w.bias.chunk(4)[k] for k in (0, 1, 3, 2)]))
        theirs.bias_hh_l0.zero_()
    x, state = torch.randn(2, 5, 3), (torch.randn(2, 4), torch.randn(2, 4))
    h, c = ours(x, state)
    expected, (last, cell) = theirs(x, tuple(s[None] for s in state))
    torch.testing.assert_close(h, expected)
    torch.testing.assert_close((h[:, -1], c[:, -1]), (last[0], cell[0]))


def test_layer_normalisation_is_where_ba_et_al_put_it():
    torch.manual_seed(0)
    layer = NormalisedLSTM(3, 4, normalise=True)
    for parameter in layer.parameters():
        parameter.data.normal_()
    x, h, c = torch.randn(1, 1, 3), torch.randn(1, 4), torch.randn(1, 4)

    def norm(part, vector):
        centred = vector - vector.mean()
        return centred / (centred.square().mean() + 1e-5).sqrt() * part.weight + part.bias

    gates = norm(layer.norm_x, layer.w.weight @ x[0, 0]) + norm(layer.norm_h, layer.u.weight @ h[0])
    i, f, o, new = gates.chunk(4)
    cell = f.sigmoid() * c[0] + i.sigmoid() * new.tanh()
    expected = o.sigmoid() * norm(layer.norm_c, cell).tanh()
    got_h, got_c = layer(x, (h, c))
    torch.testing.assert_close((got_h[0, 0], got_c[0, 0]), (expected, cell))


def test_last_states_are_those_of_valid_steps():
    torch.manual_seed(0)
    deep = DeepLSTM(3, 4, 2, 0.0, normalise=True)
    x = torch.randn(2, 5, 3)
    mask = torch.arange(5) < torch.tensor([[2], [5]])
    _, states = deep(x, mask)
    _, alone = deep(x[:1, :2], mask[:1, :2])
    for (h, c), (h1, c1) in zip(states, alone, strict=True):
        torch.testing.assert_close((h[:1], c[:1]), (h1, c1))


def test_a_sentence_is_read_to_its_last_word_from_a_state():
    torch.manual_seed(0)
    reader, cell = SentenceReader(4, 0.0), torch.nn.LSTMCell(4, 4)
    cell.load_state_dict(
        {name.removesuffix("_l0"): value for name, value in reader.lstm.state_dict().items()}
    )
    x, mask = torch.randn(2, 5, 4), torch.arange(5) < torch.tensor([[2], [5]])
    start = (torch.randn(2, 4), torch.randn(2, 4))
    for row, length in enumerate((2, 5)):
        state = tuple(s[row : row + 1] for s in start)
        for t in range(length):
            state = cell(x[row : row + 1, t], state)
        torch.testing.assert_close(reader(x, mask, start)[row], state[0][0])


def test_a_sentence_is_dropped_out_where_it_goes_in_and_where_it_comes_out(monkeypatch):
    reader, x, mask = SentenceReader(4, 0.5), torch.randn(2, 5, 4), torch.ones(2, 5).bool()
    expected = 2 * reader.eval()(2 * x, mask)
    monkeypatch.setattr(reader.dropout, "forward", lambda kept: 2 * kept)
    torch.testing.assert_close(reader(x, mask), expected)


@pytest.mark.parametrize("recipe", list(CTSAN.recipes))
@pytest.mark.parametrize(("preset", "rate"), [("tiny", 0.0), ("base", 0.2), ("paper", 0.2)])
def test_every_lstm_of_words_and_the_video_encoder_have_the_presets_dropout(recipe, preset, rate):
    ctx, data = fit(recipe, preset=preset)
    with torch.device("meta"):
        module = METHOD.build(data, ctx.config)
    readers = [part for part in module.modules() if isinstance(part, DeepLSTM | SentenceReader)]
    assert [part.dropout.p for part in readers] == [rate] * (3 if recipe == "blanks" else 2)


def test_what_a_sentence_starts_from_is_there_at_its_end():
    torch.manual_seed(0)
    video, words, mask = torch.randn(1, 8), torch.zeros(1, 12, 8), torch.ones(1, 12).bool()
    kept = [
        DeepLSTM(8, 8, 1, 0.0, normalise=True, forget=forget)(words, mask, [(video, video)])[1][0][1]
        for forget in (1.0, LASTING)
    ]
    near = [torch.cosine_similarity(cell, video).item() for cell in kept]
    assert near[1] > near[0] + 0.1


@pytest.mark.parametrize(("recipe", "scale"), [("blanks", 1.0), ("choices", -1.0), ("retrieval", -1.0)])
def test_a_word_first_attends_to_itself_among_the_concepts(recipe, scale):
    ctx, data = fit(recipe)
    module = built(ctx, data)
    words = torch.nn.functional.normalize(torch.randn(1, 6, ctx.config.word), dim=-1)
    x, gamma = module.attend_input(words, words)
    assert (gamma.argmax(-1) == torch.arange(6)).all()
    torch.testing.assert_close(x, module.attend_input.w_x(words + scale * gamma @ words))


# --- the models ------------------------------------------------------------------------------------------------------


def test_compact_bilinear_pooling_is_a_sketch_of_the_outer_product():
    torch.manual_seed(0)
    pool = CompactBilinear(4, 7)
    left, right = torch.randn(3, 4), torch.randn(3, 4)
    expected = torch.zeros(3, 7)
    for i, j in itertools.product(range(4), range(4)):
        place = int(pool.places[0, i] + pool.places[1, j]) % 7
        expected[:, place] += pool.signs[0, i] * pool.signs[1, j] * left[:, i] * right[:, j]
    torch.testing.assert_close(pool(left, right), expected, atol=1e-5, rtol=1e-4)


def test_concepts_are_the_words_of_the_highest_probability():
    ctx, data = fit(concept_words=2)
    module = built(ctx, data)
    logits = torch.tensor([[0.0, 3.0, -1.0, 0.5, 2.0, 1.0]])
    index = data.assets["vocabulary"].index
    expected = module.embed(torch.tensor([[index[CONCEPTS[1]], index[CONCEPTS[4]]]]))
    torch.testing.assert_close(module.best_concepts(logits), expected)


def test_a_blank_is_read_from_both_sides_and_from_the_video():
    ctx, data = fit("blanks")
    module = built(ctx, data).eval()
    seen, _ = module.watch(training_batch(ctx, 1))
    words, valid = torch.randint(5, 16, (1, 6)), torch.ones(1, 6).bool()
    blank = torch.tensor([2])
    before, _ = module(words, valid, blank, seen)
    for place in (0, 5):
        other = words.clone()
        other[0, place] = (other[0, place] - 5 + 1) % 11 + 5
        assert not torch.allclose(module(other, valid, blank, seen)[0], before)
    moved = [(h + 1, c) for h, c in seen.states]
    assert not torch.allclose(module(words, valid, blank, replace(seen, states=moved))[0], before)


def test_a_step_at_a_time_says_what_all_words_at_once_do():
    ctx, data = fit()
    module = built(ctx, data).eval()
    seen, _ = module.watch(training_batch(ctx, 2))
    words, valid = torch.randint(5, 16, (2, 4)), torch.ones(2, 4).bool()
    together, _ = module(words, valid, seen)
    for step in range(4):
        logits, _, seen = module.advance(words[:, step : step + 1], valid[:, :1], seen)
        torch.testing.assert_close(logits[:, 0], together[:, step], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("beam", [1, 3])
def test_captions_are_words_of_the_vocabulary(beam):
    ctx, data = fit(**{"predict.beam": beam})
    said = captions(built(ctx, data).eval(), training_batch(ctx, 3), ctx)
    assert len(said) == 3
    assert {word for caption in said for word in caption.split()} <= {*WORDS, "<unk>", "_____"}


@pytest.mark.parametrize("recipe", ["blanks", "choices"])
def test_predictions_are_the_same_alone_and_in_a_batch(recipe):
    ctx, data = fit(recipe)
    module = built(ctx, data).eval()
    rng = np.random.default_rng(0)
    prepared = [METHOD.prepare(training_example(recipe, rng, i), ctx) for i in range(5)]
    together = METHOD.predict_step(module, collate(prepared), ctx)["scores"]
    alone = torch.cat([METHOD.predict_step(module, collate([e]), ctx)["scores"] for e in prepared])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_a_pair_scores_the_same_alone_in_a_tile_and_in_training():
    ctx, data = fit("retrieval")
    module = built(ctx, data).eval()
    batch = training_batch(ctx, 4)
    queries, gallery = METHOD.encode_query(module, batch, ctx), METHOD.encode_gallery(module, batch, ctx)
    tile = pair_scores(module, queries, gallery)
    assert tile.shape == (4, 4)
    one = {name: kept[2:3] for name, kept in gallery.items()}
    alone = pair_scores(module, Padded(queries.data[1:2], queries.mask[1:2]), one)
    torch.testing.assert_close(alone[0, 0], tile[1, 2], atol=1e-5, rtol=1e-4)
    seen, _ = module.watch(batch)
    row, column = torch.tensor([1]), torch.tensor([2])
    scores, _ = module(queries.data[row], queries.mask[row], seen.rows(column))
    torch.testing.assert_close(scores[0], tile[1, 2], atol=1e-5, rtol=1e-4)


def test_two_renderings_of_a_script_are_no_negatives():
    ctx, data = fit("retrieval")
    batch = training_batch(ctx, 4)
    batch.fields["content"][:] = ["same"] * 4
    assert METHOD.training_step(built(ctx, data), batch, ctx)["task"].item() == 0.0


def test_choices_are_ranked_by_a_margin():
    ctx, data = fit("choices")
    module, batch = built(ctx, data), training_batch(ctx, 2)
    scores = METHOD.predict_step(module, batch, ctx)["scores"]
    expected = sum(
        max(0.0, float(scores[k, j] - scores[k, answer]) + 1.0)
        for k, answer in enumerate(batch.targets["answer"].tolist())
        for j in range(5)
        if j != answer
    )
    assert METHOD.training_step(module, batch, ctx)["task"].item() == pytest.approx(expected / 2, rel=1e-4)


def test_a_blank_outside_the_label_space_teaches_nothing():
    ctx, data = fit("blanks")
    unknown = training_example("blanks", np.random.default_rng(0), 0).with_targets(answer="zebra")
    batch = collate([METHOD.prepare(unknown, ctx)])
    assert METHOD.training_step(built(ctx, data), batch, ctx)["task"].item() == 0.0


def test_ensembles_average_probabilities():
    ctx, data = fit("blanks")
    scores = METHOD.predict_step(built(ctx, data).eval(), training_batch(ctx, 3), ctx)["scores"]
    torch.testing.assert_close(scores.sum(1), torch.ones(3))


@pytest.mark.parametrize("frames", [1, 2, 90])
def test_any_number_of_frames_is_borne(frames):
    ctx, data = fit("choices")
    rng = np.random.default_rng(0)
    one = example({"video": video(rng, frames), "choices": [("a",), ("zebra",), ("the", "ball")]})
    prepared = METHOD.prepare(one, ctx)
    assert len(prepared["maps"]) == len(prepared["vectors"]) == min(frames, ctx.config.max_frames)
    scores = METHOD.predict_step(built(ctx, data).eval(), collate([prepared]), ctx)["scores"]
    assert torch.isfinite(scores).all()


def test_a_window_is_the_mean_of_the_rows_until_the_next():
    rows = np.arange(7, dtype=np.float32)[:, None]
    np.testing.assert_allclose(window_means(rows, 3)[:, 0], [0.5, 2.5, 5.0])
    np.testing.assert_allclose(window_means(rows[:2], 4)[:, 0], [0, 0, 1, 1])


@pytest.mark.parametrize("recipe", list(CTSAN.recipes))
def test_it_learns_a_toy(recipe):
    ctx, data = fit(recipe)
    module, batch = built(ctx, data), training_batch(ctx, 8)
    curve = toy_curve(METHOD, module, batch, ctx, steps=20, rate=5e-3)
    assert curve[-1]["task"] < 0.5 * curve[0]["task"]
