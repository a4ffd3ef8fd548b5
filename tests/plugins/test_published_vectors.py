"""Methods whose papers start from GloVe do so where a file is named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from plugin_toys import toy_data, toy_fit, toy_sentence, toy_video

from reelbench.data import Clip
from reelbench.registry import build_registry

REGISTRY = build_registry()


class Source:
    """Three training rows of each relation, under every name that the methods read."""

    spaces: dict[str, tuple[str, ...]] = {}

    def __init__(self, features):
        self.features, self.rng = features, np.random.default_rng(0)

    def relation(self, name):
        rng = np.random.default_rng(1)
        texts = [toy_sentence(rng, 20) for _ in range(3)]
        return [
            {"video": Clip("v"), "videos": [Clip("v")], "sentence": t, "query": t, "sentences": [t]}
            for t in texts
        ]

    def read(self, clip, *, track=False):
        video = toy_video(np.random.default_rng(2), 6)
        return {name: video[name] for name in self.features}


@pytest.mark.parametrize(
    ("name", "recipe", "table"),
    [
        ("asst", "candidates", "language.embed"),
        ("asst", "spans", "language.embed"),
        ("jsfusion", "match", "embed"),
        ("jsfusion", "fill", "embed"),
        ("story-lstm", "stories", "embed"),
    ],
)
def test_a_named_file_s_vectors_are_where_the_table_starts(name, recipe, table, tmp_path):
    method = REGISTRY.methods[name]
    known = toy_sentence(np.random.default_rng(1), 20)[0]
    path = tmp_path / "vectors.txt"
    path.write_text(f"{known} 70.0 80.0\n", encoding="utf-8")
    config = toy_fit(method, recipe, word=2, min_count=1, vectors=str(path)).config
    data = toy_data(method.features(config, recipe))
    assets = method.assets(Source(data.features), config, recipe)
    network = method.build(dataclasses.replace(data, assets=assets), config)
    weight = network.get_submodule(table).weight
    assert weight[assets["vocabulary"].index[known]].tolist() == [70.0, 80.0]
    assert weight.requires_grad
    assert (weight.detach().abs() > 60).any(dim=1).sum() == 1
