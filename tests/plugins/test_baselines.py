"""The standing baselines: what they count, that every task has three, and that each learns what it can see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from plugin_toys import (
    SPACES,
    SPECS,
    example,
    toy_context,
    toy_data,
    toy_fit,
    toy_losses,
    toy_sentence,
    toy_video,
)

from reelbench import Clip, Predictions, Relation, collate
from reelbench.benchmarks import Benchmark, matches
from reelbench.plugins.baselines.chance import Chance
from reelbench.plugins.baselines.copying import Copy
from reelbench.plugins.baselines.frequency_prior import FrequencyPrior
from reelbench.plugins.baselines.gaze_maps import density
from reelbench.plugins.baselines.identities import as_labels, mention_windows
from reelbench.plugins.baselines.linear import Linear
from reelbench.plugins.baselines.losses import link_loss
from reelbench.plugins.baselines.majority import Majority
from reelbench.plugins.baselines.mean_frame import MeanFrame
from reelbench.plugins.baselines.mean_pool import MeanPool
from reelbench.plugins.baselines.moments import candidates_of, ranked, votes
from reelbench.plugins.baselines.nearest_neighbour import NearestNeighbour
from reelbench.plugins.baselines.text_only import TextOnly
from reelbench.plugins.baselines.video_only import VideoOnly
from reelbench.plugins.baselines.vse import VSE
from reelbench.plugins.layers.frames import sample_frames, segment_means
from reelbench.plugins.layers.segments import overlaps
from reelbench.registry import build_registry
from reelbench.vocabulary import Vocabulary

PROTOCOLS = {
    "captioning": ["clip"],
    "storytelling": ["sentence", "set"],
    "multiple_choice": ["choice"],
    "fill_in_blank": ["word"],
    "retrieval": ["sentence", "paragraph"],
    "localization": ["candidates", "spans"],
    "detection": ["events"],
    "reidentification": ["grounding", "video", "text", "characters"],
    "tagging": ["all-labels"],
    "action_recognition": ["seen", "unseen"],
    "gaze": ["frames"],
    "reconstruction": ["video", "sentence", "caption"],
}
EVERY = [Benchmark(task, "microworld/small", p) for task, protocols in PROTOCOLS.items() for p in protocols]
CANDIDATES = np.array([[0.0, 5.0], [5.0, 10.0], [0.0, 10.0]])


class Source:
    """What ``assets`` reads, over given rows."""

    spaces, features = SPACES, SPECS

    def __init__(self, rows):
        self.rows, self.rng = rows, np.random.default_rng(0)

    def relation(self, name, split="train"):
        return Relation(name, split, {}, self.rows)

    def read(self, clip, *, track=False):
        return toy_video(np.random.default_rng(0), 3)


@pytest.mark.parametrize("benchmark", EVERY, ids=str)
def test_every_benchmark_has_three_baselines_and_chance_is_one(benchmark):
    serving = [
        m.name
        for m in build_registry().methods.values()
        if m.role == "baseline" and any(matches(p, benchmark) for r in m.recipes.values() for p in r.serves)
    ]
    assert "chance" in serving
    assert len(serving) >= 3


# --- moments ----------------------------------------------------------------------------------------------------


def moment(segments, candidates=CANDIDATES):
    fields = {
        "video": None,
        "query": ("a", "man"),
        "duration_s": 10.0,
        "candidates": candidates,
        "chunk_s": 5.0,
    }
    return example(fields, {"segments": np.array(segments)})


def test_overlap_is_intersection_over_union():
    np.testing.assert_allclose(overlaps(np.array([[0.0, 5.0]]), CANDIDATES), [[1.0, 0.0, 0.5]])


def test_annotations_vote_for_the_nearest_candidate_and_ties_for_the_earlier():
    assert votes(moment([[0.0, 5.0], [4.0, 10.0], [0.0, 10.0], [2.5, 7.5]])).tolist() == [1, 1, 2]
    assert votes(moment([[2.5, 7.5]], CANDIDATES[:2])).tolist() == [1, 0]


def test_free_spans_are_ranked_as_runs_of_sixths():
    runs = candidates_of(moment([[0.0, 1.0]], np.zeros((0, 2))))
    assert len(runs) == 21
    assert runs[0].tolist() == pytest.approx([0, 10 / 6])
    assert runs[-1].tolist() == pytest.approx([50 / 6, 10])


def test_ties_keep_the_candidates_order():
    assert ranked(CANDIDATES, [1.0, 2.0, 1.0]) == [[5.0, 10.0], [0.0, 5.0], [0.0, 10.0]]


def test_the_prior_ranks_by_how_often_annotators_chose():
    method = FrequencyPrior()
    source = Source([moment([[5.0, 10.0], [5.0, 10.0]]), moment([[0.0, 10.0]])])
    resolved = toy_fit(method, "count")
    ctx = toy_context(
        resolved,
        "count",
        replace(toy_data(), assets=method.assets(source, resolved.config, "count")),
        training=False,
    )
    assert method.prepare(moment([[0.0, 5.0]]), ctx)["segments"] == [[5.0, 10.0], [0.0, 10.0], [0.0, 5.0]]


def test_the_prior_of_didemo_is_the_literatures(shared, tmp_path):
    from reelbench.tasks.datasets.didemo import DidemoSource
    from reelbench.tasks.localization import Localization

    dataset = DidemoSource().open("", data_dir=shared / "data", cache_dir=tmp_path)
    method, resolved = FrequencyPrior(), toy_fit(FrequencyPrior(), "count")
    source = Source(list(dataset.relation("segments")))
    ctx = toy_context(
        resolved,
        "count",
        replace(toy_data(), assets=method.assets(source, resolved.config, "count")),
        training=False,
    )
    evaluation = dataset.evaluation("localization", "candidates", "test")

    predictions = Predictions(
        evaluation.ids, {"segments": [method.prepare(e, ctx)["segments"] for e in evaluation.examples]}
    )
    _, scores = Localization().score(predictions, evaluation)
    assert {k: round(100 * scores[k], 2) for k in ("rank_at_1", "rank_at_5", "miou")} == {
        "rank_at_1": 19.40,
        "rank_at_5": 66.38,
        "miou": 25.42,
    }


# --- nearest neighbours -----------------------------------------------------------------------------------------


def captioned(video, *words):
    return example({"video": Clip(video, 0.0, 2.0), "sentence": words})


def neighbour_context(rows, looks, recipe="captions", **overrides):
    """A context with the assets of ``rows``, whose clips look as ``looks`` says: appearance is constant, the rest zero."""

    class Looks(Source):
        features = {"appearance": SPECS["appearance"]}

        def read(self, clip, *, track=False):
            return {"appearance": np.full((2, 6), looks[clip.video], np.float32)}

    method = NearestNeighbour()
    resolved = toy_fit(method, recipe, **overrides)
    assets = method.assets(Looks(rows), resolved.config, recipe)
    return toy_context(resolved, recipe, replace(toy_data(("appearance",)), assets=assets), training=False)


def test_a_neighbour_is_a_clip_however_many_captions_it_has():
    rows = [captioned("near", "a", "man", word) for word in ("walks", "runs", "holds", "left")]
    rows += [captioned("far", "the", "ball"), captioned("farther", "the", "box")]
    ctx = neighbour_context(rows, {"near": 0.0, "far": 1.0, "farther": 2.0}, neighbours=2)
    assert ctx.data.assets["means"].shape[0] == 3
    batch = collate(
        [
            NearestNeighbour().prepare(
                example(
                    {
                        "video": {"appearance": np.zeros((2, 6), np.float32)},
                        "choices": [("ball",), ("box",), ("walks",)],
                    }
                ),
                ctx,
            )
        ]
    )
    ctx = replace(ctx, task="multiple_choice")
    ball, box, walks = NearestNeighbour().predict_step(None, batch, ctx)["scores"][0]
    assert ball > 0  # the second neighbour is another clip
    assert walks > 0
    assert box == 0


def test_a_caption_is_the_first_of_the_nearest_clip():
    rows = [
        captioned("near", "a", "man", "walks"),
        captioned("near", "a", "man", "runs"),
        captioned("far", "a", "ball"),
    ]
    ctx = replace(neighbour_context(rows, {"near": 0.0, "far": 1.0}), task="captioning")
    row = example({"video": {"appearance": np.zeros((2, 6), np.float32)}})
    batch = collate([NearestNeighbour().prepare(row, ctx)])
    assert NearestNeighbour().predict_step(None, batch, ctx)["caption"] == ["a man walks"]


# --- linear -----------------------------------------------------------------------------------------------------


def test_certain_classes_are_told_apart():
    method, data = Linear(), toy_data()
    ctx = toy_context(toy_fit(method, "actions"), "actions", data, training=False)
    module = method.build(data, ctx.config).eval()
    torch.nn.init.zeros_(module.layer.weight)
    module.layer.bias.data.copy_(torch.tensor([30.0, 40.0, 35.0]))
    batch = collate([method.prepare(example({"video": toy_video(np.random.default_rng(0), 3)}), ctx)])
    assert method.predict_step(module, batch, ctx)["scores"].argsort().tolist() == [[0, 2, 1]]


def test_tags_are_probabilities():
    method, data = Linear(), toy_data()
    ctx = toy_context(toy_fit(method, "tags"), "tags", data, training=False)
    batch = collate([method.prepare(example({"video": toy_video(np.random.default_rng(0), 3)}), ctx)])
    scores = method.predict_step(method.build(data, ctx.config).eval(), batch, ctx)["scores"]
    assert ((scores > 0) & (scores < 1)).all()


# --- chance and majority ----------------------------------------------------------------------------------------


def test_chance_draws_another_order_for_another_example():
    method = Chance()
    ctx = toy_context(toy_fit(method, "draw"), "draw", toy_data(), training=False, task="tagging")
    first, second = (method.prepare(example({}), ctx)["drawn"] for _ in range(2))
    assert first.shape == (5,)
    assert not np.allclose(first, second)


def test_the_majority_caption_is_the_most_frequent_one():
    rows = [example({"sentence": s}) for s in (("a",), ("b",), ("b",))]
    assert Majority().assets(Source(rows), None, "captions") == {"caption": "b"}


def test_majority_counts_answers_and_tags():
    rows = [example({}, {"answer": a}) for a in ("box", "box", "zebra")]
    assert Majority().assets(Source(rows), None, "blanks") == {"scores": [0.0, 2.0, 0.0]}
    rows = [example({}, {"labels": np.array(tags)}) for tags in ([0, 1], [1])]
    assert Majority().assets(Source(rows), None, "tags") == {"scores": [1.0, 2.0, 0.0, 0.0, 0.0]}


def test_most_pairs_decide_same_or_different():
    rows = [
        example(
            {"track_clip": [0, 0, 1]},
            {"track_identity": [0, 1, 2], "mention_identity": [0, 0], "mention_track": [1, 1, 2]},
        )
    ]
    assert Majority().assets(Source(rows), None, "sets") == {"track": 0.0, "mention": 1.0, "place": 1}


def reconstructing(method, recipe, assets, protocol):
    ctx = toy_context(
        toy_fit(method, recipe),
        recipe,
        replace(toy_data(), assets=assets),
        training=False,
        task="reconstruction",
        protocol=protocol,
    )
    first = np.full((2, 2, 3), 0.5, np.float32)
    row = example({"first_frame": first, "sentence": ("a", "man", "walks")})
    return method.predict_step(None, collate([method.prepare(row, ctx)]), ctx)


def test_the_copy_stands_still_and_says_what_it_heard():
    frames = reconstructing(Copy(), "copy", {}, "video")["frames"]
    assert frames.shape == (1, 7, 2, 2, 3)
    assert (frames == 0.5).all()
    assert reconstructing(Copy(), "copy", {}, "caption") == {"caption": ["a man walks"]}


def test_chance_draws_frames_and_quotes_sentences():
    frames = reconstructing(Chance(), "draw", {}, "sentence")["frames"]
    assert frames.shape == (1, 7, 2, 2, 3)
    assert frames.unique().numel() > 7
    assert reconstructing(Chance(), "quote", {"captions": ["a b"]}, "caption") == {"caption": ["a b"]}


def test_the_mean_frame_adds_the_mean_change_and_stays_in_range():
    class Brightening(Source):
        def read(self, clip, *, track=False):
            speed = float(clip.video)
            return {"thumbnail": (speed * np.arange(8.0))[:, None, None, None].repeat(3, 3)}

    source = Brightening([example({"video": Clip(speed)}) for speed in ("0", "51")])
    assets = MeanFrame().assets(source, None, "change")
    np.testing.assert_allclose(assets["change"][:, 0, 0, 0], 0.1 * np.arange(1, 8), rtol=1e-6)
    frames = reconstructing(MeanFrame(), "change", assets, "video")["frames"]
    np.testing.assert_allclose(frames[0, :, 0, 0, 0], [0.6, 0.7, 0.8, 0.9, 1.0, 1.0, 1.0], rtol=1e-6)


# --- features and sets ------------------------------------------------------------------------------------------


def test_frames_are_equidistant_and_modalities_meet_at_the_same_moments():
    video = {"appearance": np.arange(8.0)[:, None], "audio": np.arange(4.0)[:, None]}
    assert sample_frames(video, ("appearance", "audio"), 4).tolist() == [[0, 0], [2, 1], [4, 2], [6, 3]]


def test_means_of_segments_take_the_rows_they_touch():
    video = {"appearance": np.arange(8.0)[:, None]}
    specs = {"appearance": replace(SPECS["appearance"], shape=(1,))}
    means = segment_means(video, np.array([[0.0, 1.0], [0.4, 0.6], [1.9, 9.0], [5.0, 6.0]]), specs)
    assert means[:, 0].tolist() == [1.5, 1.5, 7.0, 7.0]


def test_a_mention_is_seen_by_the_words_round_it():
    vocabulary = Vocabulary.from_sentences([("a", "b", "[someone]")])
    row = example({"sentences": [("a", "[someone]", "b")], "mentions": np.array([[0, 1]])})
    window = mention_windows(row, vocabulary)[0]
    assert window[5] == vocabulary.index["a"]
    assert window[6] == vocabulary.index["b"]
    assert not window[:5].any()


def test_labels_follow_the_likeliest_earlier_item():
    assert as_labels([[1.0, 0.2, 0.9], [0.2, 1.0, 0.3], [0.9, 0.3, 1.0]]) == [0, 1, 0]


def test_links_of_padding_cost_nothing():
    logits, ids = torch.zeros(1, 3, 3), torch.tensor([[0, 0, 1]])
    assert link_loss(logits, ids, torch.tensor([[True, True, False]])).item() == pytest.approx(np.log(2))


def test_fixations_become_a_density_with_rows_first():
    row, column = np.unravel_index(density(np.array([[0.9, 0.1]])).argmax(), (49, 49))
    assert (row, column) == (4, 44)


# --- learning ---------------------------------------------------------------------------------------------------


def choice(rng):
    return example({"video": toy_video(rng, 4), "choices": [("a", "ball"), ("a", "box")]}, {"answer": 0})


def blank(rng):
    return example(
        {"video": toy_video(rng, 4), "sentence": ("a", "_____", "man"), "blank": 1}, {"answer": "box"}
    )


def located(rng):
    row = moment([[5.0, 10.0]])
    return row.with_fields(video=toy_video(rng, 40))


def caption(rng):
    return example(
        {"video": toy_video(rng, 4), "sentence": toy_sentence(rng, 4), "content": str(rng.integers(1000))}, {}
    )


def tagged(rng):
    return example({"video": toy_video(rng, 4)}, {"labels": np.array([1, 3])})


def acted(rng):
    return example({"video": toy_video(rng, 4), "sentence": ("run",)}, {"label": 1})


def happened(rng):
    return example(
        {"video": toy_video(rng, 40), "duration_s": 10.0},
        {"segments": np.array([[1.0, 3.0], [5.0, 9.0]]), "labels": np.array([0, 2])},
    )


def people(rng):
    fields = {
        "sentences": [("[someone]", "walks"), ("[someone]", "runs")],
        "mentions": np.array([[0, 0], [1, 0]]),
        "tracks": [toy_video(rng, 3) for _ in range(3)],
        "track_clip": np.array([0, 0, 1]),
    }
    answers = {
        "mention_identity": np.array([0, 1]),
        "track_identity": np.array([0, 1, 1]),
        "mention_track": np.array([0, 2]),
    }
    return example(fields, answers)


FITS = [
    (TextOnly, "choices", choice), (TextOnly, "blanks", blank), (TextOnly, "segments", located), (TextOnly, "sets", people),
    (VideoOnly, "blanks", blank), (VideoOnly, "segments", located), (Linear, "tags", tagged), (Linear, "actions", acted),
    (Linear, "events", happened), (VSE, "captions", caption), (VSE, "segments", located), (VSE, "actions", acted),
    (MeanPool, "blanks", blank), (MeanPool, "captions", caption), (MeanPool, "sets", people),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "recipe", "make"), FITS, ids=lambda v: getattr(v, "__name__", v))
def test_every_trained_baseline_learns_a_toy(cls, recipe, make):
    method, resolved, rng = cls(), toy_fit(cls(), recipe), np.random.default_rng(0)
    data = toy_data(candidates=3, seen=[0, 1])
    ctx = toy_context(resolved, recipe, data)
    batch = collate([method.prepare(make(rng), ctx) for _ in range(6)])
    torch.manual_seed(0)
    module = method.build(data, resolved.config)
    losses = toy_losses(method, module, batch, ctx, steps=40, rate=1e-2)
    assert losses[-1] < 0.8 * losses[0]
