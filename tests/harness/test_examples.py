"""Where features meet examples."""

import numpy as np
import pytest
from toys import Painter, ToyDataset, fit, phase_of

from reelbench.data import Clip, Example, FeatureSpec
from reelbench.errors import TrainingError
from reelbench.examples import FeatureCache, FeatureReader, chunks, length_of
from reelbench.seeding import ExampleGenerator, derive_seed, stream_of


class People(ToyDataset):
    """Videos, and tracks of people in them."""

    @property
    def features(self):
        return {"look": FeatureSpec("look", (8,), 2.0), "person_face": FeatureSpec("person_face", (5,), 2.0)}


def reader(limit=1 << 20, dataset=None):
    return FeatureReader(dataset or People(), ("look", "person_face"), FeatureCache(limit))


def test_clips_and_lists_of_clips_become_arrays_by_modality():
    example = Example(
        "a",
        {"video": Clip("test-1", 0.0, 2.0), "videos": [Clip("test-1"), Clip("test-2")], "n": 3},
        {"video": Clip("test-3")},
    )
    resolved = reader().resolve(example)
    assert resolved["video"]["look"].shape == (4, 8)
    assert resolved["video"]["look"].dtype == np.float32
    assert [set(v) for v in resolved["videos"]] == [{"look"}, {"look"}]
    assert resolved["n"] == 3
    assert set(resolved.targets["video"]) == {"look"}


def test_tracks_are_read_in_the_modalities_of_people():
    resolved = reader().resolve(Example("a", {"tracks": [Clip("test-1")], "empty": []}))
    assert set(resolved["tracks"][0]) == {"person_face"}
    assert resolved["empty"] == []


def test_features_are_read_once_and_only_kept_up_to_the_cap():
    for limit, reads in ((1 << 20, 1), (0, 2)):
        dataset = People()
        r = reader(limit, dataset)
        for _ in range(2):
            r.read(Clip("test-1"))
        assert dataset.reads == reads
        assert r.cache.full == (limit == 0)


def test_lengths_come_from_durations_and_tokens():
    example = Example(
        "a",
        {
            "video": Clip("v", 1.0, 4.0),
            "sentence": ("a", "b"),
            "segments": np.zeros((4, 2)),
            "n": 99,
            "choices": [("x",) * 5],
        },
    )
    assert length_of(example, 2.0) == 6
    assert length_of(example, 1.0) == 5
    assert length_of(Example("b", {"video": Clip("v")}), 2.0) == 0


def test_chunks_cover_everything_once():
    assert [list(c) for c in chunks([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]


def test_another_training_set_without_the_modality_is_named(tmp_path):
    other = ToyDataset("silent", modalities=("sound",))
    with pytest.raises(
        TrainingError, match="phase 'main': dataset 'silent' has no modality 'look', which the fit reads"
    ):
        fit(Painter(), tmp_path, datasets={"silent": other}, phases=phase_of(Painter(), dataset="silent"))


def test_an_examples_stream_does_not_depend_on_what_was_drawn_before():
    generator = ExampleGenerator()
    generator.key(1, "sample", "main", 0)
    first = generator.at(stream_of("a")).random(5)
    generator.at(stream_of("b")).normal(size=3)
    assert (generator.at(stream_of("a")).random(5) == first).all()
    generator.key(1, "sample", "main", 1)
    assert (generator.at(stream_of("a")).random(5) != first).all()


def test_seeds_differ_by_name_and_do_not_run_together():
    assert derive_seed(0, "a", "b") != derive_seed(0, "ab")
    assert derive_seed(0, "order", 1) == derive_seed(0, "order", "1")
    assert derive_seed(0, "init") != derive_seed(1, "init")
