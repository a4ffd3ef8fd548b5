"""Baselines of identity: thresholds, what each reads, answers without padding's say."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from plugin_toys import SPECS as CLIP_SPECS
from plugin_toys import example, moments, toy_context, toy_fit, toy_losses, toy_video
from test_cisin import SPECS as PERSON_SPECS
from test_cisin import WORDS, toy_set

from reelbench import Clip, DataInfo, Relation, Vocabulary, collate
from reelbench.plugins.published.identities import distances
from reelbench.plugins.published.identities.method import (
    FeatureDistance,
    FusedMatcher,
    TextEncoder,
    VerbEmbedding,
)
from reelbench.plugins.published.identities.sentences import sentence_places

TRAINED = {
    "text-encoder": (TextEncoder(), {"hidden": 8, "text_width": 8}, ("text", "characters")),
    "verb-embedding": (VerbEmbedding(), {"width": 8, "word": 4}, ("grounding",)),
    "jsfusion-people": (
        FusedMatcher(),
        {"hidden": 8, "text_width": 8, "joint": 6, "decision": (5, 4, 6), "lstm": 4},
        ("text", "characters"),
    ),
}
COLUMN = {"grounding": "links", "text": "same", "characters": "labels"}
SPECS = {**CLIP_SPECS, **PERSON_SPECS}


def fit(name):
    method, sizes, _ = TRAINED[name]
    quiet = {"dropout": 0.0, "text_dropout": 0.0} if name != "verb-embedding" else {}
    resolved = toy_fit(method, "match", "full", "tiny", **sizes, **quiet)
    specs = {m: SPECS[m] for m in method.features(resolved.config, "match")}
    assets = {
        "vocabulary": Vocabulary.from_sentences([WORDS]),
        "moments": moments(sum(s.dim for s in specs.values())),
    }
    data = DataInfo("toy", specs, {}, assets)
    ctx = toy_context(resolved, "match", data, phase=resolved.phases[0])
    torch.manual_seed(0)
    return method, ctx, method.build(data, resolved.config)


def seen_set(rng, **sizes):
    one = toy_set(rng, **sizes)
    return one.with_fields(videos=[toy_video(rng, int(rng.integers(2, 9))) for _ in one["sentences"]])


@pytest.mark.parametrize("name", TRAINED)
def test_it_trains_all_it_has(name):
    method, ctx, module = fit(name)
    rng = np.random.default_rng(0)
    batch = collate([method.prepare(seen_set(rng, clips=c), ctx) for c in (3, 1, 4)])
    loss = method.training_step(module, batch, ctx)
    loss.backward()
    assert torch.isfinite(loss)
    assert [n for n, p in module.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", TRAINED)
def test_it_learns_a_toy(name):
    method, ctx, module = fit(name)
    rng = np.random.default_rng(0)
    batch = collate([method.prepare(seen_set(rng, clips=c), ctx) for c in (3, 1, 4)])
    losses = toy_losses(method, module, batch, ctx, steps=60, rate=1e-2)
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize("name", TRAINED)
def test_a_set_is_answered_the_same_alone_and_beside_longer_ones(name):
    method, ctx, module = fit(name)
    module.eval()
    rng = np.random.default_rng(1)
    sets = [seen_set(rng, clips=2), seen_set(rng, clips=5, tracks=3), seen_set(rng, clips=1, mentions=0)]
    for protocol in TRAINED[name][2]:
        asked = replace(ctx, training=False, protocol=protocol)
        prepared = [method.prepare(s, asked) for s in sets]
        with torch.no_grad():
            together = method.predict_step(module, collate(prepared), asked)[COLUMN[protocol]]
            alone = [method.predict_step(module, collate([p]), asked)[COLUMN[protocol]][0] for p in prepared]
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=1e-5)


def test_fusion_reads_the_clip_of_the_mention_and_the_text_encoder_reads_none():
    method, ctx, module = fit("jsfusion-people")
    module.eval()
    rng = np.random.default_rng(2)
    one = seen_set(rng, clips=3)
    other = one.with_fields(videos=[*one["videos"][:2], toy_video(rng, 4)])
    with torch.no_grad():
        first, second = (module(collate([method.prepare(s, ctx)]))[0] for s in (one, other))
    torch.testing.assert_close(first[:2, :2], second[:2, :2])
    assert (first[2] != second[2]).all()
    assert TextEncoder().features(ctx.config, "match") == ()


def test_the_verb_embedding_hinges_against_other_tracks_of_the_clip():
    method, ctx, module = fit("verb-embedding")
    one = toy_set(np.random.default_rng(3))
    batch = collate([method.prepare(one, ctx)])
    scores = module(batch)[0].detach()
    hinges = []
    for m, right in enumerate(one.targets["mention_track"]):
        clip = one["mentions"][m, 0]
        wrong = [k for k in range(6) if one["track_clip"][k] == clip and k != right]
        hinges += [max(0.0, ctx.config.margin - float(scores[m, right] - scores[m, k])) for k in wrong]
    assert method.training_step(module, batch, ctx).item() == pytest.approx(np.mean(hinges), rel=1e-5)
    assert np.abs(scores.numpy()).max() <= 1 + 1e-5


def test_places_of_sentences_are_their_pieces_and_the_last_where_one_was_cut():
    places = sentence_places(np.array([0, 0, 0, 1]), 3)
    assert [p.tolist() for p in places] == [[0, 1, 2], [3], [3]]


def test_the_threshold_is_right_for_most_pairs():
    values, same = np.array([0.1, 0.2, 0.4, 0.5, 0.9]), np.array([True, True, False, True, False])
    assert distances.best_threshold(values, same) == pytest.approx(0.3)
    assert distances.best_threshold(values, np.zeros(5, bool)) == pytest.approx(0.05)
    assert distances.best_threshold(values, np.ones(5, bool)) > 0.9
    assert distances.best_threshold(np.zeros(0), np.zeros(0, bool)) > 0


def test_tracks_nearer_than_the_threshold_are_one_person():
    method = FeatureDistance()
    resolved = toy_fit(method, "measure", modalities=("person_face",))
    looks = {"a": 0.0, "b": 0.4, "c": 3.0, "d": 3.2}
    sets = [
        example({"tracks": [Clip(t) for t in looks]}, {"track_identity": np.array([0, 0, 1, 1])}, str(i))
        for i in range(3)
    ]
    spec = {"person_face": PERSON_SPECS["person_face"]}
    read = lambda clip, track: {"person_face": np.full((2, 6), looks[clip.video], np.float32)}  # noqa: E731
    source = SimpleNamespace(
        features=spec, read=read, relation=lambda name: Relation(name, "train", {}, sets)
    )
    assets = method.assets(source, resolved.config, "measure")
    ctx = toy_context(resolved, "measure", DataInfo("toy", spec, {}, assets), training=False)
    shown = [read(Clip(t), track=True) for t in ("c", "a", "b")]
    batch = collate([method.prepare(example({"tracks": tracks}), ctx) for tracks in (shown, shown[:1], [])])
    same = method.predict_step(None, batch, ctx)["same"]
    assert [[p >= 0.5 for p in row] for row in same[0]] == [[True, False, False], [False, True, True], [False, True, True]]  # fmt: skip
    assert [len(table) for table in same] == [3, 1, 0]
