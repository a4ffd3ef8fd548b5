"""Beam search against searches that need no cleverness, and the words and losses they learn from."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from reelbench.plugins.layers.decoding import beam, search, take_rows
from reelbench.plugins.layers.sentence_search import SentenceSearch
from reelbench.plugins.layers.sentences import caption_ids, word_loss
from reelbench.vocabulary import Vocabulary

START, END = 0, 1


def random_model(seed: int, rows: int, vocabulary: int, *, size: int = 6):
    """A recurrent model whose next word depends on the whole past, and on the row; its memory is a nest."""
    g = torch.Generator().manual_seed(seed)
    embed = torch.randn(vocabulary, size, generator=g)
    mix = torch.randn(size, size, generator=g)
    out = torch.randn(size, vocabulary, generator=g)
    memory = {
        "hidden": torch.randn(rows, size, generator=g),
        "steps": (torch.zeros(rows, 1), [torch.zeros(rows)]),
    }

    def step(words, state):
        hidden = torch.tanh(1.5 * state["hidden"] @ mix + embed[words])
        return hidden @ out, {"hidden": hidden, "steps": (state["steps"][0] + 1, state["steps"][1])}

    return step, memory


def greedy(step, state, first, end, longest):
    """The best next word at every step, until each row ended."""
    words, said = first, [[] for _ in first]
    for _ in range(longest):
        logits, state = step(words, state)
        words = logits.argmax(-1)
        for row, word in zip(said, words.tolist(), strict=True):
            if end not in row:
                row.append(word)
    return [words_of(row) for row in said]


def total(step, state, row, sentence):
    """The log-probability of one sentence of one row, word by word."""
    state, word, score = take_rows(state, torch.tensor([row])), torch.tensor([START]), 0.0
    for said in sentence:
        logits, state = step(word, state)
        score += logits.double().log_softmax(-1)[0, said].item()
        word = torch.tensor([said])
    return score


def every_sentence(vocabulary, longest):
    """Each sentence that ends by ``longest`` steps or is cut there, with its end where it has one."""
    going_on = [w for w in range(vocabulary) if w != END]
    for length in range(longest):
        for words in product(going_on, repeat=length):
            yield (*words, END)
    yield from product(going_on, repeat=longest)


def words_of(sentence):
    return [w for w in sentence if w != END]


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 4), longest=st.integers(0, 7))
def test_a_beam_of_one_is_greedy(seed, rows, longest):
    step, state = random_model(seed, rows, 5)
    first = torch.full((rows,), START)
    assert beam(step, state, first, END, longest, 1) == greedy(step, state, first, END, longest)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_a_beam_wide_enough_for_every_sentence_finds_the_best_of_them(seed):
    rows, vocabulary, longest = 2, 3, 3
    step, state = random_model(seed, rows, vocabulary)
    found = beam(step, state, torch.full((rows,), START), END, longest, vocabulary**longest)
    for row in range(rows):
        best = max(every_sentence(vocabulary, longest), key=lambda s: total(step, state, row, s))
        assert found[row] == words_of(best)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), width=st.integers(1, 4))
def test_a_row_says_the_same_alone_as_among_others(seed, width):
    step, state = random_model(seed, 3, 6)
    together = beam(step, state, torch.full((3,), START), END, 6, width)
    alone = [
        beam(step, take_rows(state, torch.tensor([row])), torch.tensor([START]), END, 6, width)[0]
        for row in range(3)
    ]
    assert together == alone


def test_each_kept_sentence_goes_on_with_its_own_memory():
    """Memory counts what was said; were rows mixed up, the count would not be that of the words."""
    seen = []

    def step(words, state):
        total = state["sum"] + words.double().unsqueeze(1)  # (R, 1)
        seen.append(total.flatten().tolist())
        logits = torch.tensor([[-9.0, -9.0, 0.3, 0.2, 0.1]]) + total * torch.tensor([0.0, 0, 0, 0.01, 0.03])
        return logits, {"sum": total}

    beam(step, {"sum": torch.zeros(2, 1, dtype=torch.float64)}, torch.tensor([0, 0]), END, 3, 3)
    assert seen[0] == [0, 0]
    assert seen[1] == [2, 3, 4, 2, 3, 4]  # the three words kept after the first step, of each row
    assert all(4 <= s <= 8 for s in seen[2])  # two words of 2..4 each, whichever were kept


def test_a_row_that_ends_early_keeps_its_sentence_while_others_go_on():
    said = torch.tensor([[2, 1, 3, 3], [3, 2, 2, 1], [1, 2, 2, 2]])  # words forced upon three rows; 1 ends

    def step(words, state):
        row, t = state[0], state[1]
        return 50.0 * functional.one_hot(said[row, t], 4).float(), (row, t + 1)

    state = (torch.arange(3), torch.zeros(3, dtype=torch.long))
    first = torch.zeros(3, dtype=torch.long)
    expected = [[2], [3, 2, 2], []]
    assert greedy(step, state, first, END, 4) == expected
    assert beam(step, state, first, END, 4, 3) == expected


def test_a_wider_beam_finds_what_greedy_walks_past():
    """Word 2 looks best at first but everything after it is improbable; 3 is the better beginning."""
    table = {0: [0, 0, 0.55, 0.45], 1: [0.25] * 4, 2: [0.3, 0.3, 0.2, 0.2], 3: [0, 1, 0, 0]}

    def step(words, state):
        return torch.tensor([table[w] for w in words.tolist()]).log(), state

    first = torch.tensor([0])
    assert greedy(step, (), first, END, 2)[0][0] == 2
    assert beam(step, (), first, END, 2, 2) == [[3]]


def test_a_settled_row_is_let_go_while_others_go_on():
    """One row ends at once for certain, one at the third word; the model is asked for fewer and fewer rows."""
    said, asked = torch.tensor([[1, 3, 3], [2, 3, 1]]), []

    def step(words, state):
        asked.append(len(words))
        return 50.0 * functional.one_hot(said[state[0], state[1]], 4).float(), (state[0], state[1] + 1)

    state = (torch.arange(2), torch.zeros(2, dtype=torch.long))
    assert beam(step, state, torch.zeros(2, dtype=torch.long), END, 3, 2) == [[], [2, 3]]
    assert asked == [2, 2, 2]  # two rows of one sentence, then one row of two


@pytest.mark.parametrize(("width", "max_words", "expected"), [(1, 1, [2]), (1, 3, [2, 3]), (4, 3, [])])
def test_search_does_as_the_settings_say(width, max_words, expected):
    table = {0: [0, 0.49, 0.51, 0], 1: [0.25] * 4, 2: [0, 0.0, 0.0, 1.0], 3: [0, 0.8, 0.2, 0]}

    def step(words, state):
        return torch.tensor([table[w] for w in words.tolist()]).log(), state

    asked = SentenceSearch(beam=width, max_words=max_words)
    assert search(step, (), torch.tensor([0]), END, asked) == [expected]


def test_captions_stand_between_their_marks_and_are_cut_before_the_end():
    vocabulary = Vocabulary.from_sentences([["a", "red", "ball", "rolls"]])
    ids = caption_ids(vocabulary, ("a", "red", "ball", "rolls"), 2)
    assert [vocabulary.words[i] for i in ids] == ["<start>", "a", "red", "<end>"]
    assert ids.dtype == np.int64


def test_word_loss_is_the_mean_over_real_words():
    logits = torch.randn(2, 3, 7)
    words = torch.tensor([[1, 5, 6, 2], [1, 4, 2, 0]])
    log_p = logits.log_softmax(-1)
    expected = -(log_p[0, 0, 5] + log_p[0, 1, 6] + log_p[0, 2, 2] + log_p[1, 0, 4] + log_p[1, 1, 2]) / 5
    assert word_loss(logits, words, 0).item() == pytest.approx(expected.item(), rel=1e-6)
