"""Baselines whose scores must not depend on what else is in a batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plugin_toys import example, toy_context, toy_data, toy_fit, toy_sentence, toy_video

from reelbench import collate
from reelbench.plugins.baselines.video_only import VideoOnly
from reelbench.plugins.baselines.vse import VSE
from reelbench.plugins.layers.ranking import different_contents


def moment(rng, candidates):
    starts = np.arange(candidates, dtype=np.float64)
    fields = {
        "video": toy_video(rng, 16),
        "query": toy_sentence(rng, 4),
        "duration_s": 8.0,
        "candidates": np.stack([starts, starts + 1], 1),
    }
    return example(fields)


@pytest.mark.parametrize("method", [VSE(), VideoOnly()], ids=lambda m: m.name)
def test_a_moment_scores_the_same_beside_videos_with_more_candidates(method):
    data = toy_data(method.features(None, "segments"), seen=[])
    ctx = toy_context(toy_fit(method, "segments"), "segments", data, training=False)
    torch.manual_seed(0)
    module, rng = method.build(data, ctx.config).eval(), np.random.default_rng(0)
    rows = [method.prepare(moment(rng, count), ctx) for count in (3, 7)]
    score = getattr(module, "moment_scores", module)
    torch.testing.assert_close(score(collate(rows))[0, :3], score(collate(rows[:1]))[0])


def test_rows_of_one_content_are_no_negatives():
    different = different_contents(["a", "b", "a"], torch.device("cpu"))
    assert different.tolist() == [[False, True, False], [True, False, True], [False, True, False]]
