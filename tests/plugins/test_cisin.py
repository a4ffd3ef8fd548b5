"""CiSIN: equations on small cases, who stands where, losses, ablations, closures."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, product

import numpy as np
import pytest
import torch
from plugin_toys import example, toy_context, toy_curve, toy_fit

from reelbench import DataInfo, FeatureSpec, Vocabulary, collate
from reelbench.batching import Padded
from reelbench.errors import FeatureError, UsageError
from reelbench.plugins.cisin import losses
from reelbench.plugins.cisin.method import CiSIN
from reelbench.plugins.cisin.model import LEVEL, BodyParts, MotionRows, Tracks, identity, log_identity
from reelbench.plugins.cisin.tracks import grid_bodies, metadata, representatives
from reelbench.plugins.cisin.words import clause_head, whole_words, word_pieces
from reelbench.plugins.layers import pretrained
from reelbench.resolution import variants_of

METHOD = CiSIN()
VARIANTS = sorted(variants_of(METHOD))
WORDS = ("[someone]", "walks", "who", "sang", "before", "hands", "the", "lamp", "to", "by", "herself")
SPECS = {
    name: FeatureSpec(name, (dim,), 1.0)
    for name, dim in {"person_face": 6, "person_look": 5, "person_body": 53}.items()
}
MOMENTS = {
    name: {"mean": np.zeros(dim, np.float32), "scale": np.ones(dim, np.float32)}
    for name, dim in {"face": 6, "box": 5, "motion": 58, "points": 1}.items()
}
PROTOCOLS = ("grounding", "video", "text", "characters")
COLUMN = {"grounding": "links", "video": "same", "text": "same", "characters": "labels"}


def fit(variant="full", preset="tiny", **overrides):
    sizes = {"hidden": 8, "text_width": 8, "part_width": 4, "motion_width": 6, "max_words": 64}
    if preset == "tiny":
        sizes |= {"dropout": 0.0, "text_dropout": 0.0}
    resolved = toy_fit(METHOD, "joint", variant, preset, **(sizes | overrides))
    assets = {
        "vocabulary": Vocabulary.from_sentences([WORDS]),
        "moments": MOMENTS,
        "points": [24, 1],
    }
    data = DataInfo("toy", SPECS, {}, assets)
    return toy_context(resolved, "joint", data, phase=resolved.phases[0]), data


def built(ctx, data):
    torch.manual_seed(0)
    return METHOD.build(data, ctx.config)


def toy_track(rng, rows):
    track = {name: rng.normal(size=(rows, spec.dim)).astype(np.float32) for name, spec in SPECS.items()}
    track["person_body"][:, 48:50] = rng.integers(0, 60, size=2) / 84
    return track


def toy_set(rng, clips=3, tracks=2, mentions=None):
    """Sets of two people who are both in every clip; each clip has a sentence with one of them."""
    sentences = [("[someone]", "walks"), ("[someone]", "hands", "the", "lamp"), ("the", "[someone]", "walks")]
    marked = [(c, sentences[c % 3].index("[someone]")) for c in range(clips)]
    marked = marked if mentions is None else marked[:mentions]
    people = rng.integers(0, 2, size=len(marked))
    fields = {
        "sentences": [sentences[c % 3] for c in range(clips)],
        "sentences_head": [((1, -1), (1, -1, 3, 1), (1, 2, -1))[c % 3] for c in range(clips)],
        "sentences_pos": [
            (("PROPN", "VERB"), ("PROPN", "VERB", "DET", "NOUN"), ("DET", "PROPN", "VERB"))[c % 3]
            for c in range(clips)
        ],
        "mentions": np.array(marked, np.int64).reshape(-1, 2),
        "tracks": [toy_track(rng, int(rng.integers(1, 5))) for _ in range(clips * tracks)],
        "track_clip": np.repeat(np.arange(clips), tracks),
        "genders": people,
    }
    return example(
        fields,
        {
            "mention_identity": people,
            "track_identity": np.tile(np.arange(tracks), clips),
            "mention_track": np.array([tracks * c + p for (c, _), p in zip(marked, people, strict=True)], np.int64),
        },
    )  # fmt: skip


def batch_of(ctx, *examples):
    return collate([METHOD.prepare(e, ctx) for e in examples])


def toy_batch(ctx, seed=0):
    rng = np.random.default_rng(seed)
    return batch_of(ctx, toy_set(rng), toy_set(rng, clips=2, tracks=3), toy_set(rng, clips=4))


def padded(*rows):
    length = max(map(len, rows))
    return Padded(
        torch.tensor([[*row, *[0] * (length - len(row))] for row in rows]),
        torch.tensor([[i < len(row) for i in range(length)] for row in rows]),
    )


# --- what is read -----------------------------------------------------------------------------------------------------


def test_the_clause_head_is_the_verb_of_a_mention_wherever_it_stands():
    heads = (4, 2, 0, 2, -1, 7, 5, 4, 10, 10, 7)
    pos = ("PROPN", "PRON", "VERB", "ADV", "VERB", "NOUN", "DET", "VERB", "ADP", "DET", "PROPN")
    fields = {"sentences_head": [heads], "sentences_pos": [pos]}
    assert clause_head(fields, 0, 0) == 4
    through_a_noun = {"sentences_head": [(1, -1, 3, 1, 5, 3)], "sentences_pos": [
        ("PROPN", "VERB", "DET", "NOUN", "ADP", "PROPN")]}  # fmt: skip
    assert clause_head(through_a_noun, 0, 5) == 1
    assert clause_head({"sentences_head": [(1, -1, 3, 1, 5, 3)]}, 0, 5) == 3
    assert clause_head({}, 0, 5) == 5
    circle = {"sentences_head": [(1, 0)], "sentences_pos": [("NOUN", "NOUN")]}
    assert clause_head(circle, 0, 0) in (0, 1)


def test_sentences_stand_in_one_sequence_between_marks():
    vocabulary = Vocabulary.from_sentences([WORDS])
    pieces = whole_words([("[someone]", "walks"), (), ("zebra",)], vocabulary, 64)
    assert [vocabulary.words[i] for i in pieces.ids] == [
        "<start>", "[someone]", "walks", "<end>", "<end>", "<unk>", "<end>"
    ]  # fmt: skip
    assert pieces.sentence.tolist() == [0, 0, 0, 0, 1, 2, 2]
    assert [pieces.place(0, 1), pieces.place(2, 0)] == [2, 5]
    assert whole_words([("walks",) * 9, ("sang",)], vocabulary, 5).place(1, 0) == 4


def test_blocks_outside_the_frame_are_not_visible_and_not_in_the_box():
    body = np.zeros((3, 53), np.float32)
    body[:, 48:50] = np.array([[10, 10], [-8, 10], [76, 70]]) / 84
    bodies = grid_bodies(body)
    visible = bodies.visible.reshape(3, 6, 4)
    assert visible[0].all()
    assert visible[1].all(0).tolist() == [False, False, True, True]
    assert visible[2].any(0).tolist() == [True, True, False, False]
    assert visible[2].any(1).tolist() == [True, True, True, False, False, False]
    np.testing.assert_allclose(bodies.boxes[1] * 84, [4, 22, 8, 24], atol=1e-4)


def test_a_body_that_is_not_microworlds_is_refused_with_what_to_set():
    with pytest.raises(FeatureError, match="keypoints and boxes"):
        grid_bodies(np.zeros((1, 40), np.float32))


def test_keypoints_of_a_dataset_are_visible_above_the_confidence():
    specs = {**SPECS, "person_points": FeatureSpec("person_points", (3, 5), 1.0), "person_box": FeatureSpec("person_box", (4,), 1.0)}  # fmt: skip
    ctx, data = fit(keypoints="person_points", boxes="person_box", motion_features=("person_look",))
    moments = {**MOMENTS, "motion": MOMENTS["box"], "points": {"mean": np.zeros(4, np.float32), "scale": np.ones(4, np.float32)}}  # fmt: skip
    data = replace(data, features=specs, assets={**data.assets, "moments": moments, "points": [3, 4]})
    ctx, rng = replace(ctx, data=data), np.random.default_rng(0)
    one = toy_set(rng)
    for track in one["tracks"]:
        rows = len(track["person_face"])
        track["person_points"] = rng.normal(size=(rows, 3, 5)).astype(np.float32)
        track["person_points"][:, :, 4] = [0.9, 0.3, 0.31]
        track["person_box"] = np.full((rows, 4), 0.5, np.float32)
    batch = batch_of(ctx, one)
    assert METHOD.features(ctx.config, "joint") == (
        "person_face",
        "person_look",
        "person_points",
        "person_box",
    )
    assert batch["points"].data.shape == (1, 6, 3, 4)
    assert batch["visible"].data[0].tolist() == [[True, False, True]] * 6
    assert torch.isfinite(METHOD.training_step(built(ctx, data), batch, ctx)["loss"])


def test_the_representative_row_has_the_largest_box_and_metadata_is_relative_to_the_clip():
    owners, clips = np.array([0, 0, 0, 1]), np.array([0, 0])
    boxes = np.array([[0.5, 0.5, 0.1, 0.1], [0.4, 0.5, 0.2, 0.1], [0.3, 0.5, 0.2, 0.1], [0.9, 0.1, 0.1, 0.3]], np.float32)  # fmt: skip
    chosen = representatives(owners, boxes, 2)
    assert chosen.tolist() == [1, 3]
    np.testing.assert_allclose(
        metadata(owners, boxes, chosen, clips), [[0.4, 0.5, 1, 0.02], [0.9, 0.1, 1 / 3, 0.03]], atol=1e-6
    )


# --- the graphs -------------------------------------------------------------------------------------------------------


def test_motion_rows_see_their_neighbours_in_the_same_track_only():
    torch.manual_seed(0)
    layer, rows = MotionRows(2, 3), torch.randn(1, 4, 2)
    got = layer(rows, torch.tensor([[0, 0, 1, 1]]))
    zero = torch.zeros(2)
    triples = [(zero, rows[0, 0], rows[0, 1]), (rows[0, 0], rows[0, 1], zero), (zero, rows[0, 2], rows[0, 3])]
    for row, triple in enumerate(triples):
        expected = torch.nn.functional.leaky_relu(layer.linear(torch.cat(triple)))
        torch.testing.assert_close(got[0, row], expected)


def test_body_parts_are_matched_where_both_are_visible_as_in_equation_6_8():
    torch.manual_seed(0)
    parts, nothing = BodyParts(3, 2, 5, 4, 0.0), torch.zeros(0)
    visible = torch.tensor([[[1.0, 1, 0], [1, 0, 1], [0, 0, 0]]])
    tracks = Tracks(nothing, nothing, torch.randn(1, 3, 5), torch.randn(1, 3, 3, 2), visible, nothing)  # fmt: skip
    got, p = parts(tracks)[0].detach(), parts.embed(tracks.points, tracks.box)[0].detach()
    for i, j in product(range(3), range(3)):
        shared = [k for k in range(3) if visible[0, i, k] and visible[0, j, k]]
        each = sum(float(p[i, k] @ p[j, k]) for k in shared)
        expected = parts.dot.scale.item() * each / max(1, len(shared))
        assert got[i, j].item() == pytest.approx(expected, abs=1e-4)


def test_grounding_is_equations_6_3_to_6_5():
    ctx, data = fit()
    module, batch = built(ctx, data).eval(), toy_batch(ctx)
    g, tracks = module.grounding, module.tracks(batch)
    someone, action = module.characters(batch)
    got = module(batch).grounding
    s = torch.cat([someone[1, 1], action[1, 1]])
    face = g.said["face"](s) * g.seen["face"](tracks.face[1, 4])
    motion = g.said["motion"](s) * g.seen["motion"](tracks.motion[1, 4])
    fused = torch.cat([g.metadata(tracks.metadata[1, 4]), face, motion])
    torch.testing.assert_close(got[1, 1, 4], g.score(fused)[0], atol=1e-5, rtol=1e-4)


def test_track_embeddings_are_means_over_a_tracks_own_rows():
    ctx, data = fit()
    rng = np.random.default_rng(0)
    one, other = toy_set(rng), toy_set(rng, clips=2)
    tracks = built(ctx, data).eval().tracks(batch_of(ctx, one, other))
    for k, track in enumerate(other["tracks"]):
        np.testing.assert_allclose(tracks.face[1, k].numpy(), track["person_face"].mean(0), atol=1e-5)


def test_the_text_graph_is_symmetric_and_of_products():
    ctx, data = fit()
    module, batch = built(ctx, data).eval(), toy_batch(ctx)
    someone, _ = module.characters(batch)
    logits = module(batch).text
    torch.testing.assert_close(logits, logits.transpose(1, 2))
    torch.testing.assert_close(
        logits[0, 0, 2], module.text.score(someone[0, 0] * someone[0, 2])[0], atol=1e-5, rtol=1e-4
    )


def test_picks_are_softmax_in_training_and_the_best_track_of_the_clip_in_test():
    ctx, data = fit()
    module, batch = built(ctx, data), toy_batch(ctx)
    graphs = module.train()(batch)
    tracks = batch["track_clip"]
    clips = (tracks.data[1] == batch["mention_clip"].data[1, 0]) & tracks.mask[1]
    expected = torch.softmax(graphs.grounding[1, 0][clips], 0)
    torch.testing.assert_close(graphs.picks[1, 0][clips], expected)
    assert graphs.picks[1, 0][~clips].eq(0).all()
    tested = module.eval()(batch).picks[1, 0]
    assert tested.tolist() == torch.nn.functional.one_hot(tested.argmax(), len(tested)).tolist()


def test_the_identity_graph_is_equation_6_11():
    ctx, data = fit()
    module, batch = built(ctx, data).eval(), toy_batch(ctx)
    with torch.no_grad():
        module.video.level.fill_(0.02)
        graphs = module(batch)
    got = identity(losses.identity_logits(module, graphs))
    v = graphs.video[0] + module.video.bias
    best = [int(graphs.picks[0, n].argmax()) for n in range(3)]
    for i, j in product(range(3), range(3)):
        r = torch.sigmoid(v[best[i], best[j]])
        torch.testing.assert_close(got[0, i, j], (torch.sigmoid(graphs.text[0, i, j]) + r) / 2)


def test_text_refines_the_video_graph_by_lambda():
    ctx, data = fit()
    module, batch = built(ctx, data).eval(), toy_batch(ctx)
    with torch.no_grad():
        module.refine.fill_(0.5 / LEVEL)
    graphs = module(batch)
    mentions = int(batch["mention_place"].lengths[1])
    g, said = graphs.picks[1, :mentions], torch.sigmoid(graphs.text[1, :mentions, :mentions])
    expected = graphs.video[1] + module.video.bias + 0.5 * g.T @ said @ g
    torch.testing.assert_close(module.same_tracks(graphs)[1], expected)


def test_log_of_the_identity_graph_neither_underflows_nor_differs():
    logits = [torch.tensor([0.3, -200.0]), torch.tensor([-1.2, -300.0])]
    torch.testing.assert_close(log_identity(logits)[0], identity(logits)[0].log())
    torch.testing.assert_close(log_identity([-x for x in logits])[0], (1 - identity(logits)[0]).log())
    assert log_identity(logits)[1].item() == pytest.approx(-200 - np.log(2), rel=1e-4)


# --- the losses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("negatives", ["all", "hardest"])
def test_grounding_hinges_against_a_naive_loop(negatives):
    ctx, _ = fit(negatives=negatives)
    torch.manual_seed(0)
    scores = 3 * torch.randn(1, 4, 5)
    track, people = padded([0, 3, -1, 4]), padded([7, 8, 7, 7])
    mention_clip, track_clip = [0, 1, 1, 1], [0, 0, 1, 1, 1]
    near = torch.tensor([[[m == t for t in track_clip] for m in mention_clip]])
    by_track, by_mention = [], []
    for m, t in ((0, 0), (1, 3), (3, 4)):
        margin = ctx.config.grounding_margin - scores[0, m, t]
        others = [o for o in range(5) if track_clip[o] == mention_clip[m] and o != t]
        by_track.append([max(0.0, float(margin + scores[0, m, o])) for o in others])
        others = [o for o in range(4) if people.data[0, o] != people.data[0, m]]
        by_mention.append([max(0.0, float(margin + scores[0, o, t])) for o in others])
    chosen = [[max(row)] if negatives == "hardest" else row for row in (*by_track, *by_mention)]
    by_track, by_mention = (np.mean(list(chain(*rows))) for rows in (chosen[:3], chosen[3:]))
    got = losses.grounding_loss(scores, track, people, near, ctx.config)
    assert got.item() == pytest.approx(by_track + by_mention, rel=1e-5)


def test_video_triplets_against_a_naive_loop():
    torch.manual_seed(0)
    scores, people = torch.randn(2, 4, 4), padded([0, 1, 0, 1], [0, 0, 1])
    hinges = [
        max(0.0, 2.0 - float(scores[b, a, p] - scores[b, a, n]))
        for b, ids in enumerate([[0, 1, 0, 1], [0, 0, 1]])
        for a, p, n in product(range(len(ids)), repeat=3)
        if a != p and ids[a] == ids[p] and ids[a] != ids[n]
    ]
    assert losses.triplet_loss(scores, people, 2.0).item() == pytest.approx(np.mean(hinges), rel=1e-5)


def test_pairs_are_counted_without_padding_and_without_the_diagonal():
    logits = torch.randn(1, 3, 3)
    wide = Padded(torch.tensor([[5, 5, 0]]), torch.tensor([[True, True, False]]))
    expected = -torch.nn.functional.logsigmoid(torch.stack([logits[0, 0, 1], logits[0, 1, 0]])).mean()
    torch.testing.assert_close(losses.pair_cross_entropy(logits, wide), expected)
    torch.testing.assert_close(losses.identity_loss([logits], wide), expected)
    torch.testing.assert_close(losses.pair_cross_entropy(logits[:, :2, :2], padded([5, 5])), expected)


def gradients(ctx, data, name):
    """Parameters that a loss by itself reaches."""
    module = built(ctx, data)
    METHOD.training_step(module, toy_batch(ctx), ctx)[name].backward()
    return {n.partition(".")[0] for n, p in module.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}  # fmt: skip


def test_each_loss_reaches_the_parts_it_should_and_no_other():
    ctx, data = fit()
    reached = {name: gradients(ctx, data, name) for name in ("grounding", "identity", "gender", "threshold")}
    assert reached["grounding"] == {"characters", "tracks", "grounding"}
    assert reached["identity"] == {"characters", "tracks", "grounding", "video", "text"}
    assert reached["gender"] == {"characters", "gender"}
    assert reached["threshold"] == {"video", "refine"}


def test_the_threshold_is_learned_without_moving_the_scores():
    ctx, data = fit()
    module = built(ctx, data)
    METHOD.training_step(module, toy_batch(ctx), ctx)["threshold"].backward()
    moved = {n for n, p in module.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert moved == {"video.level", "refine"}


def test_separately_trained_parts_share_nothing():
    ctx, data = fit("separate-training")
    reached = {name: gradients(ctx, data, name) for name in ("grounding", "identity", "video")}
    assert reached["grounding"] == {"own_characters", "tracks", "grounding"}
    assert reached["identity"] == {"characters", "text"}
    assert reached["video"] == {"video"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_ablation_takes_a_step_and_trains_all_it_has(variant):
    ctx, data = fit(variant)
    module = built(ctx, data)
    loss = METHOD.training_step(module, toy_batch(ctx), ctx)["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    assert [
        n for n, p in module.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()
    ] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_ablation_builds_at_the_papers_size(variant):
    resolved = toy_fit(METHOD, "joint", variant, "paper", pretrained="")
    _, data = fit()
    with torch.device("meta"):
        module = METHOD.build(data, resolved.config)
    assert module.characters.width == 768
    if module.grounding is not None:
        assert module.grounding.score[0].out_features == 1024


# --- predictions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_set_is_answered_the_same_alone_and_beside_longer_ones(variant):
    ctx, data = fit(variant)
    module, rng = built(ctx, data).eval(), np.random.default_rng(3)
    sets = [toy_set(rng, clips=2), toy_set(rng, clips=5, tracks=3), toy_set(rng, clips=1, tracks=1)]
    for protocol in PROTOCOLS:
        asked = replace(ctx, training=False, protocol=protocol)
        with torch.no_grad():
            together = METHOD.predict_step(module, batch_of(asked, *sets), asked)[COLUMN[protocol]]
            alone = [
                METHOD.predict_step(module, batch_of(asked, s), asked)[COLUMN[protocol]][0] for s in sets
            ]
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=1e-5)


def test_links_stay_in_the_mentions_clip():
    ctx, data = fit()
    asked, one = (
        replace(ctx, training=False, protocol="grounding"),
        toy_set(np.random.default_rng(0), clips=5),
    )
    links = METHOD.predict_step(built(ctx, data).eval(), batch_of(asked, one), asked)["links"][0]
    assert one["track_clip"][links].tolist() == one["mentions"][:, 0].tolist()


@pytest.mark.parametrize(("tracks", "mentions"), [(0, 3), (2, 0), (0, 0), (1, 1)])
def test_sets_without_tracks_or_mentions_are_answered(tracks, mentions):
    ctx, data = fit()
    module, one = (
        built(ctx, data).eval(),
        toy_set(np.random.default_rng(0), tracks=max(tracks, 1), mentions=mentions),
    )
    if not tracks:
        one = one.with_fields(tracks=[], track_clip=np.zeros(0, np.int64))
    for protocol in PROTOCOLS:
        asked = replace(ctx, training=False, protocol=protocol)
        with torch.no_grad():
            got = METHOD.predict_step(module, batch_of(asked, one), asked)[COLUMN[protocol]][0]
        assert len(got) == (3 * tracks if protocol == "video" else mentions)
        if not tracks and protocol == "grounding":
            assert got == [-1] * mentions


def test_a_variant_without_a_graph_links_nobody():
    ctx, data = fit("text-only")
    module = built(ctx, data).eval()
    for protocol, nothing in (("grounding", [-1] * 3), ("video", [[0.0] * 6] * 6)):
        asked = replace(ctx, training=False, protocol=protocol)
        batch = batch_of(asked, toy_set(np.random.default_rng(0)))
        assert METHOD.predict_step(module, batch, asked)[COLUMN[protocol]] == [nothing]


@pytest.mark.parametrize("encoder", ["blstm", "transformer"])
def test_it_learns_a_toy(encoder):
    ctx, data = fit(text_encoder=encoder, text_heads=2)
    module, batch = built(ctx, data), toy_batch(ctx)
    terms = toy_curve(METHOD, module, batch, ctx, steps=40, rate=2e-2)[-1]
    assert terms["grounding"] < 0.5
    assert terms["identity"] < 0.45


def test_words_start_from_the_company_they_keep():
    ctx, data = fit()
    vectors = np.random.default_rng(0).normal(size=(len(data.assets["vocabulary"]), 8)).astype(np.float32)
    module = built(ctx, replace(data, assets={**data.assets, "word_vectors": vectors}))
    started = module.characters.encoder.embed.word.weight.detach().numpy()
    np.testing.assert_allclose(started / started.std(), vectors / vectors.std(), rtol=1e-4, atol=1e-5)


def test_a_pretrained_encoder_without_the_library_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError, match="pip install"):
        pretrained.require_transformers()


def test_a_pretrained_encoder_reads_its_own_pieces(tmp_path):
    transformers = pytest.importorskip("transformers")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "someone", "walk", "##s", "the", "lamp", "hands"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces))
    transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    transformers.BertModel(transformers.BertConfig(vocab_size=len(pieces), **sizes)).save_pretrained(tmp_path)
    read = word_pieces([("[someone]", "walks"), ("the", "lamp")], str(tmp_path), 64)
    assert read.ids.tolist() == [2, 5, 6, 7, 3, 8, 9, 3]
    assert read.place(1, 1) == 6
    ctx, data = fit(pretrained=str(tmp_path))
    terms = METHOD.training_step(built(ctx, data), toy_batch(ctx), ctx)
    terms["loss"].backward()
    assert torch.isfinite(terms["loss"])
