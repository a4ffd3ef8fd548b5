import numpy as np
import pytest
import torch

from reelbench.batching import Batch, Padded, bucketed_batches, collate
from reelbench.data import Example


def example(name, **fields):
    return Example(name, fields)


def test_sequences_are_padded_and_masked():
    batch = collate(
        [example("a", x=np.ones((2, 3), np.float32)), example("b", x=np.ones((4, 3), np.float32))]
    )
    assert batch["x"].data.shape == (2, 4, 3)
    assert batch["x"].mask.tolist() == [[True, True, False, False], [True] * 4]
    assert batch["x"].lengths.tolist() == [2, 4]
    assert batch["x"].data[0, 2:].abs().sum() == 0


def test_lists_of_sequences_get_one_more_axis():
    batch = collate([example("a", x=[np.ones(2), np.ones(3)]), example("b", x=[np.ones(1)])])
    assert batch["x"].data.shape == (2, 2, 3)
    assert batch["x"].mask.sum(dim=-1).tolist() == [[2, 3], [1, 0]]


def test_lists_of_feature_maps_are_padded_by_modality():
    row = [{"look": np.ones((2, 4), np.float32)}, {"look": np.ones((1, 4), np.float32)}]
    batch = collate([example("a", videos=row), example("b", videos=row[:1])])
    assert batch["videos"]["look"].data.shape == (2, 2, 2, 4)


def test_numbers_text_and_torch_tensors_keep_their_kind():
    batch = collate(
        [example("a", n=1, t=("x",), z=torch.ones(2)), example("b", n=2, t=("y", "z"), z=torch.ones(1))]
    )
    assert batch["n"].tolist() == [1, 2]
    assert batch["t"] == [("x",), ("y", "z")]
    assert isinstance(batch["z"], Padded)


def test_arrays_without_axes_become_a_vector():
    assert collate([example("a", n=np.asarray(1.5)), example("b", n=np.asarray(2.5))])["n"].tolist() == [
        1.5,
        2.5,
    ]


def test_a_field_that_cannot_be_batched_is_named():
    with pytest.raises(ValueError, match="field 'x' cannot be batched: trailing shapes differ"):
        collate([example("a", x=np.ones((2, 3))), example("b", x=np.ones((2, 4)))])


def test_a_missing_field_names_those_there_are():
    with pytest.raises(KeyError, match="no field 'y'"):
        Batch(("a",), {"x": 1})["y"]


def test_buckets_hold_every_example_once_and_similar_lengths():
    lengths = list(range(100))
    batches = bucketed_batches(lengths, 10, np.random.default_rng(0))
    assert sorted(i for b in batches for i in b) == lengths
    assert all(max(b) - min(b) == 9 for b in batches)
