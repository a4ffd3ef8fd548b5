"""Agglomeration of pairwise probabilities: what is joined, what is kept apart."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reelbench.plugins.layers.clusters import agglomerate


def table(*rows):
    return [list(row) for row in rows]


def test_a_chain_is_cut_where_its_ends_speak_against_it():
    assert agglomerate(table((1, 0.9, 0.1), (0.9, 1, 0.6), (0.1, 0.6, 1))) == [0, 0, 1]


def test_a_weak_link_is_joined_where_the_ends_agree():
    assert agglomerate(table((1, 0.9, 0.6), (0.9, 1, 0.45), (0.6, 0.45, 1))) == [0, 0, 0]


def test_nothing_and_one():
    assert agglomerate([]) == []
    assert agglomerate([[0.3]]) == [0]


def test_both_directions_are_averaged():
    assert agglomerate(table((1, 0.9), (0.2, 1))) == [0, 0]
    assert agglomerate(table((1, 0.7), (0.2, 1))) == [0, 1]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 3), max_size=7))
def test_a_true_partition_is_found_again(people):
    labels = agglomerate([[float(a == b) for b in people] for a in people])
    assert all((a == b) == (x == y) for (a, x), (b, y) in product(zip(people, labels, strict=True), repeat=2))
    assert labels == sorted(labels, key=labels.index) or set(labels) == set(range(len(set(people))))


@settings(max_examples=50)
@given(st.integers(2, 6), st.integers(0, 10**6))
def test_no_single_join_would_gain(count, seed):
    p = np.random.default_rng(seed).random((count, count))
    p = (p + p.T) / 2
    labels = np.array(agglomerate(p.tolist()))
    for a in set(labels):
        for b in set(labels) - {a}:
            assert (2 * p[np.ix_(labels == a, labels == b)] - 1).sum() <= 1e-9
