"""Which words of a sentence are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reelbench.plugins.layers.words import known_words
from reelbench.vocabulary import BLANK, UNKNOWN, Vocabulary

VOCABULARY = Vocabulary.from_sentences([tuple("abcdefghij")])


def kept(text: list[str], limit: int | None = None) -> list[str]:
    return [VOCABULARY.words[i] for i in known_words(VOCABULARY, text, limit)]


def test_the_first_known_words_are_kept() -> None:
    assert kept(["a", "?", "b", "c", "d"], 3) == ["a", "b", "c"]
    assert kept(["?"], 3) == [UNKNOWN]


def test_a_blank_behind_the_limit_stands_in_the_middle() -> None:
    assert kept([*"abcdef", BLANK, *"gh"], 4) == ["e", "f", BLANK, "g"]
    assert kept([*"abcdef", BLANK], 4) == ["d", "e", "f", BLANK]


@given(st.lists(st.sampled_from("abcdefghij?")), st.lists(st.sampled_from("abc?")), st.integers(1, 12))
def test_a_blank_is_never_cut_off(before: list[str], after: list[str], limit: int) -> None:
    text = [*before, BLANK, *after]
    whole, window = kept(text), kept(text, limit)
    assert BLANK in window
    assert len(window) == min(limit, len(whole))
    assert any(whole[i : i + len(window)] == window for i in range(len(whole)))
    if BLANK in whole[:limit]:
        assert window == whole[:limit]
