"""Pretrained language models by local path or hub name, through the optional library ``transformers``."""

from __future__ import annotations

from functools import cache
from typing import Any

from reelbench.errors import UsageError


def require_transformers() -> Any:
    """The library ``transformers``, imported only when a configuration names a pretrained model.

    Raises
    ------
    UsageError
        If it is not installed, saying how to install it.
    """
    try:
        import transformers
    except ModuleNotFoundError:
        raise UsageError(
            'a pretrained language model needs the library transformers: pip install "reelbench[language]"; '
            "without one, the method's own text model is trained from scratch"
        ) from None
    return transformers


@cache
def load_tokenizer(name: str) -> Any:
    """The tokenizer of a pretrained model."""
    return require_transformers().AutoTokenizer.from_pretrained(name)
