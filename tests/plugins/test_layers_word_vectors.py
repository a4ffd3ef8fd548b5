"""Word vectors: words of like company are alike, files are read, forms of a word find each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reelbench import Vocabulary
from reelbench.errors import UsageError
from reelbench.method import DataInfo
from reelbench.plugins.layers.embedding import word_embedding
from reelbench.plugins.layers.word_vectors import (
    cooccurrence_vectors,
    nearest_spelling,
    published_vectors,
    read_vectors,
)

TEXTS = [
    ("he", "walks", "home"),
    ("he", "strolls", "home"),
    ("red", "balls", "roll"),
    ("blue", "balls", "roll"),
] * 3


def test_words_of_the_same_company_have_the_same_vector():
    vocabulary = Vocabulary.from_sentences(TEXTS)
    vectors = cooccurrence_vectors(TEXTS, vocabulary, 6)

    def cosine(a, b):
        left, right = vectors[vocabulary.index[a]], vectors[vocabulary.index[b]]
        return left @ right / np.linalg.norm(left) / np.linalg.norm(right)

    assert cosine("walks", "strolls") == pytest.approx(1.0, abs=1e-4)
    assert cosine("walks", "red") < 0.1


def test_at_full_rank_products_are_the_absolute_information_in_an_eigenbasis():
    texts = [("a", "b"), ("a", "b"), ("c", "d")]
    vocabulary = Vocabulary.from_sentences(texts)
    vectors = cooccurrence_vectors(texts, vocabulary, len(vocabulary)).astype(np.float64)
    table = vectors @ vectors.T  # |information| up to one factor: (U sqrt S)(U sqrt S)'
    a, b, c, d = (vocabulary.index[w] for w in "abcd")
    # by hand: a and b meet twice of six ordered pairs' worth, so log(2 * 6 / (2 * 2)) = log 3; c and d: log 6
    assert table[c, c] / table[a, a] == pytest.approx(np.log(6) / np.log(3), rel=1e-4)
    assert table[a, b] == pytest.approx(0.0, abs=1e-5)
    assert table[d, d] == pytest.approx(table[c, c], rel=1e-4)


def test_vectors_have_unit_variance_and_unheard_words_none():
    vocabulary = Vocabulary((*Vocabulary.from_sentences(TEXTS).words, "zebra"))
    vectors = cooccurrence_vectors(TEXTS, vocabulary, 4)
    assert vectors[vocabulary.index["zebra"]].any() == False  # noqa: E712 (a numpy bool)
    assert vectors[5:-1].std() == pytest.approx(1.0, abs=1e-5)
    assert cooccurrence_vectors([], vocabulary, 4).shape == (len(vocabulary), 4)


def test_dimensions_beyond_the_rank_are_zero():
    vocabulary = Vocabulary.from_sentences(TEXTS)
    vectors = cooccurrence_vectors(TEXTS, vocabulary, len(vocabulary) + 7)
    assert not vectors[:, -7:].any()


def test_a_file_of_published_vectors_is_read(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("walk 1.0 2.0\nrun 3 -4\nunwanted 5 6\n", encoding="utf-8")
    read = read_vectors(path, ["run", "walk", "absent"], 2, "hse")
    assert {word: vector.tolist() for word, vector in read.items()} == {
        "walk": [1.0, 2.0],
        "run": [3.0, -4.0],
    }


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"no file of word vectors at .*nothing\.txt"):
        read_vectors(tmp_path / "nothing.txt", ["a"], 2, "hse")


def test_another_width_says_which_setting_it_must_be(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("walk 1.0 2.0\n", encoding="utf-8")
    with pytest.raises(UsageError, match="has vectors of 2 numbers, but config 'word' of asst is 3"):
        read_vectors(path, ["walk"], 3, "asst")


def test_a_table_starts_from_the_published_vectors_of_words_that_have_one(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("walk 1.0 2.0\nrun 3 -4\n", encoding="utf-8")
    vocabulary = Vocabulary.from_sentences([("walk", "home", "run")])
    asset = published_vectors(str(path), vocabulary, 2, "asst")
    torch.manual_seed(0)
    drawn = word_embedding(DataInfo("toy", {}, {}, {"vocabulary": vocabulary}), 2, padding=0).weight
    torch.manual_seed(0)
    begun = word_embedding(DataInfo("toy", {}, {}, {"vocabulary": vocabulary, **asset}), 2, padding=0).weight
    expected = drawn.detach().clone()
    expected[vocabulary.index["walk"]] = torch.tensor([1.0, 2.0])
    expected[vocabulary.index["run"]] = torch.tensor([3.0, -4.0])
    assert torch.equal(begun, expected)
    assert published_vectors(None, vocabulary, 2, "asst") == {}


@pytest.mark.parametrize(
    ("word", "form"), [("walk", "walks"), ("carry", "carries"), ("push", "pushes"), ("sing", "sings")]
)
def test_a_verb_is_read_as_its_form(word, form):
    known = ("to", "walks", "waves", "carries", "claps", "pushes", "puts", "sings", "sits", "spins")
    assert nearest_spelling(word, known) == form


def test_a_word_that_is_spelled_like_none_stays_itself():
    assert nearest_spelling("take", ("to", "picks", "grabs")) == "take"
    assert nearest_spelling("take", ()) == "take"
